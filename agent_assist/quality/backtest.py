"""What a playbook would have said in calls of the past, beside what was shown then."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from agent_assist.call.assistant import Assistant
from agent_assist.types import Assist, CallRecord, Card, Degraded, Event, Webhook, Withheld

_EXAMPLES: Final = 3


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
        assistant: Of a tenant, or of calls that name none.
        rules: Only these; all where it is empty.
    """

    def __init__(self, assistant: Callable[[str | None], Assistant], source: str, rules: Collection[str] = ()) -> None:
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

    def add(self, record: CallRecord, events: Sequence[Event]) -> None:
        """
        One more call.

        Args:
            events: Of the call, in the order in which they arrived.
        """
        self._calls += 1
        self._utterances += len(record.utterances)
        now: dict[str, Card | Webhook] = {}
        state = None
        assistant = self._assistant(record.attributes.get("tenant"))
        for event in events:
            state, told = assistant.step(state, event)
            for each in told:
                self._take(each, now)
        then = {card.id: card.rule for card in record.cards if not card.provisional and self._is_asked(card.rule)}
        self._fired.update(each.rule for each in now.values())
        self._touched.update({each.rule for each in now.values()})
        self._shown.update(then.values())
        self._same.update(rule for name, rule in then.items() if name in now)
        words = {utterance.id: utterance.text for utterance in record.utterances}
        for name, each in now.items():
            examples = (self._known if name in then else self._new).setdefault(each.rule, [])
            if len(examples) < _EXAMPLES:
                instance = Instance(call_id=record.call_id, at_ms=each.at_ms, words=words.get(each.utterance_id, ""))
                examples.append(instance)

    def _take(self, told: Assist | Degraded, now: dict[str, Card | Webhook]) -> None:
        match told:
            case Card(provisional=False) | Webhook():
                if self._is_asked(told.rule):
                    now[told.id] = told
            case Withheld():
                self._withheld[told.why] += self._is_asked(told.rule)
            case Degraded(stage="rule"):
                self._failed[told.reason] += 1
            case _:
                pass

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
