"""What is wrong with a playbook beside its shape: examples, conflicts, rules that never fire; what each rule costs."""

import re
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from agent_assist.advice.conditions import Example, Phrases
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.examples import attempt
from agent_assist.advice.flow import Flow
from agent_assist.advice.matching import Case, Ready, match
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.rule import Rule
from agent_assist.advice.sense import Sense
from agent_assist.call.state import CallState, hear
from audio.types import Channel
from models.churn import CallFeatures
from models.types import Utterance

Kind = Literal["example", "conflict", "unreachable", "untried"]

_ACTION: Final = frozenset(
    {"id", "name", "title", "text", "reason", "by_emotion", "emotion_reason", "examples", "signal"}
    | {"kind", "priority", "due_hours", "webhook", "compliance", "offer", "topics", "early", "once", "cooldown_ms"}
)
"""Fields that say what a rule does and how often, not when."""
_CHOICE: Final = re.compile(r"\(([^()|]*)(?:\|[^()]*)?\)")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong."""

    rule: str
    kind: Kind
    """"untried" is a hint: a rule without an example that fires."""
    message: str


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Time that a rule takes."""

    rule: str
    us: float
    """For an utterance of its speaker, the mean over the sentences that it is tried on."""


def check(playbook: Playbook, sense: Sense | None = None) -> list[Finding]:
    """
    All that is found, in the order of the rules.

    Args:
        sense: What the playbook's sentences mean; without it examples of rules that ask for that cannot be run.
    """
    found = [each for rule in playbook.rules for each in _of_rule(playbook, rule, sense)]
    return [*found, *_conflicts(playbook.rules), *_of_flows(playbook.flows)]


def _of_flows(flows: Sequence[Flow]) -> Iterator[Finding]:
    """Flows that no call follows, since one before them fits always."""
    for earlier, flow in pairwise(flows):
        if earlier.profile is None:
            message = f"expected a flow before one that fits always, got it after {earlier.id}"
            yield Finding(rule=flow.id, kind="unreachable", message=message)
            return


def _of_rule(playbook: Playbook, rule: Rule, sense: Sense | None) -> Iterator[Finding]:
    for fires, examples in ((True, rule.examples.fires), (False, rule.examples.silent)):
        for example in examples:
            yield from _wrong(playbook, rule, example, sense, fires=fires)
    if not rule.examples.fires:
        yield Finding(rule=rule.id, kind="untried", message="expected an example that fires, got none")
    for message in _unreachable(rule):
        yield Finding(rule=rule.id, kind="unreachable", message=message)


def _wrong(playbook: Playbook, rule: Rule, example: Example, sense: Sense | None, *, fires: bool) -> Iterator[Finding]:
    shown = example.said if isinstance(example.said, str) else " / ".join(example.said)
    try:
        tried = attempt(playbook, rule, example, sense)
    except ValueError as error:
        yield Finding(rule=rule.id, kind="example", message=str(error))
        return
    if tried.failed:
        yield Finding(rule=rule.id, kind="example", message=f"expected a rule that can be run, got: {tried.failed}")
    elif tried.fired is not fires:
        wanted, got = ("it to fire", "silence") if fires else ("silence", "it to fire")
        yield Finding(rule=rule.id, kind="example", message=f"expected {wanted}, got {got} on {shown!r}")


def _unreachable(rule: Rule) -> Iterator[str]:
    """Why a rule can never fire."""
    words = [phrase for group in (rule.phrases, *rule.all_of) for phrases in group.values() for phrase in phrases]
    needs_words = bool(words) and not (rule.either or rule.competitors or rule.customer_name or rule.not_said)
    if needs_words and (rule.unless or rule.not_within):
        own = [text for phrase in words if (text := sample(phrase)) is not None]
        barred = [text for text in own if _bars(rule.unless, text) or _within(rule.not_within, text)]
        if own and len(own) == len(words) and len(barred) == len(own):
            yield "expected phrases beside those of unless and not_within, got none"
    groups = (rule.phrases, *rule.all_of)
    if rule.languages and needs_words and not any(group.get(each) for group in groups for each in rule.languages):
        yield f"expected phrases in {', '.join(rule.languages)}, got none"
    first = rule.window.first
    if first is not None and first < 1:
        yield f"expected a window of at least 1 utterance, got {first}"
    if rule.emotions and rule.least_confidence > 1:
        yield f"expected a confidence up to 1, got {rule.least_confidence:g}"
    if rule.hits is not None and first is not None and first < rule.hits.at_least:
        yield f"expected a window of at least {rule.hits.at_least} utterances for so many hits, got {first}"


def _bars(phrases: Phrases, text: str) -> bool:
    return bool(Evidence.of(text, _NOBODY).find(phrases, denied=True))


def _within(phrases: Phrases, text: str) -> bool:
    """Whether a phrase covers the text."""
    evidence = Evidence.of(text, _NOBODY)
    size = len(evidence.text.spoken.tokens)
    return any(found.start == 0 and found.end == size for found in evidence.find(phrases, denied=True))


_NOBODY: Final = Lexicon({})


def sample(phrase: str) -> str | None:
    """Words in which a phrase stands, the shortest that are easily made; None of a regular expression."""
    if phrase.startswith("re:"):
        return None
    han = re.search(r"[㐀-鿿]", phrase) is not None
    text = phrase.replace("{n}", "三" if han else "three").replace("{ordinal}", "third").replace("{name}", "x")
    text = re.sub(r"\[[^\[\]]*\]", "" if han else " ", text)
    while (shorter := _CHOICE.sub(r"\1", text)) != text:
        text = shorter
    return " ".join(text.replace("*", " ").split())


def _conflicts(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Pairs of rules that cannot both be meant."""
    titles: dict[tuple[str, str], str] = {}
    asked: dict[bytes, str] = {}
    barred: dict[bytes, str] = {}
    for rule in rules:
        for title in sorted(rule.title.items()) if rule.kind == "tick" else ():
            if (other := titles.setdefault(title, rule.id)) != rule.id:
                message = f"expected each tick with a title of its own, got {title[1]!r} of {other}, too"
                yield Finding(rule=rule.id, kind="conflict", message=message)
                break
        if (other := asked.setdefault(msgspec.json.encode(_asks(rule)), rule.id)) != rule.id:
            message = f"expected a condition of its own, got all those of {other}"
            yield Finding(rule=rule.id, kind="conflict", message=message)
        if rule.phrases and rule.unless:
            if _key(rule, rule.unless, rule.phrases) in barred:
                other = barred[_key(rule, rule.unless, rule.phrases)]
                message = (
                    f"expected rules that do not bar each other, got unless and phrases of {other} the other way round"
                )
                yield Finding(rule=rule.id, kind="conflict", message=message)
            barred[_key(rule, rule.phrases, rule.unless)] = rule.id


def _key(rule: Rule, phrases: Phrases, unless: Phrases) -> bytes:
    return msgspec.json.encode((rule.speaker, phrases, unless), order="deterministic")


def _asks(rule: Rule) -> dict[str, object]:
    """When a rule fires."""
    return {name: value for name, value in msgspec.structs.asdict(rule).items() if name not in _ACTION}


def costs(
    playbook: Playbook, texts: Sequence[tuple[str, str]], sense: Sense | None = None, *, rounds: int = 5
) -> list[Cost]:
    """
    What each rule takes, the slowest first.

    Args:
        texts: Language and words.
        sense: What the playbook's sentences mean. To compare an utterance with all of them is counted in each rule that
            asks for it, though all such rules share it.
        rounds: Of which the fastest counts: what else the machine does costs time, too.
    """
    competitors = {competitor.name: competitor for competitor in playbook.competitors}
    lexicon = Lexicon({competitor.name: competitor.aliases for competitor in playbook.competitors})
    cases = {
        channel: [[_case(channel, *text, lexicon, sense, late=late) for text in texts] for late in (False, True)]
        for channel in Channel
    }
    found: list[Cost] = []
    for rule in playbook.rules:
        ready = Ready.of(rule, competitors)
        tried = cases[rule.speaker or Channel.CUSTOMER]
        # Early or late in the call, where a window lets it look.
        best = max(min(_time(ready, these) for _ in range(rounds)) for these in tried)
        found.append(Cost(rule=rule.id, us=round(best / len(texts) * 1e6, 1)))
    return sorted(found, key=lambda cost: (-cost.us, cost.rule))


def _time(ready: Ready, cases: Sequence[Case]) -> float:
    begun = time.perf_counter()
    for case in cases:
        case.forget()
        try:
            match(ready, case)
        except Exception:  # noqa: S112 - told by the examples; here only its time counts
            continue
    return time.perf_counter() - begun


def _case(channel: Channel, language: str, text: str, lexicon: Lexicon, sense: Sense | None, *, late: bool) -> Case:
    start = 600_000 if late else 0
    utterance = Utterance(
        id="c:0",
        channel=channel,
        number=50 if late else 0,
        start_ms=start,
        end_ms=start + 3_000,
        text=text,
        language=language,
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
        meaning=None if sense is None else sense.meaning(text),
    )
    features = CallFeatures(customer_utterances=50 if late else 0)
    state = hear(CallState(call_id="c", features=features), utterance)
    return Case(state, utterance.end_ms, 0, utterance, Evidence.of(text, lexicon), sense=sense)
