"""Routing hints from the store into their topic: each at least once, also after a broker or a gateway was away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.routing.types import RoutingHint
from agent_assist.store.routing import Routing

log = structlog.get_logger()

_LOOK_S: Final = 5.0
_AGAIN_S: Final = 0.5


async def send_hints(store: Routing, send: Callable[[RoutingHint], Awaitable[None]], given: asyncio.Event) -> None:
    """
    Send what the topic may not have yet, for ever.

    Args:
        send: Returns when the topic has it.
        given: Set when a hint was kept; without it there is a look every few seconds.
    """
    while True:
        given.clear()
        try:
            while hints := await asyncio.to_thread(store.unsent):
                for hint in hints:
                    await send(hint)
                    await asyncio.to_thread(store.sent, [hint.id])
        except (KafkaError, SQLAlchemyError) as error:
            log.warning("hints_wait", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_S)
            continue
        try:
            async with asyncio.timeout(_LOOK_S):
                await given.wait()
        except TimeoutError:
            pass
