"""The live channel over WebSocket."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import structlog
from litestar import WebSocket, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect

from agent_assist.errors import SlowListener
from agent_assist.web.access import PROTOCOL, Office, is_known_origin, office, whose
from agent_assist.web.listener import Listener, Message, Told, tell
from agent_assist.web.live import Live
from agent_assist.web.passes import Pass, Role

log = structlog.get_logger()

_PING_S: Final = 15.0
_SEND_S: Final = 10.0
"""So long may a message wait for the other side to read."""
_UNAUTHORISED, _FORBIDDEN, _UNKNOWN, _TRY_AGAIN = 4401, 4403, 4404, 1013
_PING: Final = tell(Message(kind="ping"))

Socket = WebSocket[Any, Any, State]


@websocket("/v1/live")
async def live_channel(socket: Socket) -> None:
    """A call (``call=ID``, or ``call=latest`` of those that one may see), or the list of calls."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    # Accepted even when refused: a browser tells its page no status, but tells it the code of a close.
    await socket.accept(subprotocols=PROTOCOL if PROTOCOL in offered else None)
    who = whose(socket)
    if who is None or who.role is Role.SWITCH or not is_known_origin(socket):
        await socket.close(_UNAUTHORISED, "expected a known origin and the subprotocol token.TOKEN")
        return
    reading = asyncio.create_task(_until_closed(socket))
    telling = asyncio.create_task(_tell(socket, who, socket.query_params.get("call")))
    try:
        await asyncio.wait({reading, telling}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()
        telling.cancel()
        results = await asyncio.gather(reading, telling, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.warning("live_failed", error=type(result).__name__, pii_detail=str(result))


async def _until_closed(socket: Socket) -> None:
    """Nothing is expected of the other side but its going."""
    while True:
        await socket.receive_data(mode="text")


async def _tell(socket: Socket, who: Pass, wanted: str | None) -> None:
    us = office(socket.app)
    agent_id = who.name if who.of_agent else None
    try:
        async with asyncio.timeout(None if who.expires_at is None else who.expires_at - time.time()):
            if wanted is None:
                lines = await asyncio.to_thread(us.store.calls, limit=200, agent_id=agent_id)
                await _pump(socket, us.live, us.live.listen_all(lines, agent_id))
            elif wanted == "latest":
                await _follow_latest(socket, us.live, agent_id)
            else:
                await _follow(socket, us, who, wanted)
    except TimeoutError:
        await _close(socket, _UNAUTHORISED, "the pass has expired")
    except SlowListener as error:
        log.info("listener_cut", detail=str(error))
        await _close(socket, _TRY_AGAIN, "read too slowly; come again and resume")


async def _send(socket: Socket, told: Told) -> None:
    try:
        async with asyncio.timeout(_SEND_S):
            await socket.send_text(told.text)
    except TimeoutError as error:
        raise SlowListener(1) from error


async def _close(socket: Socket, code: int, reason: str) -> None:
    """Say why, if that is read; the connection ends either way."""
    try:
        async with asyncio.timeout(_SEND_S):
            await socket.close(code, reason)
    except TimeoutError:
        log.info("close_unread", code=code)


async def _follow(socket: Socket, us: Office, who: Pass, call_id: str) -> None:
    after = socket.query_params.get("after", "")
    seen = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    epoch = socket.query_params.get("epoch", "")
    record = us.live.record(call_id)
    if record is None and (record := await asyncio.to_thread(us.store.call, call_id)) is not None:
        us.live.load([record])
    if record is not None and not who.may_see(record.agent_id):
        await _close(socket, _FORBIDDEN, "another agent's call")
        return
    agent_id = who.name if who.of_agent else None
    listener = us.live.listen(call_id, epoch=epoch, after=seen, agent_id=agent_id)
    if listener is None:
        await _close(socket, _UNKNOWN, "expected the id of a call")
    else:
        await _pump(socket, us.live, listener)


async def _follow_latest(socket: Socket, hub: Live, agent_id: str | None) -> None:
    """The call that began last; when it has ended and another begins, that one."""
    shown: str | None = None
    quiet = 0.0
    while True:
        newest = hub.newest(agent_id)
        listener = hub.listen(newest, agent_id=agent_id) if newest is not None and newest != shown else None
        if newest is not None and listener is not None:
            shown, quiet = newest, 0.0
            await _pump(socket, hub, listener, until=partial(_is_superseded, hub, newest, agent_id))
            continue
        if shown is None and quiet == 0.0:
            await _send(socket, tell(Message(kind="waiting", epoch=hub.epoch)))
        await asyncio.sleep(0.2)
        quiet += 0.2
        if quiet >= _PING_S:
            quiet = 0.2
            await _send(socket, _PING)


def _is_superseded(hub: Live, call_id: str, agent_id: str | None) -> bool:
    return hub.is_over(call_id) and hub.newest(agent_id) not in (None, call_id)


async def _pump(socket: Socket, hub: Live, listener: Listener, until: Callable[[], bool] = lambda: False) -> None:
    """Pass on what the listener gets, with a sign of life where that is nothing."""
    quiet = 0.0
    try:
        while not until():
            told = await listener.get(0.5)
            quiet = 0.0 if told is not None else quiet + 0.5
            if told is not None:
                await _send(socket, told)
            elif quiet >= _PING_S:
                quiet = 0.0
                await _send(socket, _PING)
    finally:
        hub.leave(listener)
