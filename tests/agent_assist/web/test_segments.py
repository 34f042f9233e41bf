"""How all customers stand, over HTTP."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from litestar.testing import TestClient

from agent_assist.customer.events import Known, Order
from agent_assist.customer.tags import Business, load
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.web.passes import Pass, Role, issue

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="boss", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


@pytest.fixture
def client(site: Any) -> Any:
    with TestClient(site.app, base_url="http://127.0.0.1") as client:
        client.headers.update(auth(Role.SUPERVISOR))
        yield client


def bought(profiles: Profiles, number: int, at: datetime) -> None:
    name = f"c{number}"
    order = Order(
        event_id=f"{name}{at:%y%m%d}", customer_id=name, at=at, order_id=f"{name}{at:%y%m%d}", ordered_at=at,
        amount=Decimal(100 + number), currency="CNY",
    )  # fmt: skip
    profiles.store.take([order, Known(event_id=f"k{name}", customer_id=name, at=NOW, name=f"客户{number}")], "api", at)


def test_before_anybody_was_counted_there_is_nothing_to_be_told(client: Any) -> None:
    assert client.get("/v1/segments").json()["as_of"] is None
    assert client.get("/v1/segments/customers").json() == {"customers": [], "next": None}


def test_counts_moves_and_customers_of_a_segment_are_told(client: Any, site: Any) -> None:
    profiles = Profiles(CustomerStore(site.store.engine), load(), Business())
    for number in range(10):
        bought(profiles, number, NOW - (1 + 18 * number) * DAY)
    profiles.count(NOW)
    bought(profiles, 9, NOW + 20 * DAY)
    profiles.count(NOW + 21 * DAY)
    board = client.get("/v1/segments").json()
    assert (board["customers"], board["value"], board["currency"]) == (10, "1154", "CNY")
    assert datetime.fromisoformat(board["before"]) == NOW
    assert sum(part["customers"] for part in board["segments"]) == 10
    assert sum(move["customers"] for move in board["segment_moves"]) == 10
    assert [past["customers"] for past in board["past"]] == [10, 10]
    assert board["names"]["core"]["zh"] == "核心"
    back = next(move for move in board["stage_moves"] if move["now"] == "won_back")
    asked = {"stage": "won_back", "stage_before": back["before"]}
    (one,) = client.get("/v1/segments/customers", params=asked).json()["customers"]
    assert (one["customer_id"], one["name"], one["value"]) == ("c9", "客户9", 218.0)


def test_pages_are_of_one_count_also_where_another_was_made_meanwhile(client: Any, site: Any) -> None:
    profiles = Profiles(CustomerStore(site.store.engine), load(), Business())
    for number in range(5):
        bought(profiles, number, NOW - DAY)
    profiles.count(NOW)
    first = client.get("/v1/segments/customers", params={"limit": 2}).json()
    bought(profiles, 0, NOW + DAY)
    profiles.count(NOW + 2 * DAY)
    second = client.get("/v1/segments/customers", params={"limit": 4, "cursor": first["next"]}).json()
    ids = [one["customer_id"] for one in first["customers"] + second["customers"]]
    assert ids == ["c4", "c3", "c2", "c1", "c0"]
    assert second["next"] is None
    assert client.get("/v1/segments/customers", params={"cursor": "x"}).status_code == 400
    assert client.get("/v1/segments/customers", params={"cursor": "1~2.0~c"}).status_code == 404


@pytest.mark.parametrize("role", [Role.AGENT, Role.SENIOR, Role.EXPERT, Role.QA])
def test_only_supervisors_see_them(client: Any, role: Role) -> None:
    for path in ("/v1/segments", "/v1/segments/customers"):
        assert client.get(path, headers=auth(role)).status_code == 403
