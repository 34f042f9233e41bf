"""What agents made of cards, over many calls. Blocking, like the store."""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Engine, select

from agent_assist.quality.learning import Opinion
from agent_assist.store.tables import calls, cards, feedback
from agent_assist.types import CardFeedback


def opinions(engine: Engine, since: datetime) -> dict[str | None, list[Opinion]]:
    """
    Opinions on the cards of calls that began since, by the tenant that the call names.

    Args:
        since: UTC.
    """
    query = (
        select(cards.c.rule, feedback.c.body, calls.c.attributes)
        .join(cards, cards.c.card_id == feedback.c.card_id)
        .join(calls, calls.c.call_id == cards.c.call_id)
        .where(calls.c.started_at >= since.astimezone(UTC))
        .order_by(feedback.c.card_id, feedback.c.action)
    )
    found: dict[str | None, list[Opinion]] = {}
    with engine.connect() as connection:
        for rule, body, attributes in connection.execute(query):
            said = msgspec.json.decode(body, type=CardFeedback)
            given = {} if attributes is None else msgspec.json.decode(attributes, type=dict[str, str])
            opinion = Opinion(rule, said.card_id, said.action, said.at)
            found.setdefault(given.get("tenant"), []).append(opinion)
    return found
