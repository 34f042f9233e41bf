"""Cards that are shown before their evidence is final: told once, then confirmed or withdrawn."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from agent_assist.advice.cards import Decided
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.showing import is_counted, is_urgent, room
from agent_assist.call.state import CallState, Provisional
from agent_assist.types import Card, CardKind, Webhook, Withdrawn, Withheld
from audio.types import Channel

Told = Card | Webhook | Withheld | Withdrawn

_TAKEN_BACK: Final = frozenset({CardKind.CARD, CardKind.TICK, CardKind.ALERT})


class Foretold(NamedTuple):
    """What a rule gives that is not certain yet."""

    decided: Decided
    channel: Channel | None
    """Of the utterance that decides it; None where something was not said."""
    start_ms: int


def foretell(
    playbook: Playbook, state: CallState, foretold: Iterable[Foretold], now_ms: int
) -> tuple[CallState, list[Told]]:
    """Show as provisional what may be taken back, and is not shown yet."""
    shown = dict(state.memory.provisional)
    told: list[Told] = []
    for one in foretold:
        card = one.decided.gives
        if not isinstance(card, Card) or card.kind not in _TAKEN_BACK or card.offer or card.id in shown:
            continue
        crowded = is_counted(card) and not is_urgent(playbook, card)
        if crowded and room(playbook, state.memory, now_ms) <= len(shown):
            continue
        shown[card.id] = Provisional(rule=card.rule, channel=one.channel, start_ms=one.start_ms)
        told.append(msgspec.structs.replace(card, provisional=True))
    return (_with(state, shown), told) if told else (state, told)


def settle(state: CallState, told: Iterable[Told], left: Collection[str], now_ms: int) -> tuple[CallState, list[Told]]:
    """
    Withdraw what was shown as provisional and is not borne out.

    Args:
        told: What has been decided; what is among it is confirmed by that.
        left: Ids of what is not decided yet.
    """
    shown = state.memory.provisional
    if not shown:
        return state, []
    confirmed = {card.id for card in told if isinstance(card, Card) and not card.provisional}
    gone = [name for name in shown if name not in left and name not in confirmed]
    kept = {name: one for name, one in shown.items() if name in left and name not in confirmed}
    state = _with(state, kept) if len(kept) < len(shown) else state
    return state, [Withdrawn(call_id=state.call_id, card_id=name, at_ms=now_ms) for name in gone]


def unheard(state: CallState) -> set[str]:
    """Ids of what waits for an utterance that is not final yet; when a later one of its channel is, it was nothing."""
    return {
        name
        for name, one in state.memory.provisional.items()
        if one.channel is not None
        and not any(said.channel is one.channel and said.start_ms >= one.start_ms for said in state.recent)
    }


def _with(state: CallState, shown: dict[str, Provisional]) -> CallState:
    return msgspec.structs.replace(state, memory=msgspec.structs.replace(state.memory, provisional=shown))
