"""Rules against one more utterance: cards, and what the rules remember."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec

from agent_assist.advice.match import Found, find, find_name, normalise
from agent_assist.advice.playbook import AgitationLevel, Competitor, Phrases, Playbook, Rule
from agent_assist.call.state import Agitation, CallState, Said
from agent_assist.types import Card
from audio.types import Channel
from models.churn import Signal
from models.types import EmotionLabel, Utterance

_LOOK_BACK = 4
"""Utterances of one speaker that are taken together."""


class Advice(NamedTuple):
    """What the rules make of an utterance."""

    state: CallState
    cards: list[Card]
    failed: list[str]
    """Rules that could not be run: not the same as rules that did not match."""


class _Match(NamedTuple):
    """Why a rule fires."""

    key: str
    """What it fires once for."""
    trigger: tuple[str, ...] = ()
    name: str = ""
    competitor: Competitor | None = None


def evaluate(playbook: Playbook, state: CallState, utterance: Utterance) -> Advice:
    """
    Try all rules on an utterance that the state has just taken in.

    Returns:
        Each card once: what a rule has fired for is remembered in the state.
    """
    text = normalise(utterance.text)
    cards: list[Card] = []
    failed: list[str] = []
    said: set[str] = set()
    if utterance.channel is Channel.CUSTOMER:
        said = _signals(playbook, text)
        state = _track(playbook, state, utterance)
    for rule in playbook.rules:
        if rule.speaker is not utterance.channel:
            continue
        try:
            matched = _match(rule, playbook, state, utterance, text)
        except Exception:
            failed.append(rule.id)
            continue
        if matched is None:
            continue
        if rule.signal is not None and matched.trigger:
            said.add(rule.signal)
        if rule.agitation is not None:
            state = msgspec.structs.replace(state, agitation=msgspec.structs.replace(state.agitation, armed=False))
        elif matched.key in state.fired:
            continue
        state = msgspec.structs.replace(state, fired=state.fired | {matched.key: utterance.end_ms})
        cards.append(_card(rule, playbook, state, utterance, matched))
    if utterance.channel is Channel.CUSTOMER:
        state = _heed(state, said)
    return Advice(state, cards, failed)


def _match(rule: Rule, playbook: Playbook, state: CallState, utterance: Utterance, text: str) -> _Match | None:
    if not _in_window(rule, utterance) or _any(rule.unless, text) is not None:
        return None
    matched = _Match(rule.id)
    if rule.agitation is not None:
        return matched if _agitated(rule.agitation, state.agitation) else None
    if rule.phrases or rule.competitors:
        found = _any(rule.phrases, text)
        named = next(_named(playbook, text), None) if rule.competitors else None
        if named is not None:
            found, competitor = named
            key = f"{rule.id}:{competitor.name}" if rule.once == "name" else rule.id
            matched = _Match(key, (found.text,), competitor.name, competitor)
        elif found is not None:
            matched = _Match(rule.id, (found.text,))
        else:
            return None
    if rule.all_of:
        together = " ".join([*(normalise(said.text) for said in _lately(state, rule.speaker))])
        groups = [_any(group, together) for group in rule.all_of]
        if any(found is None for found in groups):
            return None
        matched = matched._replace(trigger=tuple(found.text for found in groups if found is not None))
    return matched if not rule.emotions else _feels(rule, state, utterance, matched)


def _in_window(rule: Rule, utterance: Utterance) -> bool:
    window = rule.window
    return (window.first is None or utterance.number < window.first) and (
        window.after_ms is None or utterance.end_ms >= window.after_ms
    )


def _any(phrases: Phrases, text: str) -> Found | None:
    """The first phrase of any language that stands in the text."""
    for group in phrases.values():
        for phrase in group:
            found = find(text, phrase)
            if found is not None:
                return found
    return None


def _named(playbook: Playbook, text: str) -> Iterator[tuple[Found, Competitor]]:
    for competitor in playbook.competitors:
        for name in (competitor.name, *competitor.aliases):
            found = find_name(text, name)
            if found is not None:
                yield found, competitor
                break


def _lately(state: CallState, speaker: Channel) -> list[Said]:
    return [said for said in state.recent if said.channel is speaker][-_LOOK_BACK:]


def _feels(rule: Rule, state: CallState, utterance: Utterance, matched: _Match) -> _Match | None:
    emotion = utterance.emotion
    if emotion is None or emotion.label not in rule.emotions or emotion.confidence < rule.least_confidence:
        return None
    agent = _lately(state, Channel.AGENT)[-1:]
    if any(_any(rule.unless_agent, normalise(said.text)) is not None for said in agent):
        return None
    return matched._replace(key=f"{rule.id}:{emotion.label}") if rule.once == "emotion" else matched


def track(level: AgitationLevel, agitation: Agitation, utterance: Utterance) -> Agitation:
    """
    The customer's agitation after one more utterance of theirs.

    An utterance whose agitation is not known breaks no row and adds to none.
    """
    known = None if utterance.emotion is None else utterance.emotion.agitation
    if known is None:
        return agitation
    if known >= level.at:
        return Agitation(
            utterances=agitation.utterances + 1,
            speech_ms=agitation.speech_ms + utterance.end_ms - utterance.start_ms,
            armed=agitation.armed,
        )
    return Agitation(armed=agitation.armed or known < level.rearm)


def _agitated(level: AgitationLevel, agitation: Agitation) -> bool:
    return agitation.armed and (agitation.utterances >= level.utterances or agitation.speech_ms >= level.speech_ms)


def _track(playbook: Playbook, state: CallState, utterance: Utterance) -> CallState:
    level = next((rule.agitation for rule in playbook.rules if rule.agitation is not None), None)
    if level is None:
        return state
    return msgspec.structs.replace(state, agitation=track(level, state.agitation, utterance))


def _signals(playbook: Playbook, text: str) -> set[str]:
    """Which signals the words of the customer give."""
    return {
        signal
        for signal, phrases in playbook.signals.items()
        if _any(phrases, text) is not None and _any(playbook.unless.get(signal, {}), text) is None
    }


def _heed(state: CallState, said: set[str]) -> CallState:
    """Tell the churn features which signals this customer utterance gave."""
    features = state.features
    names = ("cancel", "competitor", "refund", "complaint", "repeat_contact", "price", "saved", "satisfied")
    signals: dict[str, Signal] = {name: getattr(features, name).after(said=name in said) for name in names}
    raised = said & {"cancel", "refund", "complaint", "repeat_contact"}
    unresolved = bool(raised) or (features.unresolved and not said & {"saved", "satisfied"})
    return msgspec.structs.replace(state, features=msgspec.structs.replace(features, **signals, unresolved=unresolved))


def _card(rule: Rule, playbook: Playbook, state: CallState, utterance: Utterance, matched: _Match) -> Card:
    language = state.language
    label = EmotionLabel.UNKNOWN if utterance.emotion is None else utterance.emotion.label
    text = _in(rule.by_emotion.get(label) or rule.text, language)
    if matched.competitor is not None and matched.competitor.advantages:
        text = f"{text} {_in(matched.competitor.advantages, language)}"
    fills = {
        "name": matched.name or _in({"zh": "其他商家", "en": "another provider"}, language),
        "customer_name": state.customer_name or _in({"zh": "客户", "en": "the customer"}, language),
        "emotion": label.value,
        "words": "、".join(matched.trigger) if language == "zh" else ", ".join(matched.trigger),
    }
    return Card(
        id=f"{state.call_id}:{rule.id}:{utterance.id}",
        call_id=state.call_id,
        rule=rule.id,
        kind=rule.kind,
        title=_fill(_in(rule.title, language), fills),
        text=_fill(text, fills).strip(),
        at_ms=utterance.end_ms,
        utterance_id=utterance.id,
        priority=rule.priority,
        language=language,
        reason=_fill(_in(rule.reason, language), fills),
        trigger=matched.trigger,
        source=playbook.source,
    )


def _in(texts: Mapping[Literal["zh", "en"], str], language: str) -> str:
    wanted = texts.get("zh" if language == "zh" else "en")
    return wanted or next(iter(texts.values()), "")


def _fill(text: str, fills: dict[str, str]) -> str:
    for name, value in fills.items():
        text = text.replace(f"{{{name}}}", value)
    return text
