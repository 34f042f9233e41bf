"""Webhooks to a real receiver: signed, again after failures, in order, once in effect, and never lost by a restart."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from agent_assist.store.calls import CallStore
from agent_assist.store.following import Wanted
from agent_assist.store.outbox import Outbox, Sent
from agent_assist.types import CallStarted, Card, CardKind, Webhook
from agent_assist.webhooks.receivers import Receiver
from agent_assist.webhooks.sending import Sender, SendPolicy, retry_after

KEY = b"k" * 24
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
QUICK = SendPolicy(attempts=4, first_s=0.01, factor=1.0, look_every_s=0.01)
WANTED = Wanted({"crm", "board"}, {"rule.fired": ["crm"], "alert.raised": ["crm", "board"]})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CallStore]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}", WANTED)
    store.upgrade()
    yield store
    store.close()


def told(number: int = 0, call: str = "c", receiver: str = "crm") -> Webhook:
    return Webhook(
        id=f"{call}:rule:{number}",
        call_id=call,
        rule="rule",
        receiver=receiver,
        at_ms=number,
        utterance_id="u",
        title="t",
        text=f"no. {number}",
        language="en",
        customer_id=None,
    )


def alert() -> Card:
    return Card(
        id="c:angry:u",
        call_id="c",
        rule="angry",
        kind=CardKind.ALERT,
        title="t",
        text="x",
        at_ms=0,
        utterance_id="u",
        priority=1,
        language="en",
        reason="r",
    )


def receiver(inbox: Any, name: str = "crm", timeout_s: float = 5.0) -> Receiver:
    return Receiver(name=name, url=inbox.url, keys=(KEY,), events=("rule.fired",), timeout_s=timeout_s)


@asynccontextmanager
async def sending(store: CallStore, *receivers: Receiver, **more: Any) -> AsyncIterator[None]:
    sender = Sender(Outbox(store.engine), receivers, chance=lambda: 0.0, **({"policy": QUICK} | more))
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(outbox: Outbox, met: Callable[[list[Sent]], bool]) -> list[Sent]:
    async with asyncio.timeout(30):
        while True:
            found = outbox.listed()[::-1]
            if met(found):
                return found
            await asyncio.sleep(0.02)


def settled(found: list[Sent]) -> bool:
    return all(one.state != "waiting" for one in found)


async def test_a_webhook_comes_signed_and_once(store: CallStore, inbox: Any) -> None:
    store.write([told()], {})
    async with sending(store, receiver(inbox)):
        await until(Outbox(store.engine), settled)
        # The topic read again, as after a restart.
        store.write([told()], {})
        await asyncio.sleep(0.1)
    ((headers, body),) = inbox.letters
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert headers["content-type"] == "application/json"
    letter = json.loads(body)
    assert (letter["type"], letter["data"]["type"], letter["data"]["text"]) == ("rule.fired", "webhook", "no. 0")


async def test_after_errors_silence_and_redirects_it_comes_again_under_the_same_id(
    store: CallStore, inbox: Any, silence: Any
) -> None:
    inbox.answers = [500, silence(inbox), (302, {"location": "http://127.0.0.1:1/elsewhere"})]
    store.write([told()], {})
    async with sending(store, receiver(inbox, timeout_s=0.3)):
        (sent,) = await until(Outbox(store.engine), settled)
    assert (sent.state, sent.attempts, sent.status) == ("delivered", 4, 204)
    assert len(inbox.letters) == 4
    # Who keeps ids sees one message, whatever the attempt.
    assert set(inbox.ids) == {sent.message_id}
    assert len({body for _, body in inbox.letters}) == 1


async def test_after_the_last_attempt_it_is_a_dead_letter_until_somebody_sends_it_again(
    store: CallStore, inbox: Any
) -> None:
    inbox.answers = [500, 503, 404, 500]
    store.write([told()], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox)):
        (dead,) = await until(outbox, settled)
        assert (dead.state, dead.attempts, dead.status, dead.error) == ("dead", 4, 500, "answered 500")
        assert outbox.retry([dead.seq + 1]) == 0
        assert outbox.retry([dead.seq]) == 1
        (sent,) = await until(outbox, settled)
    assert (sent.state, sent.attempts) == ("delivered", 1)
    assert len(set(inbox.ids)) == 1


async def test_those_of_a_call_come_in_order_and_other_calls_do_not_wait(store: CallStore, inbox: Any) -> None:
    inbox.answers = [500, 500]
    store.write([told(0), told(1), told(2)], {})
    async with sending(store, receiver(inbox)):
        await until(Outbox(store.engine), settled)
    texts = [json.loads(body)["data"]["text"] for _, body in inbox.letters]
    assert texts == ["no. 0", "no. 0", "no. 0", "no. 1", "no. 2"]


async def test_what_waits_for_one_call_holds_no_other_up(store: CallStore, inbox: Any) -> None:
    inbox.answers = [(503, {"retry-after": "3600"})]
    store.write([told(0)], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox)):
        (waiting,) = await until(outbox, lambda found: found[0].attempts == 1)
        # As long as the receiver asks for, not as long as the policy would.
        assert timedelta(minutes=59) < waiting.due_at - datetime.now(UTC) < timedelta(minutes=61)
        store.write([told(1), told(0, "d")], {})
        found = await until(outbox, lambda found: found[-1].state == "delivered")
    assert [(one.call_id, one.state) for one in found] == [("c", "waiting"), ("c", "waiting"), ("d", "delivered")]


async def test_a_receiver_that_does_not_answer_holds_no_other_up(
    store: CallStore, inbox: Any, other_inbox: Any, silence: Any
) -> None:
    inbox.answers = [silence(inbox)] * 20
    store.write([alert(), *(told(0, f"c{n}") for n in range(12))], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox, timeout_s=20), receiver(other_inbox, "board")):
        found = await until(outbox, lambda found: any(one.state == "delivered" for one in found))
    assert [(one.receiver, one.event) for one in found if one.state == "delivered"] == [("board", "alert.raised")]
    assert len(other_inbox.letters) == 1


async def test_a_receiver_that_has_gone_is_told_nothing_more_until_somebody_wants_it(
    store: CallStore, inbox: Any
) -> None:
    inbox.answers = [410]
    store.write([told(0), told(1), told(0, "d")], {})
    outbox = Outbox(store.engine)
    policy = SendPolicy(at_once=1, look_every_s=0.01)
    async with sending(store, receiver(inbox), policy=policy):
        await until(outbox, settled)
        store.write([told(2)], {})
        found = await until(outbox, settled)
        assert [one.state for one in found] == ["dead"] * 4
        assert len(inbox.letters) == 1
        assert outbox.retry(receiver="crm") == 4
        await until(outbox, lambda found: all(one.state == "delivered" for one in found))


async def test_one_letter_to_a_receiver_that_had_gone_can_be_sent_again(store: CallStore, inbox: Any) -> None:
    inbox.answers = [410]
    store.write([told(0), told(1)], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox), policy=SendPolicy(at_once=1, look_every_s=0.01)):
        first, later = await until(outbox, settled)
        assert (first.status, later.status) == (410, None)
        assert outbox.retry([later.seq]) == 1
        first, later = await until(outbox, settled)
    assert (later.state, first.state, first.error) == ("delivered", "dead", "answered 410")
    assert len(inbox.letters) == 2


async def test_a_receiver_that_is_still_gone_is_given_up_anew(store: CallStore, inbox: Any) -> None:
    inbox.answers = [410, 410]
    store.write([told(0), told(1), told(2)], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox), policy=SendPolicy(at_once=1, look_every_s=0.01)):
        found = await until(outbox, settled)
        assert outbox.retry([found[1].seq, found[2].seq]) == 2
        found = await until(outbox, settled)
    assert [one.state for one in found] == ["dead"] * 3
    assert len(inbox.letters) == 2


async def test_a_sender_that_is_killed_in_the_middle_loses_nothing(store: CallStore, inbox: Any, silence: Any) -> None:
    inbox.answers = [silence(inbox)]
    store.write([told(0), told(1)], {})
    outbox = Outbox(store.engine)
    async with sending(store, receiver(inbox), now=lambda: NOW + timedelta(days=9_000)):
        await until(outbox, lambda _: bool(inbox.letters))
    assert [one.state for one in outbox.listed()] == ["waiting", "waiting"]
    # While the lease of the one that died lasts, another leaves the letter alone.
    early = NOW + timedelta(days=9_000, seconds=1)
    assert outbox.take("crm", 9, now=early, lease=timedelta(seconds=1)) == []
    async with sending(store, receiver(inbox), now=lambda: NOW + timedelta(days=9_001)):
        await until(outbox, settled)
    assert [json.loads(body)["data"]["text"] for _, body in inbox.letters] == ["no. 0", "no. 0", "no. 1"]
    assert inbox.ids[0] == inbox.ids[1]


async def test_an_answer_without_end_is_not_read(store: CallStore) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endless = Receiver(name="crm", url=f"http://127.0.0.1:{port}/", keys=(KEY,), events=("rule.fired",), timeout_s=5)
    store.write([told()], {})
    async with server, sending(store, endless):
        (sent,) = await until(Outbox(store.engine), settled)
    assert (sent.state, sent.attempts) == ("delivered", 1)


async def test_nobody_there_is_a_failure_like_others(store: CallStore) -> None:
    nobody = Receiver(name="crm", url="http://127.0.0.1:9/", keys=(KEY,), events=("rule.fired",), timeout_s=5)
    store.write([told()], {})
    async with sending(store, nobody):
        (sent,) = await until(Outbox(store.engine), settled)
    assert (sent.state, sent.status, sent.error) == ("dead", None, "ConnectError")


async def test_a_store_that_is_away_for_a_while_costs_nothing(store: CallStore, inbox: Any) -> None:
    class Away(Outbox):
        left = 3

        def bury(self, receiver: str) -> int:
            self.left -= 1
            if self.left >= 0:
                raise OperationalError("SELECT", {}, OSError("away"))
            return super().bury(receiver)

    store.write([told()], {})
    outbox = Away(store.engine)
    sender = asyncio.create_task(Sender(outbox, [receiver(inbox)], policy=QUICK, chance=lambda: 0.0).run())
    await until(outbox, settled)
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    assert len(inbox.letters) == 1
    assert outbox.left < 0


def test_who_is_not_known_gets_a_dead_letter_and_who_does_not_want_it_none(store: CallStore) -> None:
    store.write([told(receiver="nobody"), told(receiver="board")], {})
    (dead,) = Outbox(store.engine).listed()
    assert (dead.receiver, dead.state, dead.error) == ("nobody", "dead", "no receiver of that name is set")


def test_without_receivers_nothing_is_put_aside(tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'plain.db'}")
    store.upgrade()
    store.write([told(), alert()], {})
    assert Outbox(store.engine).listed() == []
    store.close()


@given(st.integers(1, 30), st.floats(0, 1))
def test_delays_grow_up_to_a_bound_and_chance_adds_little(attempts: int, chance: float) -> None:
    policy = SendPolicy()
    plain, later = policy.delay(attempts, 0.0), policy.delay(attempts + 1, 0.0)
    assert timedelta(seconds=5) <= plain <= later <= timedelta(hours=6)
    assert plain <= policy.delay(attempts, chance) <= plain * 1.2 + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        ("soon", 0),
        ("120", 120),
        ("-5", 0),
        ("9" * 30, 86_400),
        ("9" * 5_000, 86_400),
        ("Sun, 01 Mar 2026 09:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 09:01:00 +99999999999999999999", 0),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(value: str, seconds: int) -> None:
    assert retry_after({"retry-after": value}, NOW) == timedelta(seconds=seconds)


def test_the_start_of_a_call_is_told_to_nobody(store: CallStore) -> None:
    store.write([CallStarted(call_id="c", at=NOW, protocol="test")], {})
    assert Outbox(store.engine).listed() == []
