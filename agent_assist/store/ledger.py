"""What customers were given, in SQL: entries that are only added, and never more than the table of authority allows."""

import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, exists, func, insert, select
from sqlalchemy.exc import IntegrityError

from agent_assist.advice.authority import Authority, Claim, Given, Judged, Said, amount_of, denied, fits, judge
from agent_assist.errors import LedgerError
from agent_assist.store.customers import CustomerStore
from agent_assist.store.instants import utc
from agent_assist.store.tables import compensations
from agent_assist.types import Compensation

_COUNTED: Final = frozenset({"granted", "approved"})
_LONGEST: Final = timedelta(days=367)
"""No period is longer."""
_ROW: Final = compensations.c

State = Literal["granted", "pending", "refused", "approved", "denied"]


class Request(NamedTuple):
    """What somebody asks for a customer."""

    key: str
    """Of who asks: the same request sent again has the same one, and is answered as before."""
    call_id: str
    customer_id: str | None
    tier: str
    kind: str
    amount: str
    """Decimal, checked already."""
    reason: str
    by: str
    role: str


class Ledger:
    """
    Requests and decisions; those about one customer come one after the other, in however many processes.

    Ids that were merged are one customer.

    Args:
        engine: Of the store, whose tables are up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._customers = CustomerStore(engine)

    def ask(self, request: Request, authority: Authority, source: str, now: datetime) -> Compensation:
        """
        Take a request in, and what the table of authority says to it.

        Args:
            source: Of the playbook with the table.
            now: UTC.

        Raises:
            LedgerError: If the key came before with something else.
        """
        customer = request.customer_id or f"call:{request.call_id}"
        with self._alone(customer) as (connection, ids):
            before = connection.execute(select(compensations).where(_ROW.by == request.by, _ROW.key == request.key))
            if (row := before.mappings().first()) is not None:
                if _asked(row) != _wanted(request, authority):
                    raise LedgerError("conflict", "a new key with a new request", "one that was used before")
                return _one(connection, row["compensation_id"])
            claim = Claim(request.call_id, request.kind, amount_of(request.amount), now, request.tier)
            judged = judge(authority, request.role, claim, _given(connection, ids, authority, now))
            name = uuid.uuid4().hex
            entry = {
                "compensation_id": name,
                "entry": 0,
                "call_id": request.call_id,
                "customer": customer,
                "customer_id": request.customer_id,
                "tier": request.tier,
                "kind": request.kind,
                "amount": request.amount,
                "currency": authority.currency,
                "at": now,
                "note": request.reason,
                "by": request.by,
                "role": request.role,
                "key": request.key,
            }
            try:
                _add(connection, entry, judged.verdict, judged.rule, source)
            except IntegrityError as error:
                # Two with the same key at once, about different customers.
                raise LedgerError("conflict", "a new key with a new request", "one that is being used") from error
            return _one(connection, name)

    def decide(
        self,
        name: str,
        *,
        approve: bool,
        note: str,
        by: str,
        role: str,
        authority: Authority,
        source: str,
        now: datetime,
    ) -> Compensation:
        """
        Approve or deny what is pending; approving asks whether the authority still suffices.

        The same decision of the same person again is answered as before.

        Raises:
            LedgerError: If it is not known, is one's own, was decided, or is beyond the authority of who decides.
        """
        with self._engine.connect() as connection:
            found = connection.execute(select(compensations).where(_ROW.compensation_id == name, _ROW.entry == 0))
            asked = found.mappings().first()
        if asked is None:
            raise LedgerError("unknown", "the id of a request", repr(name[:40]))
        if asked["by"] == by:
            raise LedgerError("forbidden", "a decision on somebody else's request", "one on one's own")
        with self._alone(asked["customer"]) as (connection, ids):
            present = _one(connection, name)
            wanted: State = "approved" if approve else "denied"
            if (present.state, present.decided_by) == (wanted, by):
                return present
            if present.state != "pending":
                raise LedgerError("conflict", "a request that is pending", f"one that is {present.state}")
            rule = denied(role)
            if approve:
                rule = _allowed(connection, asked, ids, role, authority, now).rule
            entry = {column: asked[column] for column in _CARRIED}
            entry |= {"entry": 1, "at": now, "note": note, "by": by, "role": role, "key": None}
            _add(connection, entry, wanted, rule, source)
            return _one(connection, name)

    def one(self, name: str) -> Compensation | None:
        """A request as it stands; None where it is not known."""
        with self._engine.connect() as connection:
            known = connection.scalar(select(func.count()).where(_ROW.compensation_id == name))
            return _one(connection, name) if known else None

    def find(self, state: State | None = None, limit: int = 50) -> list[Compensation]:
        """Requests, the newest first."""
        later = compensations.alias()
        decided = exists().where(later.c.compensation_id == _ROW.compensation_id, later.c.entry > _ROW.entry)
        query = select(_ROW.compensation_id).where(~decided).order_by(_ROW.at.desc()).limit(limit)
        if state is not None:
            query = query.where(_ROW.state == state)
        with self._engine.connect() as connection:
            names = connection.scalars(query).all()
            found = {each.id: each for each in _told(connection, _ROW.compensation_id.in_(names))}
        return [found[name] for name in names]

    @contextmanager
    def _alone(self, customer: str) -> Generator[tuple[Connection, list[str]]]:
        """A transaction beside which there is no other about the same customer, and all ids of theirs."""
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                ids = self._customers.ids(connection, customer)
            else:
                ids = self._locked(connection, customer)
            yield connection, ids
            connection.commit()

    def _locked(self, connection: Connection, customer: str) -> list[str]:
        """Ids of which none was merged while the locks of the others were waited for."""
        locked: set[str] = set()
        while new := sorted(set(ids := self._customers.ids(connection, customer)) - locked):
            for one in new:
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(one))))
            locked.update(new)
        return ids


def of_call(connection: Connection, call_id: str) -> tuple[Compensation, ...]:
    """What was asked for on a call, by time."""
    return tuple(sorted(_told(connection, _ROW.call_id == call_id), key=lambda each: (each.asked_at, each.id)))


def _told(connection: Connection, which: ColumnElement[bool]) -> list[Compensation]:
    entries: dict[str, list[RowMapping]] = {}
    for row in connection.execute(select(compensations).where(which).order_by(_ROW.entry)).mappings():
        entries.setdefault(row["compensation_id"], []).append(row)
    return [_compensation(rows) for rows in entries.values()]


def _one(connection: Connection, name: str) -> Compensation:
    query = select(compensations).where(_ROW.compensation_id == name).order_by(_ROW.entry)
    return _compensation(list(connection.execute(query).mappings()))


_CARRIED: Final = ("compensation_id", "call_id", "customer", "customer_id", "tier", "kind", "amount", "currency")
"""From the request to its decision."""


def _compensation(entries: Sequence[RowMapping]) -> Compensation:
    asked, last = entries[0], entries[-1]
    asked_at, decided_at = utc(asked["at"]), utc(last["at"])
    assert asked_at is not None
    decided = last is not asked
    return Compensation(
        id=asked["compensation_id"],
        call_id=asked["call_id"],
        customer_id=asked["customer_id"],
        kind=asked["kind"],
        amount=asked["amount"],
        currency=asked["currency"],
        reason=asked["note"],
        state=last["state"],
        rule=last["rule"],
        rule_zh=last["rule_zh"],
        asked_by=asked["by"],
        role=asked["role"],
        asked_at=asked_at,
        decided_by=last["by"] if decided else "",
        decided_at=decided_at if decided else None,
        note=last["note"] if decided else "",
        source=last["source"],
    )


def _given(connection: Connection, ids: Sequence[str], authority: Authority, now: datetime) -> list[Given]:
    """What a customer of such ids was given in that currency."""
    query = select(compensations).where(
        _ROW.customer.in_(ids), _ROW.currency == authority.currency, _ROW.at >= now - _LONGEST
    )
    found: list[Given] = []
    for row in connection.execute(query).mappings():
        at = utc(row["at"])
        assert at is not None
        if row["state"] in _COUNTED:
            found.append(Given(row["call_id"], row["kind"], amount_of(row["amount"]), at))
    return found


def _allowed(
    connection: Connection, asked: RowMapping, ids: Sequence[str], role: str, authority: Authority, now: datetime
) -> Judged:
    if asked["currency"] != authority.currency:
        raise LedgerError("conflict", f"a request in {authority.currency}", f"one in {asked['currency']}")
    claim = Claim(asked["call_id"], asked["kind"], amount_of(asked["amount"]), now, asked["tier"])
    judged = fits(authority, role, claim, _given(connection, ids, authority, now))
    if judged.verdict != "granted":
        raise LedgerError("forbidden", f"a request within the authority of a {role}", judged.rule.en)
    return judged


def _add(connection: Connection, entry: dict[str, Any], state: State, rule: Said, source: str) -> None:
    said = {"rule": rule.en, "rule_zh": rule.zh}
    connection.execute(insert(compensations), entry | said | {"state": state, "source": source})


def _asked(row: RowMapping) -> tuple[str, ...]:
    return tuple(row[column] for column in ("call_id", "kind", "amount", "currency", "note"))


def _wanted(request: Request, authority: Authority) -> tuple[str, ...]:
    return request.call_id, request.kind, request.amount, authority.currency, request.reason
