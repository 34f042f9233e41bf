"""The live channel over real sockets: nothing twice, nothing lost, and one slow reader harms no other."""

import asyncio
import json
import random
import socket
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent_assist.web import channel

RIGHT = ["warmline.v1", "token.correct-horse"]


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the hub has no event for tests
            await asyncio.sleep(0.01)


async def closed_with(client: Any) -> int:
    try:
        async with asyncio.timeout(10):
            while True:
                await client.recv()
    except ConnectionClosed as error:
        assert error.rcvd is not None
        return error.rcvd.code


@pytest.mark.parametrize("protocols", [None, ["warmline.v1"], ["warmline.v1", "token.wrong"], ["token."]])
async def test_who_has_no_token_is_closed_with_4401(served_site: Any, call: Any, protocols: Any) -> None:
    served_site.live.publish(call("c").started())
    for wanted in (None, "c", "latest"):
        async with connect(served_site.url(wanted), subprotocols=protocols, proxy=None) as client:
            assert await closed_with(client) == 4401


async def test_the_token_comes_as_a_subprotocol_or_in_a_header(served_site: Any, call: Any, next_message: Any) -> None:
    served_site.live.publish(call("c").started())
    async with connect(served_site.url("c"), subprotocols=RIGHT, proxy=None) as client:  # type: ignore[arg-type]
        assert client.subprotocol == "warmline.v1"
        assert (await next_message(client))["kind"] == "snapshot"
    headers = {"authorization": "Bearer correct-horse"}
    async with connect(served_site.url("c"), additional_headers=headers, proxy=None) as client:
        assert (await next_message(client))["kind"] == "snapshot"


async def test_a_page_of_another_site_is_closed_even_with_the_token(
    served_site: Any, call: Any, next_message: Any
) -> None:
    served_site.live.publish(call("c").started())
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{served_site.port}.evil.example"):
        async with connect(served_site.url("c"), subprotocols=RIGHT, origin=origin, proxy=None) as client:  # type: ignore[arg-type]
            assert await closed_with(client) == 4401
    origin = f"http://127.0.0.1:{served_site.port}"
    async with connect(served_site.url("c"), subprotocols=RIGHT, origin=origin, proxy=None) as client:  # type: ignore[arg-type]
        assert (await next_message(client))["kind"] == "snapshot"


async def test_a_name_made_to_point_here_is_refused(served_site: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"ws://evil.example:{served_site.port}/v1/live",
            host="127.0.0.1",
            subprotocols=RIGHT,
            proxy=None,  # type: ignore[arg-type]
        )
    assert refused.value.response.status_code == 403


async def test_an_unknown_call_is_closed_with_4404(served_site: Any) -> None:
    async with served_site.listen("nobody") as client:
        assert await closed_with(client) == 4404


async def test_a_call_is_told_from_its_snapshot_on(served_site: Any, call: Any, next_message: Any) -> None:
    c, hub = call("c"), served_site.live
    for message in (c.started(), c.final(0), c.partial(1)):
        hub.publish(message)
    async with served_site.listen("c") as client:
        first = await next_message(client)
        assert (first["kind"], first["seq"], first["epoch"]) == ("snapshot", 2, hub.epoch)
        assert [u["text"] for u in first["data"]["utterances"]] == ["said 0"]
        assert [p["text"] for p in first["data"]["partials"]] == ["said 1"]
        sent = [c.partial(1, 1), c.final(1), c.card(1), c.risk(3_500, 0.5), c.feedback(1), c.ended()]
        for message in sent:
            hub.publish(message)
        got = [await next_message(client) for _ in sent]
    assert [m["kind"] for m in got] == ["partial", "final", "card", "risk", "feedback", "ended"]
    assert [m["seq"] for m in got] == [2, 3, 4, 5, 6, 7]
    assert all(m["data"]["type"] == m["kind"] and m["data"]["call_id"] == "c" for m in got)


async def test_an_old_call_comes_from_the_store_and_what_is_thought_of_it_is_told(
    served_site: Any, call: Any, next_message: Any
) -> None:
    c = call("old")
    served_site.store.write([c.started(), c.final(0), c.card(0), c.ended()], {})
    async with served_site.listen("old", epoch="of-yesterday", after=3) as client:
        first = await next_message(client)
        assert (first["kind"], first["data"]["status"]) == ("snapshot", "ended")
        served_site.live.publish(c.feedback(0))
        assert (await next_message(client))["kind"] == "feedback"


@pytest.mark.slow
async def test_connections_that_break_again_and_again_lose_nothing_and_see_nothing_twice(
    served_site: Any, call: Any, next_message: Any
) -> None:
    c, hub, chance = call("c"), served_site.live, random.Random(7)
    hub.publish(c.started())
    seen: list[int] = []
    partials: list[str] = []
    state = {"epoch": "", "seq": 0, "connections": 0, "snapshots": 0}
    total = 300

    async def speak() -> None:
        for number in range(total):
            hub.publish(c.partial(number))
            hub.publish(c.final(number))
            hub.publish(c.final(max(number - 3, 0)))
            await asyncio.sleep(0.003)

    async def follow() -> None:
        while len(seen) < total:
            client = await served_site.listen("c", epoch=state["epoch"], after=state["seq"])
            state["connections"] += 1
            for _ in range(chance.randint(1, 25)):
                message = await next_message(client)
                if message["kind"] == "snapshot":
                    state["snapshots"] += 1
                    seen.extend(u["number"] for u in message["data"]["utterances"])
                elif message["kind"] == "final":
                    seen.append(message["data"]["utterance"]["number"])
                elif message["kind"] == "partial":
                    partials.append(message["data"]["utterance_id"])
                state["epoch"], state["seq"] = message["epoch"], message["seq"]
                if len(seen) >= total:
                    break
            # As a machine that goes away: no close frame.
            client.transport.abort()

    await asyncio.gather(speak(), follow())
    assert seen == list(range(total))
    assert state["snapshots"] == 1
    assert state["connections"] > 10
    assert partials


async def test_after_a_restart_of_the_gateway_there_is_a_snapshot(
    served_site: Any, call: Any, next_message: Any
) -> None:
    c = call("c")
    served_site.live.publish(c.started())
    async with served_site.listen("c", epoch="of-the-gateway-before", after=1) as client:
        assert (await next_message(client))["kind"] == "snapshot"


@pytest.mark.parametrize("after", ["-1", "x", "９", "1" * 400, "1e3"])
async def test_a_number_that_is_none_gets_a_snapshot_or_what_was_missed(
    served_site: Any, call: Any, next_message: Any, after: str
) -> None:
    served_site.live.publish(call("c").started())
    async with served_site.listen("c", after=after) as client:
        assert (await next_message(client))["kind"] == "snapshot"


async def test_the_latest_call_is_followed_and_the_next_when_it_has_ended(
    served_site: Any, call: Any, next_message: Any
) -> None:
    hub, one, two = served_site.live, call("one"), call("two")
    async with served_site.listen("latest") as client:
        assert (await next_message(client))["kind"] == "waiting"
        hub.publish(one.started())
        assert (await next_message(client))["data"]["call_id"] == "one"
        hub.publish(two.started(5))
        hub.publish(one.final(0))
        assert (await next_message(client))["data"]["call_id"] == "one"
        hub.publish(one.ended())
        assert (await next_message(client))["kind"] == "ended"
        switched = await next_message(client)
        assert (switched["kind"], switched["data"]["call_id"]) == ("snapshot", "two")
        hub.publish(one.feedback(0))
        hub.publish(two.final(0))
        assert (await next_message(client))["data"]["call_id"] == "two"


async def test_the_list_of_calls_is_told_and_kept_up_to_date(served_site: Any, call: Any, next_message: Any) -> None:
    old, now = call("old"), call("now")
    served_site.store.write([old.started(), old.ended()], {})
    async with served_site.listen() as client:
        first = await next_message(client)
        assert (first["kind"], [line["call_id"] for line in first["data"]]) == ("calls", ["old"])
        served_site.live.publish(now.started(60))
        line = await next_message(client)
        assert (line["kind"], line["data"]["call_id"], line["data"]["status"]) == ("call", "now", "live")
        served_site.live.publish(now.final(0))
        served_site.live.publish(now.ended())
        line = await next_message(client)
        assert (line["data"]["status"], line["data"]["utterances"]) == ("ended", 1)


@pytest.mark.slow
async def test_a_quiet_channel_gives_signs_of_life(
    served_site: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "_PING_S", 0.4)
    served_site.live.publish(call("c").started())
    for wanted in ("c", None):
        async with served_site.listen(wanted) as client, asyncio.timeout(10):
            kinds = [json.loads(await client.recv())["kind"] for _ in range(3)]
            assert kinds[1:] == ["ping", "ping"]


async def test_what_a_listener_sends_is_of_no_consequence(served_site: Any, call: Any, next_message: Any) -> None:
    c = call("c")
    served_site.live.publish(c.started())
    async with served_site.listen("c") as client, served_site.listen("c") as loud:
        await next_message(client)
        await loud.send("{}")
        await loud.send(b"\x00\xff")
        await loud.send("x" * 70_000)
        assert await closed_with(loud) == 1009
        served_site.live.publish(c.final(0))
        assert (await next_message(client))["kind"] == "final"


@pytest.mark.slow
async def test_a_slow_reader_is_cut_with_1013_and_nobody_else_waits(
    served_site: Any, call: Any, next_message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    c, hub = call("c"), served_site.live
    hub.publish(c.started())
    # A reader whose windows are small and that does not read on for now.
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", served_site.port))
    slow = await connect(
        served_site.url("c"),
        sock=line,
        subprotocols=RIGHT,  # type: ignore[arg-type]
        compression=None,
        max_queue=1,
        ping_interval=None,
        proxy=None,
    )
    async with served_site.listen("c") as quick:
        assert (await next_message(quick))["kind"] == "snapshot"
        worst = 0.0
        for number in range(3_000):
            hub.publish(c.final(number, text="x" * 4_000))
            begin = time.perf_counter()
            assert (await next_message(quick))["data"]["utterance"]["number"] == number
            worst = max(worst, time.perf_counter() - begin)
        assert worst < 1.0
        assert await closed_with(slow) == 1013
        # It comes again, and is told where things stand.
        async with served_site.listen("c", epoch=hub.epoch, after=1) as again:
            assert (await next_message(again))["kind"] == "snapshot"
        hub.publish(c.final(3_000))
        assert (await next_message(quick))["data"]["utterance"]["number"] == 3_000


@pytest.mark.slow
async def test_a_reader_that_never_reads_again_is_forgotten(
    served_site: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "_SEND_S", 0.3)
    c, hub = call("c"), served_site.live
    hub.publish(c.started())
    client = await served_site.listen("c")
    client.transport.pause_reading()
    await until(lambda: len(hub._calls["c"].listeners) == 1)
    for number in range(2_000):
        hub.publish(c.final(number, text="x" * 20_000))
        await asyncio.sleep(0)
    await until(lambda: not hub._calls["c"].listeners)
    client.transport.abort()


@pytest.mark.slow
async def test_five_hundred_listeners_hear_the_same(served_site: Any, call: Any, next_message: Any) -> None:
    c, hub = call("c"), served_site.live
    hub.publish(c.started())
    clients = []
    for _ in range(10):
        clients += await asyncio.gather(*[served_site.listen("c") for _ in range(50)])
    for client in clients:
        assert (await next_message(client))["kind"] == "snapshot"
    for number in range(5):
        hub.publish(c.final(number))
    for client in clients:
        assert [(await next_message(client))["data"]["utterance"]["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(hub._calls["c"].listeners) == 500
    for client in clients:
        client.transport.abort()
    await until(lambda: not hub._calls["c"].listeners)
