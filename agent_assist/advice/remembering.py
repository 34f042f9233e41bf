"""For what a rule has fired already, and how often it was met."""

from agent_assist.advice.matching import Match
from agent_assist.advice.rule import Rule
from agent_assist.call.state import CallState, Memory


def is_spent(rule: Rule, state: CallState) -> bool:
    """Whether a rule need not be tried again on this call."""
    return rule.once == "call" and rule.signal is None and rule.id in state.fired


def unfired(rule: Rule, match: Match, state: CallState, now_ms: int) -> tuple[str, ...]:
    """Of what the rule fires once for, that which is new."""
    if rule.cooldown_ms and now_ms - _last(rule, state) < rule.cooldown_ms:
        return ()
    if rule.once in {"episode", "always"}:
        return match.keys
    # Without a name, a talk track adds nothing to one that was shown with a name; nor does a mild one to a strong one.
    vague = rule.once == "name" and not match.competitors
    if (vague or match.label in rule.yields) and any(key.split(":")[0] == rule.id for key in state.fired):
        return ()
    return tuple(key for key in match.keys if key not in state.fired)


def _last(rule: Rule, state: CallState) -> int:
    """When it fired last; long before the call where it has not."""
    return max((at_ms for key, at_ms in state.fired.items() if key.split(":")[0] == rule.id), default=-(10**9))


def count(rule: Rule, memory: Memory, at_ms: int) -> tuple[int, ...]:
    """The times at which a rule was met that count, with one more; as many as it asks for are enough."""
    asked = rule.hits
    if asked is None:
        return (at_ms,)
    times = (*memory.hits.get(rule.id, ()), at_ms)
    if asked.within_ms is not None:
        times = tuple(time for time in times if time > at_ms - asked.within_ms)
    return times[-asked.at_least :]


def is_enough(rule: Rule, times: tuple[int, ...]) -> bool:
    """Whether a rule was met often enough."""
    return rule.hits is None or len(times) >= rule.hits.at_least
