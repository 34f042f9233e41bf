"""What a playbook would have said in calls of the past, beside what was shown then."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from agent_assist.call.assistant import Assistant
from agent_assist.types import Assist, CallEnded, CallRecord, CallStarted, Card, Degraded, Event, Webhook, Withheld
from agent_assist.types import Final as FinalEvent

_EXAMPLES: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A place at which a rule fires."""

    call_id: str
    at_ms: int
    words: str
    """The utterance that gave rise to it; empty where none did."""


class RuleRun(msgspec.Struct, frozen=True, kw_only=True):
    """A rule over all calls."""

    rule: str
    fired: int
    calls: int
    """In which it fired."""
    per_100_calls: float
    """Of the former."""
    shown: int
    """Cards of this rule that were shown then."""
    same: int
    """Of those, the ones that would be shown again."""
    examples: tuple[Instance, ...]
    """The first of those that fire now and were not shown then, else of all."""


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What ``rules backtest --json`` prints."""

    playbook: str
    calls: int
    utterances: int
    rules: tuple[RuleRun, ...]
    """Those that fired, or were shown then, the most frequent first."""
    withheld: dict[str, int]
    """Cards not shown, by the reason."""
    failed: dict[str, int]
    """How often a rule could not be run, by what is told of it."""


class Runs:
    """
    Calls put through the rules, one after the other.

    Args:
        rules: Only these; all where it is empty.
    """

    def __init__(self, assistant: Assistant, source: str, rules: Collection[str] = ()) -> None:
        self._assistant = assistant
        self._source = source
        self._rules = frozenset(rules)
        self._calls = self._utterances = 0
        self._fired: Counter[str] = Counter()
        self._touched: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._same: Counter[str] = Counter()
        self._new: dict[str, list[Instance]] = {}
        self._known: dict[str, list[Instance]] = {}
        self._withheld: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def add(self, record: CallRecord) -> None:
        """One more call."""
        self._calls += 1
        self._utterances += len(record.utterances)
        now: dict[str, Card | Webhook] = {}
        for each in replay(self._assistant, record):
            match each:
                case Card(provisional=False) | Webhook():
                    if self._is_asked(each.rule):
                        now[each.id] = each
                case Withheld():
                    self._withheld[each.why] += self._is_asked(each.rule)
                case Degraded(stage="rule"):
                    self._failed[each.reason] += 1
                case _:
                    pass
        then = {card.id: card.rule for card in record.cards if not card.provisional and self._is_asked(card.rule)}
        self._fired.update(each.rule for each in now.values())
        self._touched.update({each.rule for each in now.values()})
        self._shown.update(then.values())
        self._same.update(rule for name, rule in then.items() if name in now)
        words = {utterance.id: utterance.text for utterance in record.utterances}
        for name, each in now.items():
            examples = (self._known if name in then else self._new).setdefault(each.rule, [])
            if len(examples) < _EXAMPLES:
                said = words.get(each.utterance_id, "")
                examples.append(Instance(call_id=record.call_id, at_ms=each.at_ms, words=said))

    def _is_asked(self, rule: str) -> bool:
        return not self._rules or rule in self._rules

    def result(self) -> Backtest:
        """Over all calls so far."""
        return Backtest(
            playbook=self._source,
            calls=self._calls,
            utterances=self._utterances,
            rules=tuple(self._run(rule) for rule in self._order()),
            withheld=dict(sorted(self._withheld.items())),
            failed=dict(sorted(self._failed.items())),
        )

    def _order(self) -> list[str]:
        return sorted(set(self._fired) | set(self._shown), key=lambda rule: (-self._fired[rule], rule))

    def _run(self, rule: str) -> RuleRun:
        return RuleRun(
            rule=rule,
            fired=self._fired[rule],
            calls=self._touched[rule],
            per_100_calls=round(100 * self._touched[rule] / self._calls, 1),
            shown=self._shown[rule],
            same=self._same[rule],
            examples=tuple((self._new.get(rule) or self._known.get(rule, []))[:_EXAMPLES]),
        )


def replay(assistant: Assistant, record: CallRecord) -> Iterator[Assist | Degraded]:
    """What would be told of a call now."""
    state = None
    for event in events_of(record):
        state, told = assistant.step(state, event)
        yield from told


def events_of(record: CallRecord) -> Iterable[Event]:
    """The events of a stored call that decide anything, in the order in which they came: that of their end."""
    yield CallStarted(
        call_id=record.call_id,
        at=record.started_at or _EPOCH,
        protocol=record.protocol,
        customer_id=record.customer_id,
        customer_name=record.customer_name,
        agent_id=record.agent_id,
        queue=record.queue,
    )
    for utterance in sorted(record.utterances, key=lambda said: (said.end_ms, said.channel, said.number)):
        yield FinalEvent(call_id=record.call_id, utterance=utterance)
    yield CallEnded(
        call_id=record.call_id,
        duration_ms=record.duration_ms,
        reason="lost" if record.status == "lost" else "hangup",
    )
