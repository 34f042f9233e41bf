"""How good the data of customers are, in SQL. Blocking: run it in a thread beside an event loop."""

import tempfile
from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.customer.duplicates import THRESHOLD, Agreement, Person, keys, likeness, person
from agent_assist.customer.health import Assessment, Health, Rule
from agent_assist.store.customers import CustomerStore
from agent_assist.store.instants import micros
from agent_assist.store.tables import customer_candidates, customer_health

State = Literal["open", "merged", "rejected"]

_MOST: Final = 30
"""Customers under one key; where there are more it says too little, and their pairs would be too many."""
_KEPT: Final = 10_000
"""Candidates that are kept: nobody looks at more in a month."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Two customers that may be one person."""

    first: str
    second: str
    weight: float
    """log2 of how much likelier what they have in common is of one person than of two."""
    agreements: dict[str, Agreement]
    state: State = "open"
    by: str = ""
    """Who decided."""


class Found(NamedTuple):
    """Of all customers."""

    health: Health
    candidates: tuple[Candidate, ...]


class HealthStore:
    """
    What was found, month by month, and the pairs that people decide on.

    Args:
        engine: Of a store that ``CallStore.upgrade`` has brought up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dialect: Any = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._insert = dialect.insert

    def assess(self, rules: Sequence[Rule], month: str, at: datetime) -> Health:
        """
        Look at all customers as they were at a time, and keep what was found; a month's last look is the one kept.

        The pairs of the last month are those that wait for a decision; of which somebody said that they are two, those
        are not proposed again.
        """
        found = assessed(CustomerStore(self._engine), rules, month, at)
        health = found.health
        with self._engine.begin() as connection:
            last = connection.execute(select(func.max(customer_health.c.month))).scalar_one()
            if last is None or last <= month:
                self._propose(connection, found.candidates, at)
                count = (
                    select(func.count()).select_from(customer_candidates).where(customer_candidates.c.state == "open")
                )
                health = msgspec.structs.replace(health, candidates=connection.execute(count).scalar_one())
            row = {"month": month, "as_of_us": micros(at), "body": msgspec.json.encode(health).decode()}
            added = self._insert(customer_health)
            changed = {name: added.excluded[name] for name in ("as_of_us", "body")}
            connection.execute(added.on_conflict_do_update(index_elements=["month"], set_=changed), [row])
        return health

    def _propose(self, connection: Connection, candidates: Sequence[Candidate], at: datetime) -> None:
        connection.execute(delete(customer_candidates).where(customer_candidates.c.state == "open"))
        if candidates:
            connection.execute(
                self._insert(customer_candidates).on_conflict_do_nothing(),
                [
                    {"first": x.first, "second": x.second, "rank": -round(x.weight * 1000)}
                    | {"agreements": msgspec.json.encode(x.agreements).decode()}
                    | {"state": "open", "by": "", "at_us": micros(at)}
                    for x in candidates
                ],
            )

    def months(self, until: str | None = None, limit: int = 13) -> list[Health]:
        """The last months, up to one or to now, the latest first."""
        asked = select(customer_health.c.body).order_by(customer_health.c.month.desc()).limit(limit)
        if until is not None:
            asked = asked.where(customer_health.c.month <= until)
        with self._engine.connect() as connection:
            return [msgspec.json.decode(body, type=Health) for body in connection.execute(asked).scalars()]

    def candidates(
        self, limit: int = 50, after: tuple[int, str, str] | None = None, state: State = "open"
    ) -> list[Candidate]:
        """The likeliest first; from behind the place of one, where it is given (see ``place``)."""
        c = customer_candidates.c
        asked = select(customer_candidates).where(c.state == state).order_by(c.rank, c.first, c.second).limit(limit)
        if after is not None:
            asked = asked.where(tuple_(c.rank, c.first, c.second) > tuple_(*after))
        with self._engine.connect() as connection:
            rows = connection.execute(asked).mappings().all()
        return [
            Candidate(
                first=row["first"],
                second=row["second"],
                weight=-row["rank"] / 1000,
                agreements=msgspec.json.decode(row["agreements"], type=dict[str, Agreement]),
                state=row["state"],
                by=row["by"],
            )
            for row in rows
        ]

    def decide(self, one: str, other: str, state: Literal["merged", "rejected"], by: str, now: datetime) -> bool:
        """Keep what somebody said of a pair; whether it was an open candidate."""
        c = customer_candidates.c
        pair = [c.first == min(one, other), c.second == max(one, other), c.state == "open"]
        with self._engine.begin() as connection:
            done = connection.execute(
                update(customer_candidates).where(*pair).values(state=state, by=by, at_us=micros(now))
            )
        return bool(done.rowcount)


def place(of: Candidate) -> tuple[int, str, str]:
    """Where a candidate stands among all."""
    return -round(of.weight * 1000), of.first, of.second


def assessed(customers: CustomerStore, rules: Sequence[Rule], month: str, at: datetime) -> Found:
    """
    What is found among all customers as they were at a time.

    Memory: 16 bytes for each key of a customer, of which there are about eight, twice while they are sorted, and the
    pairs that are compared; what is compared of a customer waits in a file that is deleted afterwards.
    """
    assessment = Assessment(rules, at, month)
    with tempfile.TemporaryFile() as file:
        meeting = _Meeting(file)
        for known in customers.all_facts(at):
            if known.version is not None:
                assessment.push(known)
                meeting.push(person(known))
        candidates = meeting.candidates()
    health = msgspec.structs.replace(assessment.flush(), candidates=len(candidates), too_common=meeting.too_common)
    return Found(health, tuple(candidates[:_KEPT]))


class _Meeting:
    """Customers by the keys under which they meet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._keys, self._who, self._starts = array("Q"), array("L"), array("Q")
        self._end = 0
        self.too_common = 0

    def push(self, one: Person) -> None:
        number = len(self._starts)
        under = set(keys(one))
        self._keys.extend(under)
        self._who.extend([number] * len(under))
        self._starts.append(self._end)
        self._end += self._file.write(msgspec.json.encode(one) + b"\n")

    def candidates(self) -> list[Candidate]:
        """The likeliest first."""
        self._file.flush()
        found: list[Candidate] = []
        for one, other in self._pairs():
            ours, theirs = self._read(one), self._read(other)
            alike = likeness(ours, theirs)
            if alike.weight >= THRESHOLD:
                first, second = sorted((ours.customer_id, theirs.customer_id))
                weight = round(alike.weight, 3)
                found.append(Candidate(first=first, second=second, weight=weight, agreements=alike.agreements))
        return sorted(found, key=place)

    def _pairs(self) -> npt.NDArray[np.int64]:
        """Shape (n, 2): numbers of customers who share a key, each pair once, in order."""
        keys_ = np.frombuffer(self._keys, np.uint64) if self._keys else np.empty(0, np.uint64)
        who = np.frombuffer(self._who, np.dtype("L")).astype(np.int64) if self._who else np.empty(0, np.int64)
        order = np.argsort(keys_, kind="stable")
        keys_, who = keys_[order], who[order]
        starts = np.flatnonzero(np.r_[True, keys_[1:] != keys_[:-1]]) if len(keys_) else np.empty(0, np.int64)
        sizes = np.diff(np.r_[starts, len(keys_)])
        self.too_common = int((sizes > _MOST).sum())
        pairs: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
        for size in range(2, _MOST + 1):
            blocks = who[starts[sizes == size][:, None] + np.arange(size)]
            # Of a block in order of arrival the first is always the lesser.
            pairs += [((blocks[:, i, None] << 32) | blocks[:, i + 1 :]).ravel() for i in range(size - 1)]
        unique = np.unique(np.concatenate(pairs))
        return np.stack([unique >> 32, unique & 0xFFFFFFFF], axis=1)

    def _read(self, number: int) -> Person:
        self._file.seek(self._starts[number])
        return _person(self._file.readline())


_person = msgspec.json.Decoder(Person).decode
