"""The ledger: exact, only added to, and never above the cap however many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DatabaseError

from agent_assist.advice.authority import Authority
from agent_assist.customer.events import Merged, Split
from agent_assist.errors import LedgerError
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.ledger import Ledger, Request
from agent_assist.store.tables import compensations
from agent_assist.types import CallStarted, Compensation

NOW = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
TABLE = msgspec.convert(
    {
        "currency": "CNY",
        "grants": [
            {"role": "agent", "kinds": ["voucher"], "per_case": "20.00", "per_customer": "50.00"},
            {"role": "supervisor", "kinds": ["voucher"], "per_case": "60", "per_customer": "60"},
        ],
    },
    Authority,
)


@pytest.fixture
def ledger(store: CallStore) -> Ledger:
    return Ledger(store.engine)


def wish(key: str, amount: str = "10.00", **changed: str | None) -> Request:
    given = {"call_id": "c", "customer_id": "k", "tier": "", "kind": "voucher", "reason": "late", "by": "anna"}
    return Request(key=key, amount=amount, role="agent", **(given | changed))  # type: ignore[arg-type]


def ask(ledger: Ledger, request: Request, now: datetime = NOW) -> Compensation:
    return ledger.ask(request, TABLE, "t 1", now)


def decide(ledger: Ledger, name: str, *, approve: bool = True, by: str = "boss", now: datetime = NOW) -> Compensation:
    return ledger.decide(
        name, approve=approve, note="n", by=by, role="supervisor", authority=TABLE, source="t 1", now=now
    )


def test_a_request_is_answered_and_stands_in_the_record_of_its_call(ledger: Ledger, store: CallStore) -> None:
    store.write([CallStarted(call_id="c", at=NOW, protocol="twilio")], {})
    found = ask(ledger, wish("k1"))
    assert (found.state, found.amount, found.asked_at, found.role) == ("granted", "10.00", NOW, "agent")
    record = store.call("c")
    assert record is not None
    assert record.compensations == (found,)


def test_the_same_key_is_answered_as_before_and_counts_once(ledger: Ledger) -> None:
    assert ask(ledger, wish("k1")) == ask(ledger, wish("k1"), NOW + timedelta(hours=1))
    assert ask(ledger, wish("k2")).state == "granted"
    with pytest.raises(LedgerError) as raised:
        ask(ledger, wish("k1", "11.00"))
    assert raised.value.kind == "conflict"


def test_the_key_of_one_agent_is_not_that_of_another(ledger: Ledger) -> None:
    assert ask(ledger, wish("k1")).id != ask(ledger, wish("k1", by="ben")).id


def test_the_cap_of_a_customer_holds_over_calls_and_is_exact(ledger: Ledger) -> None:
    amounts = ["16.67", "16.67", "16.66", "0.01"]
    found = [ask(ledger, wish(f"k{n}", amount, call_id=f"c{n}")) for n, amount in enumerate(amounts)]
    assert [each.state for each in found] == ["granted", "granted", "granted", "pending"]


def test_the_cap_holds_over_all_ids_of_a_customer_until_they_are_split(ledger: Ledger, store: CallStore) -> None:
    customers = CustomerStore(store.engine)
    for number, customer in enumerate(("old", "older")):
        assert ask(ledger, wish(f"k{number}", "20.00", call_id=f"c{number}", customer_id=customer)).state == "granted"
    merged = [
        Merged(event_id="e1", customer_id="older", at=NOW, into="old"),
        Merged(event_id="e2", customer_id="old", at=NOW, into="new"),
    ]
    customers.take(merged, "t", NOW)
    over = ask(ledger, wish("k2", "20.00", call_id="c2", customer_id="new"))
    assert over.state == "pending"
    assert ask(ledger, wish("k3", "20.00", call_id="c3", customer_id="older")).state == "pending"
    supervisor = decide(ledger, over.id)
    assert supervisor.state == "approved"
    customers.take([Split(event_id="e3", customer_id="old", at=NOW + timedelta(seconds=1))], "t", NOW)
    assert ask(ledger, wish("k4", "20.00", call_id="c4", customer_id="new")).state == "granted"


def test_what_was_given_under_another_id_is_beyond_the_supervisor(ledger: Ledger, store: CallStore) -> None:
    given, asked = (ask(ledger, wish(f"k{n}", "40.00", call_id=f"c{n}", customer_id=f"i{n}")) for n in range(2))
    assert decide(ledger, given.id).state == "approved"
    CustomerStore(store.engine).take([Merged(event_id="e", customer_id="i0", at=NOW, into="i1")], "t", NOW)
    with pytest.raises(LedgerError, match=r"40\.00 was given to this customer"):
        decide(ledger, asked.id)


def test_many_who_ask_at_once_under_several_ids_do_not_exceed_the_cap(ledger: Ledger, store: CallStore) -> None:
    merged = [Merged(event_id=f"e{n}", customer_id=f"i{n}", at=NOW, into="i0") for n in range(1, 4)]
    CustomerStore(store.engine).take(merged, "t", NOW)
    wishes = [wish(f"k{n}", "10.00", call_id=f"c{n}", by=f"a{n}", customer_id=f"i{n % 4}") for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        states = [found.state for found in pool.map(lambda each: ask(ledger, each), wishes)]
    assert sorted(states) == ["granted"] * 5 + ["pending"] * 11


def test_a_customer_who_is_not_known_is_counted_by_the_call(ledger: Ledger) -> None:
    found = [ask(ledger, wish(f"k{n}", "20.00", call_id=f"c{n}", customer_id=None)) for n in range(4)]
    assert {each.state for each in found} == {"granted"}


def test_many_who_ask_at_once_do_not_exceed_the_cap(ledger: Ledger, store: CallStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        wishes = [wish(f"k{n}", "10.00", call_id=f"c{n}", by=f"a{n}") for n in range(16)]
        states = [found.state for found in pool.map(lambda each: ask(ledger, each), wishes)]
    assert sorted(states) == ["granted"] * 5 + ["pending"] * 11
    with store.engine.connect() as connection:
        rows = connection.scalars(select(compensations.c.amount).where(compensations.c.state == "granted"))
        assert sum(map(Decimal, rows)) == 50


def test_the_same_request_sent_many_times_at_once_is_one(ledger: Ledger, store: CallStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ask(ledger, wish("k1")).id, range(16)))
    assert len(found) == 1
    with store.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(compensations)) == 1


def test_a_supervisor_decides_once_and_the_request_stays_as_it_was(ledger: Ledger) -> None:
    asked = ask(ledger, wish("k1", "30.00"))
    decided = decide(ledger, asked.id)
    assert (asked.state, decided.state, decided.decided_by, decided.note) == ("pending", "approved", "boss", "n")
    assert (decided.asked_by, decided.reason, decided.amount) == ("anna", "late", "30.00")
    assert decide(ledger, asked.id) == decided
    with pytest.raises(LedgerError, match="approved"):
        decide(ledger, asked.id, approve=False)
    with pytest.raises(LedgerError, match="approved"):
        decide(ledger, asked.id, by="other boss")


def test_nobody_decides_on_their_own_request(ledger: Ledger) -> None:
    asked = ask(ledger, wish("k1", "30.00"))
    with pytest.raises(LedgerError) as raised:
        decide(ledger, asked.id, by="anna")
    assert raised.value.kind == "forbidden"


def test_what_was_given_meanwhile_is_beyond_the_supervisor_and_can_be_denied(ledger: Ledger) -> None:
    first, second = (ask(ledger, wish(f"k{n}", "40.00", call_id=f"c{n}")) for n in range(2))
    assert decide(ledger, first.id).state == "approved"
    with pytest.raises(LedgerError, match=r"40\.00 was given to this customer this month") as raised:
        decide(ledger, second.id)
    assert raised.value.kind == "forbidden"
    assert decide(ledger, second.id, approve=False).state == "denied"
    assert [each.id for each in ledger.find("denied")] == [second.id]


def test_supervisors_who_approve_at_once_do_not_exceed_the_cap(ledger: Ledger) -> None:
    asked = [ask(ledger, wish(f"k{n}", "25.00", call_id=f"c{n}")).id for n in range(6)]

    def attempt(name: str) -> str:
        try:
            return decide(ledger, name).state
        except LedgerError as error:
            return error.kind

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(attempt, asked)) == ["approved"] * 2 + ["forbidden"] * 4


def test_a_new_period_begins_anew(ledger: Ledger) -> None:
    for number in range(2):
        ask(ledger, wish(f"k{number}", "20.00", call_id=f"c{number}"))
    assert ask(ledger, wish("k2", "20.00", call_id="c2")).state == "pending"
    later = datetime(2026, 4, 1, tzinfo=UTC)
    assert ask(ledger, wish("k3", "20.00", call_id="c3"), later).state == "granted"


@pytest.mark.parametrize("statement", ["UPDATE compensations SET amount = '1'", "DELETE FROM compensations"])
def test_entries_are_never_changed(ledger: Ledger, store: CallStore, statement: str) -> None:
    ask(ledger, wish("k1"))
    with store.engine.connect() as connection, pytest.raises(DatabaseError, match="never changed"):
        connection.execute(text(statement))
    assert ledger.find()[0].amount == "10.00"


def test_an_id_that_is_none_is_told(ledger: Ledger) -> None:
    assert ledger.one("nothing") is None
    with pytest.raises(LedgerError) as raised:
        decide(ledger, "nothing")
    assert raised.value.kind == "unknown"


def test_of_many_requests_only_those_asked_for_are_read_and_by_an_index(ledger: Ledger, store: CallStore) -> None:
    asked = [ask(ledger, wish(f"k{n}", "30.00", call_id=f"c{n}"), NOW + timedelta(minutes=n)) for n in range(9)]
    decide(ledger, asked[8].id, approve=False, now=NOW + timedelta(hours=1))
    sent: list[tuple[str, object]] = []

    def keep(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", keep)
    found = ledger.find("pending", 2)
    assert [each.id for each in found] == [asked[7].id, asked[6].id]
    assert [each.id for each in ledger.find(limit=2)] == [asked[8].id, asked[7].id]
    assert len(sent) == 4
    assert "LIMIT" in sent[0][0]
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect() as connection:
            plan = [str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent[0][0]}", sent[0][1])]  # type: ignore[arg-type]
        assert "ix_compensations_state_at" in plan[0]
        assert not any("B-TREE" in step for step in plan)
