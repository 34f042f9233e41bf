"""Rules against one more utterance: cards, and what the rules remember."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from agent_assist.advice.agitation import agitated, track
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.names import Lexicon
from agent_assist.advice.phrases import Found
from agent_assist.advice.playbook import Competitor, Phrases, Playbook, Rule
from agent_assist.advice.playbook import Signal as SignalName
from agent_assist.call.state import CallState, Said
from agent_assist.types import Card
from audio.types import Channel
from models.churn import Signal
from models.types import EmotionLabel, Utterance

_CUT_MS: Final = 1_200
"""Pause up to which a sentence may go on; endpointing cuts at half a second."""
_JUST_NOW_MS: Final = 20_000
"""How long what the agent has said need not be said again."""
_TOGETHER_MS: Final = 60_000
"""Time within which the steps of one rule belong together."""
_SURE: Final = 0.5
"""Confidence from which a satisfied voice counts as words of satisfaction do."""
_ISSUES: Final = frozenset({"cancel", "refund", "complaint", "repeat_contact"})
"""What leaves a call unresolved until the customer is content."""


class Advice(NamedTuple):
    """What the rules make of an utterance."""

    state: CallState
    cards: list[Card]
    failed: dict[str, str]
    """Rules that could not be run, each with the kind of error: not the same as rules that did not match."""


class _Match(NamedTuple):
    """Why a rule fires."""

    keys: tuple[str, ...]
    """What it fires once for."""
    trigger: tuple[str, ...] = ()
    competitors: tuple[Competitor, ...] = ()
    label: EmotionLabel | None = None
    """The emotion, where that is the reason."""


class _Case(NamedTuple):
    """What a rule looks at."""

    state: CallState
    utterance: Utterance
    evidence: Evidence


class Rules:
    """A playbook made ready; keeps nothing of any call."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._competitors = {competitor.name: competitor for competitor in playbook.competitors}
        self._lexicon = Lexicon({competitor.name: competitor.aliases for competitor in playbook.competitors})
        self._level = next((rule.agitation for rule in playbook.rules if rule.agitation is not None), None)

    def evaluate(self, state: CallState, utterance: Utterance) -> Advice:
        """
        Try all rules on an utterance that the state has just taken in.

        Returns:
            Each card once: what a rule has fired for is remembered in the state.
        """
        evidence = Evidence.of(utterance.text, self._lexicon, before=_before(state, utterance))
        cards: list[Card] = []
        failed: dict[str, str] = {}
        said: set[SignalName] = set()
        of_customer = utterance.channel is Channel.CUSTOMER
        if of_customer:
            said = self._signals(evidence)
            if _sounds_satisfied(utterance):
                said.add("satisfied")
            if self._level is not None:
                state = msgspec.structs.replace(state, agitation=track(self._level, state.agitation, utterance))
        for rule in self._playbook.rules:
            if rule.speaker is not utterance.channel:
                continue
            try:
                match = self._match(rule, _Case(state, utterance, evidence))
                if match is None:
                    continue
                if rule.signal is not None:
                    said.add(rule.signal)
                if not (keys := _unfired(rule, match, state)):
                    continue
                cards.append(self._card(rule, state, utterance, match))
            # Rules are the operator's data: one that cannot be run must not silence the others, nor the call.
            except Exception as error:
                failed[rule.id] = type(error).__name__
                continue
            state = _remember(rule, keys, state, utterance)
        return Advice(_heed(state, said) if of_customer else state, cards, failed)

    def _match(self, rule: Rule, case: _Case) -> _Match | None:
        if not _in_window(rule, case) or case.evidence.find(rule.unless, denied=True):
            return None
        if rule.agitation is not None:
            return _Match((rule.id,)) if agitated(rule.agitation, case.state.agitation) else None
        if rule.all_of:
            return _together(rule, case)
        feeling = _feeling(rule, case)
        wording = self._wording(rule, case.evidence)
        if rule.emotions and not (feeling if feeling is not None else rule.either and wording is not None):
            return None
        if (rule.phrases or rule.competitors) and not (wording is not None or (rule.either and feeling is not None)):
            return None
        if rule.unless_agent and _agent_said(rule, case):
            return None
        match = wording or _Match((rule.id,))
        if feeling is None:
            return match
        key = f"{rule.id}:{feeling}" if rule.once == "emotion" or feeling in rule.yields else rule.id
        return match._replace(keys=(key,), label=feeling)

    def _wording(self, rule: Rule, evidence: Evidence) -> _Match | None:
        if rule.competitors:
            named = {Found(place, place + 1): self._competitors[hit.name] for place, hit in evidence.names}
            left = evidence.outside(named, rule.not_within)
            if left:
                competitors = tuple(dict.fromkeys(named[found].name for found in left))
                keys = tuple(f"{rule.id}:{name}" if rule.once == "name" else rule.id for name in competitors)
                return _Match(
                    keys,
                    tuple(dict.fromkeys(evidence.heard(found) for found in left)),
                    tuple(self._competitors[name] for name in competitors),
                )
        found = evidence.outside(evidence.find(rule.phrases), rule.not_within)
        return _Match((rule.id,), (evidence.heard(found[0]),)) if found else None

    def _signals(self, evidence: Evidence) -> set[SignalName]:
        """Which signals the words of the customer give, beside those of the rules."""
        return {
            signal
            for signal, phrases in self._playbook.signals.items()
            if evidence.outside(evidence.find(phrases), self._playbook.unless.get(signal, {}))
        }

    def _card(self, rule: Rule, state: CallState, utterance: Utterance, match: _Match) -> Card:
        language = state.language
        chinese = language == "zh"
        # Names for which the card was shown before are left out.
        new = [each for each in match.competitors if f"{rule.id}:{each.name}" not in state.fired]
        by_emotion = None if match.label is None else rule.by_emotion.get(match.label)
        texts = [_in(by_emotion or rule.text, language)]
        texts += [_in(each.advantages, language).replace("{name}", each.name) for each in new]
        fills = {
            "name": ("、" if chinese else ", ").join(each.name for each in new)
            or ("其他商家" if chinese else "another provider"),
            "customer_name": state.customer_name or ("客户" if chinese else "the customer"),
            "emotion": _FEELINGS[match.label][0 if chinese else 1] if match.label is not None else "",
            "words": ("、" if chinese else ", ").join(match.trigger),
        }
        reason = rule.reason if match.label is None else rule.emotion_reason or rule.reason
        return Card(
            id=f"{state.call_id}:{rule.id}:{utterance.id}",
            call_id=state.call_id,
            rule=rule.id,
            kind=rule.kind,
            title=_in(rule.title, language).format_map(fills),
            text=" ".join(text.format_map(fills) for text in texts if text),
            at_ms=utterance.end_ms,
            utterance_id=utterance.id,
            priority=rule.priority,
            language=language,
            reason=_in(reason, language).format_map(fills),
            trigger=match.trigger,
            source=self._playbook.source,
        )


_FEELINGS: Final = {
    EmotionLabel.NEUTRAL: ("平静", "calm"),
    EmotionLabel.SATISFIED: ("满意", "satisfied"),
    EmotionLabel.ANGRY: ("生气", "angry"),
    EmotionLabel.ANXIOUS: ("焦虑", "anxious"),
    EmotionLabel.DISAPPOINTED: ("失望", "disappointed"),
    EmotionLabel.UNKNOWN: ("不明", "unknown"),
}


def _unfired(rule: Rule, match: _Match, state: CallState) -> tuple[str, ...]:
    """Of what the rule fires once for, that which is new."""
    if rule.once == "episode":
        return match.keys
    # Without a name, a talk track adds nothing to one that was shown with a name; nor does a mild one to a strong one.
    vague = rule.once == "name" and not match.competitors
    if (vague or match.label in rule.yields) and any(key.split(":")[0] == rule.id for key in state.fired):
        return ()
    return tuple(key for key in match.keys if key not in state.fired)


def _remember(rule: Rule, keys: tuple[str, ...], state: CallState, utterance: Utterance) -> CallState:
    if rule.agitation is not None:
        state = msgspec.structs.replace(state, agitation=msgspec.structs.replace(state.agitation, armed=False))
    return msgspec.structs.replace(state, fired=state.fired | dict.fromkeys(keys, utterance.end_ms))


def _in_window(rule: Rule, case: _Case) -> bool:
    window, utterance = rule.window, case.utterance
    return (
        (window.first is None or utterance.number < window.first)
        and (window.after_ms is None or utterance.end_ms >= window.after_ms)
        and case.state.features.customer_utterances >= window.after_customer
    )


def _together(rule: Rule, case: _Case) -> _Match | None:
    """All the steps of a rule, over its speaker's last utterances; the last of them in this one."""
    now = [case.evidence.find(group) for group in rule.all_of]
    if not any(now):
        return None
    begin = case.utterance.end_ms - _TOGETHER_MS
    earlier = [
        said.text
        for said in case.state.recent
        if said.channel is rule.speaker and said.id != case.utterance.id and said.end_ms >= begin
    ]
    trigger: list[str] = []
    for group, found in zip(rule.all_of, now, strict=True):
        heard = case.evidence.heard(found[0]) if found else _earlier(group, earlier)
        if heard is None:
            return None
        trigger.append(heard)
    return _Match((rule.id,), tuple(trigger))


def _earlier(phrases: Phrases, texts: list[str]) -> str | None:
    for text in reversed(texts):
        evidence = Evidence.of(text, _NO_NAMES)
        if found := evidence.find(phrases):
            return evidence.heard(found[0])
    return None


_NO_NAMES: Final = Lexicon({})


def _feeling(rule: Rule, case: _Case) -> EmotionLabel | None:
    emotion = case.utterance.emotion
    if emotion is None or emotion.label not in rule.emotions or emotion.confidence < rule.least_confidence:
        return None
    return emotion.label


def _agent_said(rule: Rule, case: _Case) -> bool:
    since = case.utterance.start_ms - _JUST_NOW_MS
    return any(
        Evidence.of(said.text, _NO_NAMES).find(rule.unless_agent)
        for said in case.state.recent
        if said.channel is Channel.AGENT and said.end_ms >= since
    )


def _sounds_satisfied(utterance: Utterance) -> bool:
    emotion = utterance.emotion
    return emotion is not None and emotion.label is EmotionLabel.SATISFIED and emotion.confidence >= _SURE


def _before(state: CallState, utterance: Utterance) -> str:
    """What the speaker said directly before, where the sentence may go on."""
    own = [said for said in state.recent if said.channel is utterance.channel and said.id != utterance.id]
    last: Said | None = own[-1] if own else None
    return last.text if last is not None and utterance.start_ms - last.end_ms <= _CUT_MS else ""


def _heed(state: CallState, said: set[SignalName]) -> CallState:
    """Tell the churn features which signals this customer utterance gave."""
    features = state.features
    signals: dict[str, Signal] = {name: getattr(features, name).after(said=name in said) for name in _SIGNALS}
    unresolved = bool(said & _ISSUES) or (features.unresolved and not said & {"saved", "satisfied"})
    return msgspec.structs.replace(state, features=msgspec.structs.replace(features, **signals, unresolved=unresolved))


_SIGNALS: Final[tuple[SignalName, ...]] = get_args(SignalName)


def _in(texts: Mapping[Literal["zh", "en"], str], language: str) -> str:
    wanted = texts.get("zh" if language == "zh" else "en")
    return wanted or next(iter(texts.values()), "")
