"""What a customer was offered on earlier calls. Blocking, like the store."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, exists, select

from agent_assist.call.before import OfferBefore
from agent_assist.store.instants import utc
from agent_assist.store.tables import calls, cards, feedback
from agent_assist.types import CardKind, FeedbackAction

_LONGEST: Final = timedelta(days=366)
_MOST: Final = 50
_OFFER: Final = cards.c.body.contains('"offer":true', autoescape=True)
"""In JSON as we write it no text can look like that: its quotes are escaped."""
_REFUSALS: Final = (FeedbackAction.DISMISSED.value, FeedbackAction.DOWN.value)


def offered(engine: Engine, customers: Collection[str], tenant: str | None, now: datetime) -> list[OfferBefore]:
    """
    The latest offers to a customer within a year, the newest first; one that the agent dismissed counts as refused.

    Args:
        customers: All ids of the customer.
        tenant: Of the call: customers of others may have the same ids.
        now: UTC, of the call's start; calls that began later do not count.
    """
    refused = exists().where(feedback.c.card_id == cards.c.card_id, feedback.c.action.in_(_REFUSALS))
    query = (
        select(cards.c.rule, calls.c.started_at, calls.c.attributes, refused.label("refused"))
        .join(calls, calls.c.call_id == cards.c.call_id)
        .where(
            calls.c.customer_id.in_(customers),
            calls.c.started_at >= now.astimezone(UTC) - _LONGEST,
            calls.c.started_at < now.astimezone(UTC),
            cards.c.kind == CardKind.CARD.value,
            _OFFER,
        )
        .order_by(calls.c.started_at.desc(), cards.c.at_ms.desc(), cards.c.card_id)
    )
    found: list[OfferBefore] = []
    with engine.connect() as connection:
        for rule, at, attributes, was_refused in connection.execute(query):
            started_at, given = utc(at), _attributes(attributes)
            if started_at is not None and given.get("tenant") == tenant:
                found.append(OfferBefore(rule, (now - started_at).days, bool(was_refused)))
    return found[:_MOST]


def _attributes(body: Any) -> dict[str, str]:
    return {} if body is None else msgspec.json.decode(body, type=dict[str, str])
