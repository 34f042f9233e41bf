"""Whether a rule is met by an utterance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from agent_assist.advice.agitation import agitated
from agent_assist.advice.conditions import Measure, Phrases
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.names import Lexicon, forms
from agent_assist.advice.phrases import Found
from agent_assist.advice.playbook import Competitor
from agent_assist.advice.profile import ProfileCondition
from agent_assist.advice.rule import Rule
from agent_assist.advice.sense import Compared, Sense
from agent_assist.call.measures import Span, Totals, sweep
from agent_assist.call.state import CallState
from agent_assist.errors import MeaningMissing
from agent_assist.types import Measures
from audio.types import Channel
from models.types import ChurnRisk, EmotionLabel, Utterance

_JUST_NOW_MS: Final = 20_000
"""How long what the agent has said need not be said again."""
_TOGETHER_MS: Final = 60_000
"""Time within which the steps of one rule belong together."""
_SHOWN: Final = 80
"""Characters of an utterance that is told as what gave rise to a card, where no words of it did."""
_NO_NAMES: Final = Lexicon({})


class Match(NamedTuple):
    """Why a rule fires."""

    keys: tuple[str, ...]
    """What it fires once for."""
    trigger: tuple[str, ...] = ()
    competitors: tuple[Competitor, ...] = ()
    label: EmotionLabel | None = None
    """The emotion, where that is the reason."""
    measure: str = ""
    """The first measure that was asked for, as a person reads it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A rule, prepared."""

    rule: Rule
    competitors: Mapping[str, Competitor]
    profile: ProfileCondition | None = None

    @classmethod
    def of(cls, rule: Rule, competitors: Mapping[str, Competitor]) -> "Ready":
        profile = None if rule.profile is None else ProfileCondition(rule.profile)
        return cls(rule, competitors, profile)


@dataclass(slots=True, eq=False)
class Case:
    """What rules look at: the call, and an utterance of it; or the call alone, at its end."""

    state: CallState
    """The utterance is in it."""
    now_ms: int
    silence_ms: int
    """Before the utterance, or before the end."""
    utterance: Utterance | None = None
    evidence: Evidence | None = None
    risk: ChurnRisk | None = None
    ended: bool = False
    sense: Sense | None = None
    """What sentences mean; None where there is nothing that could tell."""
    _compared: Compared | None = None
    _measures: Measures | None = None
    _known: dict[str, Any] | None = None

    @property
    def measures(self) -> Measures:
        """Of the call up to now."""
        if self._measures is None:
            self._measures = self.state.talk.measures(self.now_ms if self.ended else None)
        return self._measures

    @property
    def compared(self) -> Compared:
        """
        The utterance beside the playbook's sentences.

        Raises:
            MeaningMissing: If nothing is known of its meaning.
        """
        if self._compared is None:
            assert self.utterance is not None
            if self.sense is None:
                raise MeaningMissing(self.utterance.id, "a playbook without an embedding")
            self._compared = self.sense.hear(self.utterance)
        return self._compared

    def forget(self) -> None:
        """Forget the comparison, so that the next rule that asks makes it again: for who measures that."""
        self._compared = None

    @property
    def known(self) -> dict[str, Any]:
        """What profile conditions see; what is not known is not there."""
        if self._known is None:
            self._known = known_of(self.state)
        return self._known


def match(ready: Ready, case: Case) -> Match | None:
    """Why a rule is met by the case's utterance, and by the call up to it; None where it is not."""
    found = said(ready, case)
    return _with_measure(ready.rule, found, case) if found is not None and holds(ready, case) else None


def said(ready: Ready, case: Case) -> Match | None:
    """Why a rule is met by what the utterance says, and how; None where it is not."""
    rule, utterance, evidence = ready.rule, case.utterance, case.evidence
    assert utterance is not None
    assert evidence is not None
    if not _in_time(rule, case) or (rule.languages and utterance.language not in rule.languages):
        return None
    if rule.agitation is not None and not agitated(rule.agitation, case.state.agitation):
        return None
    found = _told(ready, case, utterance, evidence)
    if found is None or (rule.unless and evidence.find(rule.unless, denied=True)):
        return None
    return None if rule.unless_agent and _agent_said(rule, case, utterance) else found


def holds(ready: Ready, case: Case) -> bool:
    """Whether the conditions on the call as a whole hold: measures, risk, profile."""
    rule = ready.rule
    if not all(measure.holds(value(measure, case)) for measure in rule.measures):
        return False
    if rule.risk is not None and not rule.risk.holds(case.risk):
        return False
    return ready.profile is None or ready.profile.holds(case.known)


def unmet(ready: Ready, case: Case) -> list[str]:
    """
    What of a rule the case's utterance does not meet, for who asks why it is silent.

    Returns:
        Of "language", "window", "agitation", "words", "like", "intents", "emotions", "unless", "unless_agent",
        "measures", "risk" and "profile" those that stand in the way; with ``either`` one of the words, sentences,
        intents and emotions does.

    Raises:
        MeaningMissing: If it asks what the utterance means and nothing is known of that.
    """
    rule, utterance, evidence = ready.rule, case.utterance, case.evidence
    assert utterance is not None
    assert evidence is not None
    worded = bool(rule.phrases or rule.competitors or rule.all_of)
    listens = [
        ("words", worded and _words(ready, case, utterance, evidence) is None),
        ("like", bool(rule.like) and _alike(rule, case, utterance, evidence) is None),
        ("intents", bool(rule.intents) and not any(intent in utterance.intents for intent in rule.intents)),
        ("emotions", bool(rule.emotions) and _feeling(rule, utterance) is None),
    ]
    heard = _told(ready, case, utterance, evidence) is not None
    checks = [
        ("language", bool(rule.languages) and utterance.language not in rule.languages),
        ("window", not _in_time(rule, case)),
        ("agitation", rule.agitation is not None and not agitated(rule.agitation, case.state.agitation)),
        *(() if heard else listens),
        ("unless", bool(rule.unless) and bool(evidence.find(rule.unless, denied=True))),
        ("unless_agent", bool(rule.unless_agent) and _agent_said(rule, case, utterance)),
        ("measures", not all(measure.holds(value(measure, case)) for measure in rule.measures)),
        ("risk", rule.risk is not None and not rule.risk.holds(case.risk)),
        ("profile", ready.profile is not None and not ready.profile.holds(case.known)),
    ]
    return [name for name, missing in checks if missing]


def of_the_call(rule: Rule, case: Case, trigger: tuple[str, ...]) -> Match:
    """Why a rule fires that no utterance has met just now."""
    return _with_measure(rule, Match((rule.id,), trigger), case)


def _with_measure(rule: Rule, found: Match, case: Case) -> Match:
    return found._replace(measure=_read(rule.measures[0], case)) if rule.measures else found


def _told(ready: Ready, case: Case, utterance: Utterance, evidence: Evidence) -> Match | None:
    """What words, sentences, intents and emotions say: all that the rule names, or with ``either`` one of them."""
    rule = ready.rule
    if not rule.listens:
        return Match((rule.id,))
    words = _words(ready, case, utterance, evidence) if rule.worded else None
    feeling = _feeling(rule, utterance) if rule.emotions else None
    wanted = any(intent in utterance.intents for intent in rule.intents) and not (
        words is None and _denied(rule, evidence)
    )
    parts = [(rule.worded, words is not None), (bool(rule.intents), wanted), (bool(rule.emotions), feeling is not None)]
    asked = [there for named, there in parts if named]
    enough, alike = any(asked) if rule.either else all(asked), None
    # What it means is asked only where the others do not decide.
    if rule.like and enough is not rule.either:
        alike = _alike(rule, case, utterance, evidence)
        enough = alike is not None
    if not enough:
        return None
    found = words or alike or Match((rule.id,))
    if wanted and words is None and alike is None:
        found = found._replace(trigger=(utterance.text.strip()[:_SHOWN],))
    if feeling is None:
        return found
    key = f"{rule.id}:{feeling}" if rule.once == "emotion" or feeling in rule.yields else rule.id
    return found._replace(keys=(key,), label=feeling)


def _words(ready: Ready, case: Case, utterance: Utterance, evidence: Evidence) -> Match | None:
    rule = ready.rule
    if rule.all_of:
        steps = _together(rule, case, utterance, evidence)
        if steps is None or not (rule.phrases or rule.competitors or rule.customer_name):
            return steps
        further = _wording(ready, case, evidence)
        return None if further is None else further._replace(trigger=(*further.trigger, *steps.trigger))
    return _wording(ready, case, evidence)


def _wording(ready: Ready, case: Case, evidence: Evidence) -> Match | None:
    rule, known = ready.rule, ready.competitors
    if rule.customer_name and (called := _called(case.state.customer_name, evidence)):
        return Match((rule.id,), (called,))
    if rule.competitors:
        named = {Found(place, place + 1): known[hit.name] for place, hit in evidence.names}
        left = evidence.outside(named, rule.not_within)
        if left:
            competitors = tuple(dict.fromkeys(named[found].name for found in left))
            keys = tuple(f"{rule.id}:{name}" if rule.once == "name" else rule.id for name in competitors)
            return Match(
                keys,
                tuple(dict.fromkeys(evidence.heard(found) for found in left)),
                tuple(known[name] for name in competitors),
            )
    found = evidence.find(rule.phrases)
    if found and rule.not_within:
        found = evidence.outside(found, rule.not_within)
    return Match((rule.id,), (evidence.heard(found[0]),)) if found else None


def _alike(rule: Rule, case: Case, utterance: Utterance, evidence: Evidence) -> Match | None:
    """The clause that means one of the rule's sentences; none in which its words are said and do not count."""
    clauses = case.compared.find(rule.like, rule.unlike, rule.least_likeness)
    if not clauses:
        return None
    counted = set(evidence.find(rule.phrases))
    barred = [found for found in evidence.find(rule.phrases, denied=True) if found not in counted]
    barred += evidence.find(rule.not_within, denied=True)
    spoken = evidence.text.spoken
    before = len(spoken.original) - len(utterance.text)
    for clause in clauses:
        start, end = clause.start + before, clause.end + before
        if not any(spoken.tokens[one.start].start < end and spoken.tokens[one.end - 1].end > start for one in barred):
            return Match((rule.id,), (spoken.original[start:end],))
    return None


def _denied(rule: Rule, evidence: Evidence) -> bool:
    """
    Whether words that the rule listens for are said, but do not count: denied, or within ``not_within``.

    Where words suffice, they have the last word: models of intents read "I do not want to cancel" as a wish to.
    """
    if not rule.either:
        return False
    named = rule.competitors and evidence.names
    return bool(named or evidence.find(rule.phrases, denied=True) or evidence.find(rule.not_within, denied=True))


def _called(name: str | None, evidence: Evidence) -> str:
    """The customer's name, as it was heard; empty where it was not said, or is not known."""
    said = evidence.text.spoken
    hits = _names(name or "").find(said)
    return said.heard(hits[0].start, hits[0].end) if hits else ""


@lru_cache(maxsize=1024)
def _names(name: str) -> Lexicon:
    return Lexicon(dict.fromkeys(forms(name), ()))


def _in_time(rule: Rule, case: Case) -> bool:
    window, utterance = rule.window, case.utterance
    assert utterance is not None
    return (
        (window.first is None or utterance.number < window.first)
        and (window.after_ms is None or utterance.end_ms >= window.after_ms)
        and (window.before_ms is None or utterance.start_ms < window.before_ms)
        and case.state.features.customer_utterances >= window.after_customer
    )


def _together(rule: Rule, case: Case, utterance: Utterance, evidence: Evidence) -> Match | None:
    """All the steps of a rule, over its speaker's last utterances; the last of them in this one."""
    now = [evidence.find(group) for group in rule.all_of]
    if not any(now):
        return None
    begin = utterance.end_ms - _TOGETHER_MS
    earlier = [
        said.text
        for said in case.state.recent
        if said.channel is utterance.channel and said.id != utterance.id and said.end_ms >= begin
    ]
    trigger: list[str] = []
    for group, found in zip(rule.all_of, now, strict=True):
        heard = evidence.heard(found[0]) if found else _earlier(group, earlier)
        if heard is None:
            return None
        trigger.append(heard)
    return Match((rule.id,), tuple(trigger))


def _earlier(phrases: Phrases, texts: list[str]) -> str | None:
    for text in reversed(texts):
        evidence = Evidence.of(text, _NO_NAMES)
        if found := evidence.find(phrases):
            return evidence.heard(found[0])
    return None


def _feeling(rule: Rule, utterance: Utterance) -> EmotionLabel | None:
    emotion = utterance.emotion
    if emotion is None or emotion.label not in rule.emotions or emotion.confidence < rule.least_confidence:
        return None
    return emotion.label


def _agent_said(rule: Rule, case: Case, utterance: Utterance) -> bool:
    since = utterance.start_ms - _JUST_NOW_MS
    return any(
        Evidence.of(said.text, _NO_NAMES).find(rule.unless_agent)
        for said in case.state.recent
        if said.channel is Channel.AGENT and said.end_ms >= since
    )


def value(measure: Measure, case: Case) -> float | None:
    """What a measure of the call is now; None where it is not known."""
    if measure.name == "silence_ms":
        return case.silence_ms
    if measure.last_s is not None:
        return _lately(measure, case)
    measures = case.measures
    of = {None: measures, Channel.AGENT: measures.agent, Channel.CUSTOMER: measures.customer}
    found: float | None = getattr(of[measure.speaker], measure.name)
    return found


def _lately(measure: Measure, case: Case) -> float | None:
    assert measure.last_s is not None
    totals = _recent(case.state.talk.spans, case.now_ms - measure.last_s * 1000)
    if measure.name == "overtalk_ms":
        return totals.overtalk_ms
    agent = measure.speaker is Channel.AGENT
    if measure.name == "talk_share":
        return (totals.agent_ms if agent else totals.customer_ms) / totals.talk_ms if totals.talk_ms else None
    both = totals.agent_interruptions, totals.customer_interruptions
    return sum(both) if measure.speaker is None else both[0 if agent else 1]


def _recent(spans: Iterable[Span], begin: int) -> Totals:
    late = (span for span in spans if span.end_ms > begin)
    return sweep(Totals(), [Span(max(one.start_ms, begin), one.end_ms, one.agent, one.assent) for one in late])


def _read(measure: Measure, case: Case) -> str:
    found = value(measure, case)
    if found is None:
        return ""
    if measure.name.endswith("_ms"):
        return f"{found / 1000:.0f}"
    return f"{found * 100:.0f}" if measure.name == "talk_share" else f"{found:.0f}"


def known_of(state: CallState) -> dict[str, Any]:
    """What profile conditions see of a call."""
    given = state.attributes
    customer = {name.removeprefix("customer_"): text for name, text in given.items() if name.startswith("customer_")}
    customer |= _there(id=state.customer_id, name=state.customer_name)
    call = _there(id=state.call_id, queue=state.queue, agent=state.agent_id, language=state.language)
    return {"customer": customer, "call": {**call, "attributes": given}}


def _there(**fields: str | None) -> dict[str, Any]:
    return {name: text for name, text in fields.items() if text is not None}
