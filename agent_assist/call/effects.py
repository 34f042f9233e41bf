"""What was done for the customer on a call, and what their mood did after it."""

from collections.abc import Iterable

from agent_assist.types import CallRecord, CardKind, FeedbackAction
from models.effects import Change, Deed, Effect, Reading, changes, effects


def deeds(record: CallRecord) -> list[Deed]:
    """
    What the agent did with the help given: cards used, alerts heeded.

    The kind is the card's, "alert" or "card", and its rule. Without the call's start nothing can be placed in it.
    """
    if record.started_at is None:
        return []
    cards = {card.id: card for card in record.cards}
    found: list[Deed] = []
    for feedback in record.feedback:
        card = cards.get(feedback.card_id)
        if card is None or feedback.action is not FeedbackAction.USED:
            continue
        # A clock that differs from the telephone's places no deed before what gave rise to it.
        at_ms = max(card.at_ms, round((feedback.at - record.started_at).total_seconds() * 1_000))
        kind = CardKind.ALERT if card.kind is CardKind.ALERT else CardKind.CARD
        found.append(Deed(f"{kind}:{card.rule}", at_ms))
    return found


def followed(record: CallRecord, also: Iterable[Deed] = ()) -> list[Change]:
    """
    What the mood of one call did after each deed, by time.

    Args:
        also: Deeds that the record does not know of: an offer made, a case handed on.
    """
    readings = [Reading(point.at_ms, point.score) for point in record.curve if point.score is not None]
    return changes(readings, [*deeds(record), *also])


def effects_of(records: Iterable[CallRecord]) -> list[Effect]:
    """What follows each kind of deed over many calls."""
    return effects(change for record in records for change in followed(record))
