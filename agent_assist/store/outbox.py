"""What other programs are to be told, in SQL: written with the messages, sent by whoever holds the lease. Blocking."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Engine, RowMapping, and_, exists, or_, select, update

from agent_assist.store.instants import utc
from agent_assist.store.tables import webhooks

GONE = 410
"""The receiver wants nothing more; while a letter that got this answer is dead, all others to it are."""
State = Literal["waiting", "delivered", "dead"]


class Letter(NamedTuple):
    """One message to one receiver, to be sent now."""

    seq: int
    message_id: str
    receiver: str
    body: str
    attempts: int
    """Before this one."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one receiver, in a list."""

    seq: int
    message_id: str
    """Its ``webhook-id``."""
    call_id: str | None
    """None of what is of no call; then there is the customer."""
    receiver: str
    event: str
    state: State
    attempts: int
    due_at: datetime
    created_at: datetime
    status: int | None
    """Of the last answer."""
    error: str
    customer_id: str | None = None


class Outbox:
    """
    Letters of all receivers.

    Those of a call, or of a customer and no call, to one receiver go one after the other: what waits to be sent again
    holds the later ones back, until it is delivered or dead.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, receiver: str, most: int, *, now: datetime, lease: timedelta) -> list[Letter]:
        """Letters that are due, for as long as the lease lasts ours alone."""
        c, earlier = webhooks.c, webhooks.alias()
        before = and_(earlier.c.receiver == c.receiver, earlier.c.state == "waiting", earlier.c.seq < c.seq)
        of_call = exists().where(earlier.c.call_id == c.call_id, before)
        neither = and_(c.call_id.is_(None), earlier.c.call_id.is_(None))
        of_customer = exists().where(earlier.c.customer_id == c.customer_id, neither, before)
        free = and_(c.state == "waiting", or_(c.leased_until.is_(None), c.leased_until < now))
        query = select(webhooks).where(free, c.receiver == receiver, c.due_at <= now, ~of_call, ~of_customer)
        letters: list[Letter] = []
        with self._engine.begin() as connection:
            for row in connection.execute(query.order_by(c.due_at, c.seq).limit(most)).mappings().all():
                mine = update(webhooks).where(c.seq == row["seq"], free).values(leased_until=now + lease)
                # Another worker may have been quicker.
                if connection.execute(mine).rowcount == 1:
                    letters.append(Letter(*(row[name] for name in Letter._fields)))
        return letters

    def delivered(self, letter: Letter, status: int) -> None:
        """It was taken."""
        self._settle(letter, state="delivered", status=status, error="")

    def failed(self, letter: Letter, status: int | None, error: str, again_at: datetime | None) -> None:
        """It was not; ``again_at`` is None after the last attempt."""
        if again_at is None:
            self._settle(letter, state="dead", status=status, error=error)
        else:
            self._settle(letter, again_at, due_at=again_at, status=status, error=error)

    def _settle(self, letter: Letter, again_at: datetime | None = None, **values: object) -> None:
        c = webhooks.c
        with self._engine.begin() as connection:
            settled = update(webhooks).where(c.seq == letter.seq)
            connection.execute(settled.values(attempts=letter.attempts + 1, leased_until=None, **values))
            if again_at is None:
                return
            # What it holds back is not due before it: else who looks for what is due would look at all of these.
            of = connection.execute(select(c.call_id, c.customer_id).where(c.seq == letter.seq)).one()
            same = (
                and_(c.call_id.is_(None), c.customer_id == of.customer_id)
                if of.call_id is None
                else c.call_id == of.call_id
            )
            behind = update(webhooks).where(same, c.receiver == letter.receiver, c.state == "waiting")
            connection.execute(behind.where(c.seq > letter.seq, c.due_at < again_at).values(due_at=again_at))

    def bury(self, receiver: str) -> int:
        """Give up what waits for a receiver that has gone; how many."""
        c = webhooks.c
        with self._engine.begin() as connection:
            gone = connection.scalar(
                select(c.seq).where(c.receiver == receiver, c.state == "dead", c.status == GONE).limit(1)
            )
            if gone is None:
                return 0
            dead = update(webhooks).where(c.receiver == receiver, c.state == "waiting")
            return int(connection.execute(dead.values(state="dead", error="the receiver has gone")).rowcount)

    def listed(self, state: State | None = None, receiver: str | None = None, limit: int = 100) -> list[Sent]:
        """The newest first."""
        query = select(webhooks).order_by(webhooks.c.seq.desc()).limit(limit)
        if state is not None:
            query = query.where(webhooks.c.state == state)
        if receiver is not None:
            query = query.where(webhooks.c.receiver == receiver)
        with self._engine.connect() as connection:
            return [_sent(row) for row in connection.execute(query).mappings()]

    def retry(self, numbers: Sequence[int] = (), receiver: str | None = None) -> int:
        """
        Send dead letters again, from the first attempt; a receiver of theirs that had gone is asked anew.

        Args:
            numbers: ``seq`` of each; all where it is empty.
            receiver: Only those to this one.

        Returns:
            How many.
        """
        c = webhooks.c
        chosen = [c.state == "dead"]
        if numbers:
            chosen.append(c.seq.in_(numbers))
        if receiver is not None:
            chosen.append(c.receiver == receiver)
        values = {"state": "waiting", "attempts": 0, "due_at": datetime.now(UTC), "status": None, "error": ""}
        with self._engine.begin() as connection:
            receivers = connection.scalars(select(c.receiver).where(*chosen).distinct()).all()
            # Those that stay dead would mark the receiver as gone, and bury these before they are sent.
            gone = update(webhooks).where(c.state == "dead", c.status == GONE, c.receiver.in_(receivers))
            connection.execute(gone.values(status=None))
            return int(connection.execute(update(webhooks).where(*chosen).values(values)).rowcount)


def _sent(row: RowMapping) -> Sent:
    due_at, created_at = utc(row["due_at"]), utc(row["created_at"])
    assert due_at is not None
    assert created_at is not None
    return Sent(
        seq=row["seq"],
        message_id=row["message_id"],
        call_id=row["call_id"],
        receiver=row["receiver"],
        event=row["event"],
        state=row["state"],
        attempts=row["attempts"],
        due_at=due_at,
        created_at=created_at,
        status=row["status"],
        error=row["error"],
        customer_id=row["customer_id"],
    )
