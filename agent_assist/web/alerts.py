"""Alerts of customers who may leave, over HTTP: who has one, and who takes it on."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, QueryParameter

from agent_assist.customer.alerts import Alert, AlertChange
from agent_assist.store.alerts import AlertQuery, Alerts
from agent_assist.web.access import known, needs, needs_token, office
from agent_assist.web.customers import ids
from agent_assist.web.passes import Role

Asked = Request[Any, Any, State]


class AlertList(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first; of each customer one."""

    alerts: Sequence[Alert]


@get("/v1/alerts", guards=[needs_token])
async def list_alerts(
    request: Asked,
    *,
    how: Annotated[Literal["open", "acknowledged", "closed"] | None, QueryParameter(name="state")] = None,
    customer_id: Annotated[str | None, QueryParameter(max_length=256)] = None,
    team: Annotated[str | None, QueryParameter(max_length=128)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> AlertList:
    """Alerts of customers; an agent sees those of customers with whom they had a call."""
    who, alerts, us = known(request), _alerts(request), office(request.app)
    same = () if customer_id is None else await ids(us, customer_id)
    agent_id = who.name if who.role is Role.AGENT else None
    wanted = AlertQuery(state=how, team=team, customers=same, agent_id=agent_id)
    return AlertList(alerts=await asyncio.to_thread(alerts.find, wanted, limit))


@post("/v1/alerts/{customer_id:str}/{what:str}", guards=[needs(Role.SENIOR, Role.SUPERVISOR)], status_code=200)
async def change_alert(request: Asked, customer_id: FromPath[str], what: FromPath[str]) -> Alert:
    """``acknowledge``: take an alert on; ``close`` it. Whom it concerns is told."""
    alerts, who = _alerts(request), known(request)
    change = {"acknowledge": alerts.acknowledge, "close": alerts.close}.get(what)
    if change is None:
        raise NotFoundException(f"expected acknowledge or close, got {what[:80]!r}")
    done: AlertChange | None = await asyncio.to_thread(change, customer_id, who.name, datetime.now(UTC))
    if done is not None:
        return done.alert
    same = await ids(office(request.app), customer_id)
    found = await asyncio.to_thread(alerts.find, AlertQuery(customers=same), 1)
    if not found:
        raise NotFoundException(f"expected a customer with an alert, got {customer_id[:256]!r}")
    raise HTTPException(
        f"expected an alert that can be {what}d, got one that is {found[0].state} by {found[0].by or 'nobody'}",
        status_code=409,
    )


def _alerts(request: Asked) -> Alerts:
    found = office(request.app).alerts
    if found is None:
        raise NotFoundException("expected a gateway that keeps alerts, got one without")
    return found


HANDLERS: Final = (list_alerts, change_alert)
