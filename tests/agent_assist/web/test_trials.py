"""Trials over HTTP: supervisors see what came of one."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from litestar.testing import TestClient

from agent_assist.customer.events import Order
from agent_assist.customer.outreach import load
from agent_assist.customer.trials import Outcome, Trial
from agent_assist.store.alerts import Alerts
from agent_assist.store.scheduling import Scheduler
from agent_assist.web.passes import Pass, Role, issue

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TRIAL = Trial(
    id="guide",
    salt="1",
    groups={"standard": 0.5, "guided": 0.5},
    task="usage_guide",
    outcome=Outcome(bought_within_days=30),
)


def auth(role: Role) -> dict[str, str]:
    who = Pass(role=role, name="anna", expires_at=int(time.time()) + 3_600)
    return {"authorization": f"Bearer {issue('correct-horse', who)}"}


def order(number: int) -> Order:
    return Order(
        event_id=f"e{number}",
        customer_id=f"c{number}",
        at=NOON,
        order_id=f"o{number}",
        ordered_at=NOON,
        amount=Decimal(10),
        currency="CNY",
    )


def test_supervisors_see_what_came_of_a_trial(make_site: Callable[..., Any]) -> None:
    outreach, boss = load()._replace(trials=(TRIAL,)), auth(Role.SUPERVISOR)
    with make_site(outreach=outreach) as site, TestClient(site.app, base_url="http://127.0.0.1") as client:
        profiles = site.app.state.office.profiles
        engine = site.store.engine
        profiles.store.take([order(n) for n in range(20)], "test", NOON)
        Scheduler(engine, profiles, outreach, Alerts(engine, profiles, outreach)).tick(NOON + 7 * DAY)
        found = client.get("/v1/trials/guide", headers=boss).json()
        assert sum(found["exposed"].values()) == 20
        assert (found["trial"]["id"], found["why"], found["difference"]) == ("guide", "few", None)
        before = client.get("/v1/trials/guide", params={"at": "2026-03-02T00:00:00Z"}, headers=boss).json()
        assert sum(before["exposed"].values()) == 0
        assert client.get("/v1/trials/guide", params={"at": "2026-03-02T00:00:00"}, headers=boss).status_code == 400
        assert client.get("/v1/trials/other", headers=boss).status_code == 404
        assert client.get("/v1/trials/guide", headers=auth(Role.AGENT)).status_code == 403
