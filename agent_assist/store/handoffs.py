"""What bots handed over, in SQL, until it expires. Blocking, like the store."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Engine, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from agent_assist.call.handoff import Handoff, HandoffGiven, kept
from agent_assist.errors import HandoffConflict
from agent_assist.store.tables import handoffs

_ROW = handoffs.c
AHEAD: Final = timedelta(minutes=5)
"""By which the bot's clock may be ahead of ours."""
_TRIED: Final = 5
"""Hand-offs that a call may begin with, the latest ones, where others take them meanwhile."""


class Ringing(msgspec.Struct, frozen=True, kw_only=True):
    """A call that begins, as far as it tells who it is."""

    call_id: str
    at: datetime
    key: str = ""
    customers: tuple[str, ...] = ()
    """Ids of the customer: a bot may know them under another one of theirs."""
    phone: str = ""


class Handoffs:
    """
    Each id once.

    Args:
        engine: Of a store whose tables are up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, given: HandoffGiven, now: datetime) -> tuple[Handoff, bool]:
        """
        Keep a hand-off, without what must not be kept; whether it was new.

        What has expired goes with it.

        Raises:
            HandoffConflict: If another one came under its id.
        """
        found = kept(given, given.at.astimezone(UTC) + timedelta(seconds=given.expires_in_s))
        body = msgspec.json.encode(found)
        # Of what is kept: from a digest of what came, a code of six digits that was taken out could be guessed.
        digest = sha256(body + (given.phone or "").encode()).hexdigest()
        row: dict[str, Any] = {
            "handoff_id": found.id,
            "call_id": found.call_id,
            "key": found.key,
            "customer_id": found.customer_id,
            "phone": given.phone,
            "at": found.at.astimezone(UTC),
            "expires_at": found.expires_at,
            "digest": digest,
            "body": body.decode(),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(handoffs).where(_ROW.expires_at < now.astimezone(UTC)))
                connection.execute(insert(handoffs), row)
        except IntegrityError:
            with self._engine.connect() as connection:
                before = connection.scalar(select(_ROW.digest).where(_ROW.handoff_id == found.id))
            if before != digest:
                raise HandoffConflict(found.id) from None
            return found, False
        return found, True

    def begin(self, ringing: Ringing) -> Handoff | None:
        """
        The hand-off that a call follows: by its id or its key, else the latest of its customer or of its number.

        Each is that of one call: another that rings later does not begin with it, the same call again does.
        One of another customer's is never that of a call whose customer is known, whatever the number.
        """
        sure: list[ColumnElement[bool]] = [
            _ROW.call_id == ringing.call_id,
            *([_ROW.key == ringing.key] if ringing.key else []),
        ]
        likely: list[ColumnElement[bool]] = [_ROW.customer_id.in_(ringing.customers)] if ringing.customers else []
        likely += [_ROW.phone == ringing.phone] if ringing.phone else []
        at = ringing.at.astimezone(UTC)
        free = or_(_ROW.shown_to.is_(None), _ROW.shown_to == ringing.call_id)
        with self._engine.begin() as connection:
            for which in (sure, likely):
                if not which:
                    continue
                asked = select(_ROW.handoff_id, _ROW.body).where(
                    or_(*which), free, _ROW.expires_at >= at, _ROW.at <= at + AHEAD
                )
                if which is likely and ringing.customers:
                    asked = asked.where(or_(_ROW.customer_id.is_(None), _ROW.customer_id.in_(ringing.customers)))
                for row in connection.execute(asked.order_by(_ROW.at.desc(), _ROW.handoff_id).limit(_TRIED)).all():
                    # Of two calls that ring at once the one that writes first has it.
                    ours = update(handoffs).where(_ROW.handoff_id == row.handoff_id, free)
                    if connection.execute(ours.values(shown_to=ringing.call_id)).rowcount:
                        return _handoff(row.body)
        return None

    def expire(self, now: datetime) -> int:
        """Drop what has expired, also where nothing new comes; how many they were."""
        with self._engine.begin() as connection:
            return connection.execute(delete(handoffs).where(_ROW.expires_at < now.astimezone(UTC))).rowcount

    def of_call(self, call_id: str, now: datetime) -> Handoff | None:
        """The hand-off with which a call began; None where there was none, or it has expired."""
        asked = select(_ROW.body).where(_ROW.shown_to == call_id, _ROW.expires_at >= now.astimezone(UTC))
        with self._engine.connect() as connection:
            body = connection.scalar(asked.order_by(_ROW.at.desc(), _ROW.handoff_id).limit(1))
        return None if body is None else _handoff(body)


_handoff = msgspec.json.Decoder(Handoff).decode
