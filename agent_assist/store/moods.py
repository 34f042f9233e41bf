"""What customers wrote and how it reads, in SQL. Blocking."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine, bindparam, select, update

from agent_assist.customer.events import CustomerEvent, Interaction
from agent_assist.store.tables import customer_events, text_moods


class Written(NamedTuple):
    """What a customer wrote."""

    event_id: str
    text: str


class TextMoods:
    """Contacts with words: they wait here from when they are taken in until somebody has read them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unread(self, limit: int) -> list[Written]:
        """What nobody has read yet."""
        t, e = text_moods.c, customer_events.c
        query = select(e.body).join(text_moods, t.event_id == e.event_id).where(t.model.is_(None)).limit(limit)
        with self._engine.connect() as connection:
            told = [msgspec.json.decode(body, type=CustomerEvent) for body in connection.scalars(query)]
        return [Written(one.event_id, one.text) for one in told if isinstance(one, Interaction)]

    def keep(self, model: str, read: Sequence[tuple[str, float | None, float]]) -> None:
        """
        Keep how texts read.

        Args:
            read: Event, sentiment from -1 to 1 or None where there are no words that are known, and its confidence.
        """
        statement = (
            update(text_moods)
            .where(text_moods.c.event_id == bindparam("event"))
            .values(model=model, value=bindparam("how"), confidence=bindparam("sure"))
        )
        rows = [{"event": event, "how": value, "sure": confidence} for event, value, confidence in read]
        with self._engine.begin() as connection:
            connection.execute(statement, rows)
