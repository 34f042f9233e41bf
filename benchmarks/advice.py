"""
Rules of the default playbook: right and complete, on whole calls and on single utterances.

Two questions. On the sample calls: is each card that the author of the rules says is due shown at its turn, and
nothing else (``tests/data/advice_calls.csv``: rule, and the turns at which it may come). On sets of labelled texts:
does the rule that is meant for an intent fire on the texts that have it, and on no others; by its phrases alone, as
the product runs it with the trained intents, and beside plain lists of keywords on the same texts. A text of which a
set does not say whether it has the intent counts nowhere.
"""

import csv
import json as parse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.examples import attempt
from agent_assist.advice.matching import Case, Ready, match
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.sense import Sense
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState, hear
from agent_assist.types import CallEnded, Card, Event
from agent_assist.types import Final as FinalEvent
from audio.types import Channel
from benchmarks.environment import Environment, environment, report
from benchmarks.intent import Condition, TextSet, as_heard, read_sets
from benchmarks.peers import keywords
from models.embedding import Embedding
from models.intent import SHIPPED, Intent, IntentModel
from models.meaning import Meaning
from models.training.confusion import RATE
from models.training.labels import Labelled
from models.types import Emotion, EmotionLabel, Utterance
from models.weights import locate
from stream.settings import load as settings_of

_SEED: Final = 11
_RESAMPLED: Final = 1_000
_BATCH: Final = 32
_DATA: Final = Path(__file__).resolve().parents[1] / "tests" / "data"
_CALLS: Final = ("zh_late_order", "en_cancel_plan")
_AGITATION: Final = {"angry": 0.8, "anxious": 0.5, "disappointed": 0.3, "satisfied": 0.1, "neutral": 0.15}
_VALENCE: Final = {"angry": -0.7, "anxious": -0.3, "disappointed": -0.4, "satisfied": 0.6, "neutral": 0.0}
MEANT: Final[dict[str, Intent]] = {
    "cancel_intent": Intent.CANCEL,
    "refund": Intent.REFUND,
    "matched_reply": Intent.COMPLAINT,
    "price": Intent.PRICE,
    "delivery": Intent.DELIVERY,
    "technical_fault": Intent.TECHNICAL_FAULT,
    "repeated_contact": Intent.REPEATED_CONTACT,
    "already_told": Intent.ALREADY_TOLD,
    "promise_asked": Intent.PROMISE_ASKED,
    "competitor": Intent.COMPETITOR,
}
"""What a rule is meant for."""
_ALSO: Final[dict[str, frozenset[Intent]]] = {
    "cancel_intent": frozenset({Intent.REFUND}),
    "repeated_contact": frozenset({Intent.ALREADY_TOLD}),
    "already_told": frozenset({Intent.REPEATED_CONTACT}),
}
"""Other intents with which the rule's card is no mistake: such a text counts nowhere, unless it has both."""

_Bools = npt.NDArray[np.bool_]


class RuleScore(msgspec.Struct, frozen=True, kw_only=True):
    """One rule on one set."""

    n: int
    """Texts that have what it is meant for."""
    of: int
    """Texts that count."""
    precision: float | None
    """None where it never fired."""
    precision_low: float | None
    """95 % of the resampled sets lie between this and ``precision_high``."""
    precision_high: float | None
    recall: float
    recall_low: float
    recall_high: float


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """One set, in one condition, by one system."""

    name: str
    language: str
    system: str
    """"rules" with the trained intents, "phrases" without, "keywords"."""
    condition: Condition
    n: int
    per_rule: dict[str, RuleScore]
    alarms: float | None
    """Share of the texts that want nothing on which one of these rules fired; None where there are none."""


class CallScore(msgspec.Struct, frozen=True, kw_only=True):
    """A sample call, by what was truly said and the moods of its script."""

    name: str
    turns: int
    due: int
    right: int
    """Of those due, shown at a turn at which they may come."""
    shown: int
    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    """Shown without being due, as "rule@turn"."""


class ExampleScore(msgspec.Struct, frozen=True, kw_only=True):
    """All examples of the playbook."""

    rules: int
    fires: int
    fired: int
    silent: int
    kept_silent: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench advice --json`` prints."""

    environment: Environment
    playbook: str
    weights: str
    error_rate: float
    """Of "heard": characters or words that come out wrong."""
    examples: ExampleScore
    calls: tuple[CallScore, ...]
    sets: tuple[RuleSet, ...]


class _Due(NamedTuple):
    rule: str
    turns: frozenset[int]


def call_score(name: str, turns: int, shown: Sequence[tuple[str, int]], due: Sequence[_Due]) -> CallScore:
    """
    What was shown against what is due.

    Args:
        shown: Rule and turn, from 1; 0 for the end of the call.
    """
    right = [one for one in due if any(rule == one.rule and turn in one.turns for rule, turn in shown)]
    good = {(one.rule, turn) for one in due for turn in one.turns}
    return CallScore(
        name=name,
        turns=turns,
        due=len(due),
        right=len(right),
        shown=len(shown),
        missed=tuple(one.rule for one in due if one not in right),
        wrong=tuple(f"{rule}@{turn}" for rule, turn in shown if (rule, turn) not in good),
    )


def _call(playbook: Playbook, name: str) -> CallScore:
    call = parse.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    assistant, state = Assistant(playbook), None
    shown: list[tuple[str, int]] = []
    end = CallEnded(call_id=name, duration_ms=round(call["seconds"] * 1000), reason="hangup")
    numbers = dict.fromkeys(Channel, 0)
    for at, turn in enumerate([*call["turns"], None], start=1):
        event: Event = end
        if turn is not None:
            channel = Channel(turn["speaker"])
            event = FinalEvent(call_id=name, utterance=_turn(turn, call["language"], channel, numbers[channel]))
            numbers[channel] += 1
        state, told = assistant.step(state, event)
        shown += [
            (each.rule, 0 if turn is None else at) for each in told if isinstance(each, Card) and not each.provisional
        ]
    with (_DATA / "advice_calls.csv").open(encoding="utf-8", newline="") as lines:
        due = [
            _Due(line["rule"], frozenset(map(int, line["turns"].split(";"))))
            for line in csv.DictReader(lines)
            if line["call"] == name
        ]
    return call_score(name, len(call["turns"]), shown, due)


def _turn(turn: dict[str, object], language: str, channel: Channel, number: int) -> Utterance:
    mood = str(turn["mood"])
    emotion = Emotion(
        label=EmotionLabel(mood), valence=_VALENCE[mood], arousal=None, agitation=_AGITATION[mood], confidence=0.7
    )
    start, end = (round(float(str(turn[name])) * 1000) for name in ("start", "end"))
    return _utterance(channel, str(turn["text"]), language, start_ms=start, end_ms=end, number=number, emotion=emotion)


def _utterance(
    channel: Channel,
    text: str,
    language: str,
    *,
    start_ms: int = 60_000,
    end_ms: int = 63_000,
    number: int = 5,
    emotion: Emotion | None = None,
    intents: tuple[Intent, ...] = (),
) -> Utterance:
    return Utterance(
        id=f"b:{channel}:{start_ms}",
        channel=channel,
        number=number,
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        language=language,
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=emotion if channel is Channel.CUSTOMER else None,
        loudness_dbfs=None,
        intents=intents,
    )


def _examples(playbook: Playbook) -> ExampleScore:
    fires = [attempt(playbook, rule, one).fired for rule in playbook.rules for one in rule.examples.fires]
    silent = [attempt(playbook, rule, one).fired for rule in playbook.rules for one in rule.examples.silent]
    return ExampleScore(
        rules=len(playbook.rules),
        fires=len(fires),
        fired=sum(fires),
        silent=len(silent),
        kept_silent=silent.count(False),
    )


def customer_says(text: str, language: str, intents: tuple[Intent, ...] = ()) -> Utterance:
    """An utterance in the middle of a call."""
    return _utterance(Channel.CUSTOMER, text, language, intents=intents)


class MeantRules:
    """The rules of a playbook that are meant for intents, each on a customer's utterance alone."""

    def __init__(self, playbook: Playbook, sense: Sense | None = None) -> None:
        competitors = {one.name: one for one in playbook.competitors}
        self._lexicon = Lexicon({one.name: one.aliases for one in playbook.competitors})
        self._sense = sense
        by_id = {rule.id: rule for rule in playbook.rules}
        self._ready = [Ready.of(by_id[name], competitors) for name in MEANT]

    def __call__(
        self, text: str, language: str, intents: tuple[Intent, ...] = (), meaning: Meaning | None = None
    ) -> list[bool]:
        """In the order of ``MEANT``."""
        utterance = customer_says(text, language, intents)
        utterance = msgspec.structs.replace(utterance, meaning=meaning)
        state = hear(CallState(call_id="b"), utterance)
        case = Case(state, utterance.end_ms, 0, utterance, Evidence.of(text, self._lexicon), sense=self._sense)
        return [match(ready, case) is not None for ready in self._ready]


def _intents(model: IntentModel, texts: Sequence[str], language: Literal["zh", "en"]) -> list[tuple[Intent, ...]]:
    rows = [
        row
        for at in range(0, len(texts), _BATCH)
        for row in model.intents(texts[at : at + _BATCH], [language] * len(texts[at : at + _BATCH]))
    ]
    return [tuple(one for one, chance in row.items() if chance >= model.threshold(one, language)) for row in rows]


def measure(one: TextSet, fired: _Bools, *, system: str, condition: Condition) -> RuleSet:
    """
    All figures of a set.

    Args:
        fired: Shape (n, rules), in the order of ``MEANT``.
    """
    per_rule: dict[str, RuleScore] = {}
    for at, (rule, intent) in enumerate(MEANT.items()):
        if intent not in one.known:
            continue
        meant = np.array([intent in row.intents for row in one.rows])
        counts = np.array([tells(rule, row) for row in one.rows])
        if (meant & counts).any():
            per_rule[rule] = _score(meant[counts], fired[counts, at])
    none = np.array([not row.intents and not row.unsure for row in one.rows])
    return RuleSet(
        name=one.name,
        language=one.language,
        system=system,
        condition=condition,
        n=len(one.rows),
        per_rule=per_rule,
        alarms=round(float(fired[none].any(axis=1).mean()), 4) if none.any() else None,
    )


def tells(rule: str, row: Labelled) -> bool:
    """Whether a text tells whether the rule is right."""
    intent = MEANT[rule]
    if intent in row.unsure:
        return False
    return intent in row.intents or not _ALSO.get(rule, frozenset()) & (row.intents | row.unsure)


def _score(meant: _Bools, fired: _Bools) -> RuleScore:
    weights = np.random.default_rng(_SEED).multinomial(len(meant), np.full(len(meant), 1 / len(meant)), size=_RESAMPLED)
    hits, named, wanted = (weights @ part.astype(np.int64) for part in (meant & fired, fired, meant))
    precisions, recalls = hits[named > 0] / named[named > 0], hits[wanted > 0] / wanted[wanted > 0]
    right = int((meant & fired).sum())
    low, high = (float(q) for q in np.percentile(recalls, [2.5, 97.5]))
    span = [float(q) for q in np.percentile(precisions, [2.5, 97.5])] if fired.any() else None
    return RuleScore(
        n=int(meant.sum()),
        of=len(meant),
        precision=round(right / int(fired.sum()), 4) if span else None,
        precision_low=round(span[0], 4) if span else None,
        precision_high=round(span[1], 4) if span else None,
        recall=round(right / int(meant.sum()), 4),
        recall_low=round(low, 4),
        recall_high=round(high, 4),
    )


def _sets(manifest: Sequence[Path], limit: int | None, playbook: Playbook, model: IntentModel) -> list[RuleSet]:
    rules, found = MeantRules(playbook), list[RuleSet]()
    conditions: tuple[Condition, ...] = ("clean", "heard")
    for one in (one for path in manifest for one in read_sets(path, limit)):
        for condition in conditions:
            texts = as_heard(one, condition)
            intents = _intents(model, texts, one.language)
            systems = {
                "rules": [rules(text, one.language, wants) for text, wants in zip(texts, intents, strict=True)],
                "phrases": [rules(text, one.language, ()) for text in texts],
                "keywords": [[keywords.said(rule, text) for rule in MEANT] for text in texts],
            }
            found += [
                measure(one, np.array(fired), system=system, condition=condition) for system, fired in systems.items()
            ]
    return found


def run(manifest: Sequence[Path], *, limit: int | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    settings, playbook = settings_of({}), load()
    place = locate("multilingual-e5-small", directory=settings.weights, cache=settings.home / "weights")
    model = IntentModel(SHIPPED, Embedding(place))
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += f" --limit {limit}" if limit else ""
    result = Result(
        environment=environment(f"warmline bench advice{options}", ("numpy", "onnxruntime")),
        playbook=playbook.source,
        weights=model.notes["version"],
        error_rate=RATE,
        examples=_examples(playbook),
        calls=tuple(_call(playbook, name) for name in _CALLS),
        sets=tuple(_sets(manifest, limit, playbook, model)),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    for call in result.calls:
        console.print(
            f"{call.name}: {call.right} of {call.due} due, {len(call.wrong)} of {call.shown} shown were not due "
            f"{' '.join(call.wrong)}"
        )
    table = Table(title="Rules of the default playbook")
    for heading in ("set", "rule", "by", "text", "n", "precision", "recall"):
        table.add_column(heading, no_wrap=True)
    for one in result.sets:
        for rule, score in one.per_rule.items():
            precision = "-" if score.precision is None else f"{score.precision:.2f}"
            table.add_row(one.name, rule, one.system, one.condition, str(score.n), precision, f"{score.recall:.2f}")
    console.print(table)
