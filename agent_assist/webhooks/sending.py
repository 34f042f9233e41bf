"""Webhooks on their way: what is due in the outbox, to each receiver by itself, until each is taken or given up."""

import asyncio
import email.utils
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.store.outbox import GONE, Letter, Outbox
from agent_assist.webhooks.receivers import Receiver
from agent_assist.webhooks.signing import headers

log = structlog.get_logger()

_LEASE_MARGIN: Final = timedelta(seconds=15)
_DIGITS: Final = 9
"""Of seconds that are read."""
_LATEST: Final = timedelta(hours=24)
"""A receiver that asks for more than a day is asked again after a day."""


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """When is what is not taken sent again."""

    attempts: int = 10
    """Then it is a dead letter: with the times below after 20 to 24 hours."""
    first_s: float = 5.0
    factor: float = 4.0
    most_s: float = 6 * 3600.0
    jitter: float = 0.2
    """At most so much of the delay is added by chance, so that not all come again at once."""
    at_once: int = 8
    """Letters under way to one receiver."""
    look_every_s: float = 1.0

    def delay(self, attempts: int, chance: float) -> timedelta:
        """
        After so many attempts, at least 1.

        Args:
            chance: 0 ... 1.
        """
        plain_s = min(self.first_s * self.factor ** (attempts - 1), self.most_s)
        return timedelta(seconds=plain_s * (1 + self.jitter * chance))


class Answer(NamedTuple):
    """What came of an attempt."""

    status: int | None
    """None where no answer came."""
    error: str
    """Empty where it was taken."""
    wait: timedelta = timedelta(0)
    """That the receiver asks for."""


class Sender:
    """
    Tells receivers what the outbox holds for them.

    Each receiver has a task of its own, so none waits for another. An attempt ends after the receiver's time, follows
    no redirect, and reads the answer's head alone, of whatever size the rest.

    Args:
        now: UTC.
        chance: 0 ... 1, drawn anew each time.
    """

    def __init__(
        self,
        outbox: Outbox,
        receivers: Iterable[Receiver],
        *,
        policy: SendPolicy = SendPolicy(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._receivers = tuple(receivers)
        self._policy = policy
        self._now = now
        self._chance = chance

    async def run(self) -> None:
        """
        Send until cancelled; while the store is away, wait.

        What is under way when it ends is sent again when its lease has run out.
        """
        while True:
            try:
                await self._run()
            except* SQLAlchemyError as group:
                log.warning("webhooks_wait", errors=[type(error).__name__ for error in group.exceptions])
            await asyncio.sleep(self._policy.look_every_s)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, limits=limits) as client,
            asyncio.TaskGroup() as group,
        ):
            for receiver in self._receivers:
                group.create_task(self._serve(client, receiver))

    async def _serve(self, client: httpx.AsyncClient, receiver: Receiver) -> None:
        under_way: set[asyncio.Task[None]] = set()
        lease = timedelta(seconds=receiver.timeout_s) + _LEASE_MARGIN
        async with asyncio.TaskGroup() as group:
            while True:
                free = self._policy.at_once - len(under_way)
                letters = await self._taken(receiver, free, lease) if free else []
                for letter in letters:
                    task = group.create_task(self._send(client, receiver, letter))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                if under_way:
                    # The next letter of a call may go as soon as the one before is there.
                    await asyncio.wait(
                        under_way, timeout=self._policy.look_every_s, return_when=asyncio.FIRST_COMPLETED
                    )
                else:
                    await asyncio.sleep(self._policy.look_every_s)

    async def _taken(self, receiver: Receiver, most: int, lease: timedelta) -> list[Letter]:
        def take() -> list[Letter]:
            if buried := self._outbox.bury(receiver.name):
                log.warning("webhooks_given_up", receiver=receiver.name, letters=buried)
            return self._outbox.take(receiver.name, most, now=self._now(), lease=lease)

        return await asyncio.to_thread(take)

    async def _send(self, client: httpx.AsyncClient, receiver: Receiver, letter: Letter) -> None:
        try:
            answer = await attempt(client, receiver, letter, self._now())
        except Exception as error:
            # Whatever a receiver answers costs its own letter, and neither the others nor the calls.
            answer = Answer(None, type(error).__name__)
        if not answer.error:
            await asyncio.to_thread(self._outbox.delivered, letter, answer.status or 0)
            return
        attempts = letter.attempts + 1
        again = None
        if answer.status != GONE and attempts < self._policy.attempts:
            again = self._now() + max(self._policy.delay(attempts, self._chance()), answer.wait)
        log.warning(
            "webhook_failed",
            receiver=receiver.name,
            message=letter.message_id,
            attempt=attempts,
            error=answer.error,
            dead=again is None,
        )
        await asyncio.to_thread(self._outbox.failed, letter, answer.status, answer.error, again)


async def attempt(client: httpx.AsyncClient, receiver: Receiver, letter: Letter, now: datetime) -> Answer:
    """Send a letter once."""
    body = letter.body.encode()
    signed = headers(letter.message_id, int(now.timestamp()), body, receiver.keys)
    try:
        async with (
            asyncio.timeout(receiver.timeout_s),
            client.stream(
                "POST",
                receiver.url,
                content=body,
                headers={"content-type": "application/json", "user-agent": "warmline", **signed},
                timeout=receiver.timeout_s,
            ) as response,
        ):
            status = response.status_code
            wait = retry_after(response.headers, now)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(None, f"no answer within {receiver.timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(None, type(error).__name__)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(status, "")
    return Answer(status, f"answered {status}", wait)


def retry_after(given: Mapping[str, str], now: datetime) -> timedelta:
    """
    How long a receiver wants to be left alone, a day at most; nothing where it says nothing that can be read.

    Source: RFC 9110, section 10.2.3.
    """
    value = given.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:_DIGITS])), _LATEST)
    try:
        at = email.utils.parsedate_to_datetime(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return min(max(at - now, timedelta(0)), _LATEST)
    except (ValueError, OverflowError):
        return timedelta(0)
