"""The telephone doors, with a real WebSocket client."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from audio.errors import Busy, Refused
from audio.telephony.server import CallStart, MediaPolicy
from audio.telephony.waiting import WaitingRoom
from audio.types import Channel, Encoding

TOKEN = "one-use-token"
CUSTOMER, AGENT = Channel.CUSTOMER, Channel.AGENT


@contextmanager
def closes_with(code: int, reason: str = "") -> Iterator[None]:
    with pytest.raises(ConnectionClosed) as error:
        yield
    assert error.value.rcvd is not None
    assert (error.value.rcvd.code, reason in error.value.rcvd.reason) == (code, True), error.value.rcvd


async def begin(socket: ClientConnection, caller: Any, token: str = TOKEN, **parameters: str) -> None:
    await socket.send(caller.connected())
    await socket.send(caller.start({"token": token} | parameters))


async def speak(socket: ClientConnection, caller: Any, ms: int, first_ms: int = 0, value: int = 1) -> None:
    for at in range(first_ms, first_ms + ms, 20):
        await socket.send(caller.media(at, bytes([value]) * 160))
        await socket.send(caller.media(at, bytes([value + 1]) * 160, "outbound"))


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - conditions on objects that have no event
            await asyncio.sleep(0.005)


async def test_a_call_is_told_from_start_to_end(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller, customer_id="c-1", customer_name="李雷", agent_id="a-1", queue="sales")
        await speak(socket, caller, 500)
        await socket.send(caller.stop())
        assert await sink.end() == ("CA1", 500, True)
        await socket.wait_closed()
        assert socket.close_code == 1000
    assert sink.started_calls == [
        CallStart("CA1", "twilio", Encoding.PCMU, 8_000, "c-1", "李雷", "a-1", "sales"),
    ]
    assert [record.seq for record in sink.records["CA1"]] == [0, 1, 2]
    assert sink.heard("CA1", CUSTOMER) == b"\x01" * 4_000
    assert sink.heard("CA1", AGENT) == b"\x02" * 4_000
    assert (server.totals.connections, server.totals.streams, server.totals.refused) == (1, 1, 0)
    assert server.totals.messages.messages == 53


async def test_on_an_outbound_call_the_tracks_change_sides(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller, direction="outbound")
        await speak(socket, caller, 200)
        await socket.send(caller.stop())
        await sink.end()
    assert sink.heard("CA1", AGENT) == b"\x01" * 1_600
    assert sink.heard("CA1", CUSTOMER) == b"\x02" * 1_600


async def test_nothing_is_ever_said_to_a_fork(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        await speak(socket, caller, 200)
        await socket.send(caller.stop())
        assert [message async for message in socket] == []


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/twilio/x", "/v1/TWILIO", "//v1/twilio", "/v1/%74wilio", "/["])
async def test_an_unknown_path_is_not_found(serve: Any, path: str) -> None:
    _, url = await serve()
    with pytest.raises(InvalidStatus) as error:
        await connect(url.removesuffix("/v1/twilio") + path)
    assert error.value.response.status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "Ä"])
async def test_without_the_token_no_audio_is_taken(serve: Any, sink: Any, caller: Any, token: str) -> None:
    server, url = await serve()
    async with connect(url) as socket:
        with closes_with(1008, "token"):
            await begin(socket, caller, token)
            await speak(socket, caller, 400)
            await socket.recv()
    assert (sink.started_calls, dict(sink.records), sink.ends) == ([], {}, [])
    await until(lambda: server.totals.refused == 1)


async def test_the_reason_of_a_refusal_does_not_tell_the_token(serve: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller, "guess")
        with pytest.raises(ConnectionClosed) as error:
            await socket.recv()
    assert TOKEN not in str(error.value)
    assert "guess" not in str(error.value)


async def test_only_a_signed_upgrade_is_let_in_where_an_auth_token_is_set(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve(twilio_auth_token="secret", public_url="wss://calls.example")
    validator = RequestValidator("secret")
    good = validator.compute_signature("wss://calls.example/v1/twilio", {})
    newer = validator.compute_signature("wss://calls.example/v1/twilio", {}, algorithm="HMAC_SHA256")
    settings = ("X-Twilio-Webhooks-Signature-Settings", "key=SK1,algorithm=HMAC_SHA256")
    bad: list[list[tuple[str, str]]] = [
        [],
        [("X-Twilio-Signature", "")],
        [("X-Twilio-Signature", good[:-4])],
        [("X-Twilio-Signature", newer)],
        [("X-Twilio-Signature", good), settings],
        [("X-Twilio-Signature", good), ("X-Twilio-Signature", "x")],
        [("X-Twilio-Signature", validator.compute_signature(url, {}))],
    ]
    for headers in bad:
        with pytest.raises(InvalidStatus) as error:
            await connect(url, additional_headers=headers)
        assert error.value.response.status_code == 403
    async with connect(url, additional_headers=[("x-twilio-signature", newer), settings]):
        pass
    async with connect(url, additional_headers=[("x-twilio-signature", good)]) as socket:
        with closes_with(1008, "token"):
            await begin(socket, caller, "a replayed signature is not enough")
            await socket.recv()
    async with connect(url, additional_headers=[("X-Twilio-Signature", good)]) as socket:
        await begin(socket, caller)
        await socket.send(caller.stop())
        assert await sink.end() == ("CA1", 0, True)


@pytest.mark.parametrize(
    "policy",
    [{"token": ""}, {"twilio_auth_token": ""}, {"twilio_auth_token": "x"}],
    ids=lambda policy: next(iter(policy)),
)
def test_a_policy_that_leaves_a_door_open_by_mistake_is_refused(policy: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected"):
        MediaPolicy(**policy)  # type: ignore[arg-type]


async def test_who_does_not_say_who_he_is_is_sent_away(serve: Any, caller: Any) -> None:
    _, url = await serve(first_message_s=0.1)
    async with connect(url) as socket:
        with closes_with(1008, "a start within 0.1 s"):
            while True:
                await socket.send(caller.connected())
                await asyncio.sleep(0.01)


async def test_a_line_that_falls_silent_is_lost(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve(idle_s=0.1)
    async with connect(url) as socket:
        await begin(socket, caller)
        await speak(socket, caller, 300)
        with closes_with(1008, "a message within 0.1 s"):
            await socket.recv()
    assert sink.ends == [("CA1", 300, False)]
    assert server.totals.unclean == 1


async def test_a_line_that_breaks_is_flushed_and_ends_unclean(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        await speak(socket, caller, 500)
        await until(lambda: server.totals.messages.messages == 52)
        socket.transport.abort()
    assert await sink.end() == ("CA1", 500, False)
    assert sink.heard("CA1", CUSTOMER) == b"\x01" * 4_000


async def test_what_waited_for_its_turn_is_heard_when_the_line_breaks(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        caller.media(0)
        await socket.send(caller.media(20, b"\x07" * 160))
    assert await sink.end() == ("CA1", 40, False)
    assert sink.heard("CA1", CUSTOMER) == b"\xff" * 160 + b"\x07" * 160


async def test_a_close_without_a_stop_is_unclean(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        await speak(socket, caller, 40)
    assert await sink.end() == ("CA1", 40, False)


async def test_a_message_that_is_too_long_ends_its_connection(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    for pieces in (["x" * 70_000], ["x" * 1_000] * 70):
        async with connect(url) as socket:
            with closes_with(1009):
                await socket.send(pieces)
                await socket.recv()


async def test_text_that_is_no_utf8_ends_its_connection(serve: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        with closes_with(1007):
            await socket.send(b"\xff\xfe", text=True)
            await socket.recv()


async def test_compression_is_not_agreed_to(serve: Any) -> None:
    _, url = await serve()
    async with connect(url, compression="deflate") as socket:
        assert socket.protocol.extensions == []


@pytest.mark.parametrize("hostile", ["{", "[" * 60_000, '{"event": "media", "media": 7}'])
async def test_a_peer_that_talks_nonsense_harms_nobody_else(serve: Any, sink: Any, call: Any, hostile: str) -> None:
    server, url = await serve()
    good, bad = call("good"), call("bad")
    async with connect(url) as friend, connect(url) as enemy:
        await begin(friend, good)
        await begin(enemy, bad)
        await speak(friend, good, 200)
        with closes_with(1008):
            for _ in range(11):
                await enemy.send(hostile)
            await enemy.recv()
        await speak(friend, good, 200, first_ms=200)
        await friend.send(good.stop())
        await until(lambda: len(sink.ends) == 2)
    assert sorted(sink.ends) == [("bad", 0, False), ("good", 400, True)]
    assert server.totals.messages.malformed == 11


async def test_a_second_start_ends_its_call(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        with closes_with(1008, "a second"):
            await socket.send(caller.start({"token": TOKEN}))
            await socket.recv()
    assert sink.ends == [("CA1", 0, False)]


async def test_a_call_id_that_is_no_name_is_refused(serve: Any, sink: Any, call: Any) -> None:
    _, url = await serve()
    async with connect(url) as socket:
        with closes_with(1008, "callSid"):
            await begin(socket, call("../../x"))
            await socket.recv()
    assert sink.started_calls == []


@pytest.mark.parametrize(("refusal", "code"), [(Busy("50 calls are enough"), 1013), (Refused("not this one"), 1008)])
async def test_a_sink_may_refuse(serve: Any, sink: Any, caller: Any, refusal: Exception, code: int) -> None:
    server, url = await serve()
    sink.refusal = refusal
    async with connect(url) as socket:
        with closes_with(code, str(refusal)):
            await begin(socket, caller)
            await socket.recv()
    assert sink.ends == []
    await until(lambda: server.totals.refused == 1)


async def test_a_sink_that_fails_for_one_call_serves_the_others(serve: Any, sink: Any, call: Any) -> None:
    server, url = await serve()
    sink.fault = RuntimeError("the disk is full")
    good, bad = call("good"), call("broken")
    async with connect(url) as friend, connect(url) as other:
        await begin(friend, good)
        await begin(other, bad)
        with closes_with(1011):
            await speak(other, bad, 220)
            await other.recv()
        await speak(friend, good, 200)
        await friend.send(good.stop())
        await until(lambda: len(sink.ends) == 2)
    assert [(call_id, clean) for call_id, _, clean in sink.ends] == [("broken", False), ("good", True)]
    assert server.totals.streams == 2


async def test_a_slow_sink_makes_the_caller_wait_and_loses_nothing(serve: Any, sink: Any, caller: Any) -> None:
    _, url = await serve()
    sink.open.clear()
    async with connect(url) as socket:
        await begin(socket, caller)
        sending = asyncio.create_task(speak(socket, caller, 120_000))
        _, waiting = await asyncio.wait([sending], timeout=0.4)
        assert waiting, "12,000 messages were taken in while the sink took nothing"
        assert sink.records["CA1"] == []
        sink.open.set()
        await sending
        await socket.send(caller.stop())
        assert await sink.end() == ("CA1", 120_000, True)
    assert [record.seq for record in sink.records["CA1"]] == list(range(600))
    assert sink.heard("CA1", CUSTOMER) == b"\x01" * 960_000


async def test_the_same_call_on_a_new_connection_goes_on_and_the_old_one_is_closed(
    serve: Any, sink: Any, call: Any
) -> None:
    server, url = await serve()
    old, new = call("CA1"), call("CA1")
    async with connect(url) as before, connect(url) as after:
        await begin(before, old)
        await speak(before, old, 500)
        await until(lambda: len(sink.records["CA1"]) == 2)
        sink.position = 300
        await begin(after, new)
        with closes_with(4001, "superseded"):
            await before.recv()
        await speak(after, new, 400, value=5)
        await after.send(new.stop())
        assert await sink.end() == ("CA1", 1_000, True)
    # The old one's 500 ms are told, then comes the grid's next step, never one that was told before.
    assert [record.seq for record in sink.records["CA1"]] == [0, 1, 2, 3, 4]
    assert [len(record.customer) for record in sink.records["CA1"]] == [1_600, 1_600, 800, 1_600, 1_600]
    assert sink.records["CA1"][3].customer == b"\x05" * 1_600
    assert sink.ends == [("CA1", 1_000, True)]
    assert server.totals.superseded == 1


async def test_a_stranger_cannot_take_a_call_over(serve: Any, sink: Any, call: Any) -> None:
    server, url = await serve()
    owner, thief = call("CA1"), call("CA1")
    async with connect(url) as line, connect(url) as other:
        await begin(line, owner)
        await speak(line, owner, 200)
        with closes_with(1008, "token"):
            await begin(other, thief, "stolen")
            await other.recv()
        await speak(line, owner, 200, first_ms=200)
        await line.send(owner.stop())
        assert await sink.end() == ("CA1", 400, True)
    assert server.totals.superseded == 0


async def test_a_takeover_waits_for_the_audio_of_the_old_connection(serve: Any, sink: Any, call: Any) -> None:
    _, url = await serve()
    old, new = call("CA1"), call("CA1")
    async with connect(url) as before, connect(url) as after:
        await begin(before, old)
        await until(lambda: sink.started_calls)
        sink.open.clear()
        await speak(before, old, 1_000)
        await asyncio.sleep(0.05)
        sink.position = 1_000
        await begin(after, new)
        await speak(after, new, 400, value=5)
        await asyncio.sleep(0.05)
        assert len(sink.started_calls) == 1
        sink.open.set()
        await after.send(new.stop())
        await sink.end()
    sequence = [record.seq for record in sink.records["CA1"]]
    assert sequence == sorted(set(sequence))
    assert sink.heard("CA1", CUSTOMER).endswith(b"\x05" * 3_200)
    assert len(sink.ends) == 1


async def test_many_connections_of_one_call_leave_one(serve: Any, sink: Any, call: Any) -> None:
    server, url = await serve()
    sockets = [await connect(url) for _ in range(8)]
    await asyncio.gather(*(begin(socket, call("CA1")) for socket in sockets))
    await until(lambda: server.totals.superseded == 7)
    assert sink.ends == []
    await until(lambda: sum(socket.close_code == 4001 for socket in sockets) == 7)
    (last,) = [socket for socket in sockets if socket.close_code is None]
    await last.close()
    assert await sink.end() == ("CA1", 0, False)
    assert len(sink.ends) == 1


async def test_a_call_that_broke_off_never_goes_back(serve: Any, sink: Any, call: Any) -> None:
    _, url = await serve()
    first, second = call("CA1"), call("CA1")
    async with connect(url) as socket:
        await begin(socket, first)
        await speak(socket, first, 700)
    assert await sink.end() == ("CA1", 700, False)
    # The sink's clock is behind the audio, as when a recording is played fast.
    sink.position = 100
    async with connect(url) as socket:
        await begin(socket, second)
        await speak(socket, second, 200, value=5)
        await socket.send(second.stop())
        assert await sink.end() == ("CA1", 1_000, True)
    assert [record.seq for record in sink.records["CA1"]] == [0, 1, 2, 3, 4]


async def test_a_sink_that_refuses_the_new_connection_is_told_that_the_call_broke_off(
    serve: Any, sink: Any, call: Any
) -> None:
    _, url = await serve()
    async with connect(url) as before, connect(url) as after:
        await begin(before, call("CA1"))
        await until(lambda: sink.started_calls)
        sink.refusal = Busy("no more")
        with closes_with(1013):
            await begin(after, call("CA1"))
            await after.recv()
        with closes_with(4001):
            await before.recv()
    assert sink.ends == [("CA1", 0, False)]


async def test_connections_that_never_say_who_they_are_leave_room_for_calls(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve(max_waiting=3)
    async with connect(url) as call:
        await begin(call, caller)
        await until(lambda: sink.started_calls)
        silent = [await connect(url) for _ in range(3)]
        with pytest.raises(InvalidStatus) as error:
            await connect(url)
        assert error.value.response.status_code == 503
        await speak(call, caller, 200)
        await call.send(caller.stop())
        assert await sink.end() == ("CA1", 200, True)
        await asyncio.gather(*(socket.close() for socket in silent))
        async with connect(url):
            pass
    assert server.totals.refused >= 1


async def test_one_address_may_not_take_all_the_room(serve: Any) -> None:
    _, url = await serve(max_waiting_per_address=2, shared_addresses=frozenset())
    async with connect(url), connect(url):
        with pytest.raises(InvalidStatus) as error:
            await connect(url)
        assert error.value.response.status_code == 503


def test_the_waiting_room_counts_addresses_apart() -> None:
    room = WaitingRoom(MediaPolicy(max_waiting=3, max_waiting_per_address=1, shared_addresses=frozenset({"proxy"})))
    with room.seat("a"):
        assert not room.has_room("a")
        assert room.has_room("b")
        with room.seat("proxy"):
            assert room.has_room("proxy")
            with room.seat("proxy"):
                assert not room.has_room("b")
    assert room.has_room("a")


async def test_half_a_handshake_is_not_waited_for(serve: Any) -> None:
    _, url = await serve(first_message_s=0.1)
    port = int(url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/twilio HTTP/1.1\r\nHost: x\r\n")
    async with asyncio.timeout(3):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_when_the_doors_close_the_calls_are_lost_not_ended(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        await speak(socket, caller, 300)
        await until(lambda: server.totals.messages.messages == 32)
        await server.close()
        with closes_with(1001):
            await socket.recv()
    assert sink.ends == [("CA1", 300, False)]
    assert sink.heard("CA1", CUSTOMER) == b"\x01" * 2_400


async def test_the_doors_close_although_the_sink_takes_nothing(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve(close_s=0.1)
    sink.open.clear()
    async with connect(url) as socket:
        await begin(socket, caller)
        for track, ms in (("inbound", 400), ("outbound", 300)):
            for at in range(0, ms, 20):
                await socket.send(caller.media(at, track=track))
        # One record waits in the sink; more audio is at hand.
        await until(lambda: server.totals.messages.messages >= 32)
        async with asyncio.timeout(4):
            await server.close()
    assert sink.ends == []


async def test_a_late_track_and_a_gap_are_counted(serve: Any, sink: Any, caller: Any) -> None:
    server, url = await serve()
    async with connect(url) as socket:
        await begin(socket, caller)
        await socket.send(caller.media(0))
        await socket.send(caller.media(100))
        await socket.send(caller.media(50, payload=base64.b64encode(bytes(160)).decode()))
        await socket.send(caller.stop())
        await sink.end()
    assert (server.totals.filled, server.totals.late) == (640, 160)
