from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Bought, Trade, bought
from agent_assist.customer.rfm import NO_ORDERS, Population, Rfm, population, read_segments
from agent_assist.errors import CustomerTableError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TRADE = Trade(currency="CNY")


def customer(*orders: tuple[int, int], currency: str = "CNY", status: str = "paid") -> Facts:
    """Of pairs: days ago, amount."""
    return Facts(
        customer_id="c",
        orders=tuple(
            msgspec.convert(
                {"event_id": f"e{i}", "customer_id": "c", "at": NOW, "order_id": f"o{i}", "currency": currency}
                | {"ordered_at": NOW - timedelta(days=days), "amount": Decimal(amount), "status": status},
                Order,
            )
            for i, (days, amount) in sorted(enumerate(orders), key=lambda one: (-one[1][0], one[0]))
        ),
    )


def has(*orders: tuple[int, int]) -> Bought:
    return bought(customer(*orders), NOW, TRADE)


def counted(of: Sequence[Bought]) -> Population:
    found = population(of, NOW)
    assert found is not None
    return found


def test_a_hand_made_table_comes_out() -> None:
    # Ten customers; days since the last order 10, 20 ... 100; orders 10, 9, ... 1, all of 100.
    table = [has(*[(10 * k + j, 100) for j in range(11 - k)]) for k in range(1, 11)]
    everyone = counted(table)
    assert everyone.n == 10
    assert everyone.silence == (-90, -70, -50, -30)
    assert everyone.frequency == (2, 4, 6, 8)
    assert everyone.monetary == (200, 400, 600, 800)
    assert everyone.high_order == 100
    scores = [everyone.score(one, NOW) for one in table]
    assert scores == [Rfm(s, s, s) for s in (5, 5, 4, 4, 3, 3, 2, 2, 1, 1)]
    segments = read_segments()
    assert [segments.of(one) for one in scores] == [
        *["core"] * 4, *["attention"] * 2, *["faded"] * 4,
    ]  # fmt: skip


def test_ties_have_one_score_and_the_lowest() -> None:
    table = [has((5, 10))] * 7 + [has((5, 10), (9, 10))] * 2 + [has(*[(k, 10) for k in range(5, 12)])]
    everyone = counted(table)
    found = [everyone.score(one, NOW) for one in table]
    assert found[0] == Rfm(1, 1, 1)
    assert [one.frequency for one in found if one] == [1] * 7 + [4] * 2 + [5]


def test_who_bought_nothing_has_no_scores_and_is_not_counted() -> None:
    everyone = counted([has(), has((3, 10))])
    assert everyone.n == 1
    assert everyone.score(has(), NOW) is None
    assert read_segments().of(None) == NO_ORDERS
    assert population([has()], NOW) is None


@pytest.mark.parametrize("status", ["cancelled", "returned"])
def test_what_was_cancelled_or_returned_does_not_count(status: str) -> None:
    assert bought(customer((3, 10), status=status), NOW, TRADE) == Bought()


def test_other_currencies_count_with_a_rate_and_are_named_without() -> None:
    euros = customer((3, 10), currency="EUR")
    assert bought(euros, NOW, TRADE) == Bought(left_out=("EUR",))
    with_rate = bought(euros, NOW, Trade(currency="CNY", rates={"EUR": Decimal("7.8")}))
    assert (with_rate.total, with_rate.left_out, len(with_rate.orders)) == (Decimal(78), (), 1)
    with pytest.raises(ValueError, match="rate above 0"):
        Trade(rates={"EUR": Decimal(0)})


def test_an_order_to_come_does_not_count_yet() -> None:
    assert bought(customer((-1, 10)), NOW, TRADE).orders == ()
    assert len(bought(customer((0, 10)), NOW, TRADE).orders) == 1


ORDERS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 5_000)), max_size=6)


@given(st.lists(ORDERS.filter(bool), min_size=1, max_size=25), ORDERS.filter(bool), ORDERS)
def test_buying_more_lowers_no_score(
    others: list[list[tuple[int, int]]], before: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    everyone = counted([has(*one) for one in others])
    less, after = everyone.score(has(*before), NOW), everyone.score(has(*before, *more), NOW)
    assert less is not None
    assert after is not None
    assert all(a <= b for a, b in zip(less, after, strict=True))


@given(st.lists(ORDERS, min_size=1, max_size=25), st.randoms())
def test_the_order_of_customers_does_not_matter_and_a_snapshot_survives_json(
    drawn: list[list[tuple[int, int]]], random: object
) -> None:
    all_bought = [has(*one) for one in drawn]
    found = population(all_bought, NOW)
    random.shuffle(all_bought)  # type: ignore[attr-defined]
    assert population(all_bought, NOW) == found
    if found is not None:
        assert msgspec.json.decode(msgspec.json.encode(found), type=Population) == found
        for one in all_bought:
            scores = found.score(one, NOW)
            assert scores is None or all(1 <= score <= 5 for score in scores)


@given(st.lists(st.integers(1, 10_000), min_size=5, max_size=60, unique=True))
def test_without_ties_every_fifth_has_its_share(amounts: list[int]) -> None:
    table = [has((1, amount)) for amount in amounts]
    everyone = counted(table)
    scores = [one.monetary for each in table if (one := everyone.score(each, NOW))]
    for score in range(1, 6):
        assert abs(scores.count(score) - len(amounts) / 5) < 1


def test_every_score_falls_in_one_segment_with_a_name_in_both_languages() -> None:
    table = read_segments()
    found = {table.of(Rfm(*scores)) for scores in product(range(1, 6), repeat=3)}
    assert found == {one.id for one in table.segments}
    assert all(set(one.names) == {"zh", "en"} for one in table.segments)
    names = {one.id: one.names["zh"] for one in table.segments}
    assert (names["core"], names["potential"], names["dormant"]) == ("核心", "潜力", "沉睡")


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("segments: [{id: a, names: {zh: 一, en: One}, boxes: [{r: [2, 5]}]}]", "none"),
        ("segments: [{id: a, names: {}, boxes: [{}]}, {id: b, names: {}, boxes: [{m: [1, 1]}]}]", "a, b"),
        ("segments: [{id: a, names: {}, boxes: [{r: [0, 5]}]}]", ">= 1"),
        ("segments: [{id: a, names: {}, boxes: [{x: [1, 5]}]}]", "unknown field"),
    ],
)
def test_a_table_with_gaps_or_overlaps_is_refused(text: str, got: str, tmp_path: Path) -> None:
    path = tmp_path / "segments.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CustomerTableError, match=got):
        read_segments(path)
