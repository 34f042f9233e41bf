"""Which of the cards that rules give are shown now, later, or not at all."""

from collections.abc import Collection, Iterable
from typing import Final, Literal

import msgspec

from agent_assist.advice.cards import Decided
from agent_assist.advice.playbook import Offers, Playbook
from agent_assist.call.before import OfferBefore, offers_before
from agent_assist.call.state import CallState, Held, Memory
from agent_assist.types import Card, CardKind, Webhook, Withheld
from audio.types import Channel
from models.types import EmotionLabel, Utterance

Shown = Card | Webhook | Withheld
Why = Literal["calm", "mood", "cap", "topic", "consent", "refused", "enough"]

_MINUTE_MS: Final = 60_000
_SURE: Final = 0.5
"""Confidence from which a voice counts as angry."""
_MOST_HELD: Final = 20
_NO_END: Final = 1_000_000
_YES: Final = frozenset({"yes", "true", "1"})


def feel(offers: Offers, memory: Memory, utterance: Utterance) -> Memory:
    """Whether offers are held back after one more utterance; one of which no mood is known changes nothing."""
    emotion = utterance.emotion
    if utterance.channel is Channel.AGENT or emotion is None:
        return memory
    angry = emotion.label is EmotionLabel.ANGRY and emotion.confidence >= _SURE
    agitation = emotion.agitation
    upset = memory.upset
    if angry or (agitation is not None and agitation >= offers.closed_at):
        upset = True
    elif agitation is not None and agitation < offers.open_below:
        upset = False
    return memory if upset == memory.upset else msgspec.structs.replace(memory, upset=upset)


def show(
    playbook: Playbook, state: CallState, decided: Iterable[Decided], now_ms: int
) -> tuple[CallState, list[Shown]]:
    """
    Decide on what the rules give at one moment.

    Returns:
        The state, in which is remembered what rules have fired for, but for what was left out for calm; and what is
        told: what was held back before comes first, then in the order given.
    """
    told: list[Shown] = []
    wanted, kept = _of_held(state.memory, now_ms, told)
    offered = state.memory.offers + len(wanted)
    settled: list[Decided] = []
    for one in decided:
        if not (isinstance(one.gives, Card) and one.gives.offer):
            wanted.append(one)
        elif (why := _refused(playbook, state, one, offered)) is not None:
            told.append(_withheld(one.gives, now_ms, why))
            settled.append(one)
        elif state.memory.upset:
            kept.append(Held(card=one.gives, until_ms=now_ms + playbook.offers.wait_ms))
            settled.append(one)
        else:
            offered += 1
            wanted.append(one)
    left = _left_out(playbook, wanted, room(playbook, state.memory, now_ms))
    shown = [one for number, one in enumerate(wanted) if number not in left]
    told += [_withheld(wanted[number].gives, now_ms, "calm") for number in sorted(left)]
    told += [one.gives for one in shown]
    return _remember(state, [*settled, *shown], shown, kept, now_ms), told


def withhold(state: CallState, now_ms: int) -> tuple[CallState, list[Shown]]:
    """Give up what is held back, as at the end of the call."""
    held = state.memory.held
    if not held:
        return state, []
    state = msgspec.structs.replace(state, memory=msgspec.structs.replace(state.memory, held=()))
    return state, [_withheld(one.card, now_ms, "mood") for one in held]


def room(playbook: Playbook, memory: Memory, now_ms: int) -> int:
    """How many more cards may be shown just now."""
    most = playbook.calm.cards_per_minute
    return _NO_END if most is None else max(0, most - len(_lately(memory, now_ms)))


def is_counted(card: Card | Webhook) -> bool:
    """Whether it is one of those of which there may be too many."""
    return isinstance(card, Card) and card.kind is CardKind.CARD and not card.compliance


def is_urgent(playbook: Playbook, card: Card | Webhook) -> bool:
    """Whether it is shown however many there are."""
    return _priority(card) >= playbook.calm.always_from


def _lately(memory: Memory, now_ms: int) -> tuple[int, ...]:
    return tuple(at_ms for at_ms in memory.shown if at_ms > now_ms - _MINUTE_MS)


def _of_held(memory: Memory, now_ms: int, told: list[Shown]) -> tuple[list[Decided], list[Held]]:
    """Of the offers held back, those to be shown now, and those that stay; the rest is told as withheld."""
    wanted: list[Decided] = []
    kept: list[Held] = []
    for held in memory.held:
        if held.until_ms < now_ms:
            told.append(_withheld(held.card, now_ms, "mood"))
        elif memory.upset:
            kept.append(held)
        else:
            late = msgspec.structs.replace(held.card, at_ms=max(now_ms, held.card.at_ms))
            wanted.append(Decided(None, (), late))
    return wanted, kept


def _refused(playbook: Playbook, state: CallState, one: Decided, offered: int) -> Why | None:
    offers, given = playbook.offers, state.attributes
    if offers.consent is not None and given.get(offers.consent, "").lower() not in _YES:
        return "consent"
    his_own = {topic.strip() for topic in given.get("no_offers_about", "").split(",")}
    if any(topic in offers.not_about or topic in his_own for topic in one.topics):
        return "topic"
    if offered >= offers.per_call:
        return "cap"
    return refused_before(playbook, one.gives.rule, one.topics, offers_before(given), offered)


def refused_before(
    playbook: Playbook, rule: str, topics: Collection[str], before: Iterable[OfferBefore], offered: int
) -> Literal["refused", "enough"] | None:
    """
    Why an offer is not made for what was offered on earlier calls; None where it may be.

    Args:
        topics: What it offers.
        offered: Offers on this call.
    """
    offers, known = playbook.offers, list(before)
    for each in known:
        alike = each.rule == rule or not set(topics).isdisjoint(playbook.topics(each.rule))
        if each.refused and each.days < offers.refused_days and alike:
            return "refused"
    lately = sum(each.days < offers.customer_days for each in known)
    return "enough" if lately + offered >= offers.per_customer else None


def _left_out(playbook: Playbook, wanted: list[Decided], places: int) -> set[int]:
    """Numbers of those for which there is no room, the least important."""
    counted = [number for number, one in enumerate(wanted) if is_counted(one.gives)]
    counted.sort(key=lambda number: -_priority(wanted[number].gives))
    return {number for number in counted[places:] if not is_urgent(playbook, wanted[number].gives)}


def _priority(card: Card | Webhook) -> int:
    return card.priority if isinstance(card, Card) else 0


def _withheld(card: Card | Webhook, now_ms: int, why: Why) -> Withheld:
    return Withheld(call_id=card.call_id, card_id=card.id, rule=card.rule, at_ms=now_ms, why=why)


def _remember(
    state: CallState, settled: list[Decided], shown: list[Decided], kept: list[Held], now_ms: int
) -> CallState:
    memory = state.memory
    counted = sum(is_counted(one.gives) for one in shown)
    offers = sum(isinstance(one.gives, Card) and one.gives.offer for one in shown)
    if counted or offers or kept or memory.held:
        memory = msgspec.structs.replace(
            memory,
            shown=(*_lately(memory, now_ms), *[now_ms] * counted),
            offers=memory.offers + offers,
            held=tuple(kept[-_MOST_HELD:]),
        )
    fired = {key: one.gives.at_ms for one in settled for key in one.keys}
    agitation = state.agitation
    if any(one.rule is not None and one.rule.agitation is not None for one in settled):
        agitation = msgspec.structs.replace(agitation, armed=False)
    if memory is state.memory and not fired and agitation is state.agitation:
        return state
    return msgspec.structs.replace(state, memory=memory, fired=state.fired | fired, agitation=agitation)
