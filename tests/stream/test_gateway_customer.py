"""A call begins with what is known of its customer, and begins without it where that is not to be had."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from agent_assist.call.before import OFFERS, OfferBefore, offers_before
from agent_assist.call.handoff import HandoffGiven, Operation
from agent_assist.customer import events
from agent_assist.customer.caller import Caller
from agent_assist.customer.tags import Business, load
from agent_assist.store.callers import Callers
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.handoffs import Handoffs
from agent_assist.store.profiles import Profiles
from agent_assist.types import CallStarted, Card, CardFeedback, CardKind, FeedbackAction
from agent_assist.web.live import Live
from audio.telephony.server import CallStart
from audio.types import Encoding
from stream.gateway import GatewayPolicy, Intake, Ring, at_ring
from stream.overload import Admission
from stream.wire import AudioStart, decode_audio

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = GatewayPolicy(
    broker="", host="", port=0, media_port=0, token="t", max_calls=9, twilio_auth_token=None, public_url=None
)


class Producer:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send_and_wait(self, topic: str, value: bytes, key: bytes) -> None:
        self.sent.append(value)


def call(customer_id: str | None = "k", **attributes: str) -> CallStart:
    return CallStart("c", "t", Encoding.PCMU, 8_000, customer_id=customer_id, attributes=attributes)


async def begun(who: Callable[[], Caller], started: CallStart) -> AudioStart:
    producer = Producer()
    ring = lambda *_: Ring(who(), {"bot_summary": "tried", "tenant": "other"})  # noqa: E731
    intake = Intake(producer, POLICY, Live(), Admission(), ring)  # type: ignore[arg-type]
    await intake.started(started)
    start: Any = decode_audio("c", producer.sent[0])
    assert isinstance(start, AudioStart)
    return start


async def test_what_is_known_stands_with_the_call_and_what_the_telephone_side_says_comes_first() -> None:
    def known() -> Caller:
        given = {"customer_tier": "gold", "likely_reason": "late"}
        return Caller(at=NOW, customer_id="k", name="Kim", attributes=given)

    start = await begun(known, call(None, tenant="t", customer_tier="vip"))
    assert (start.customer_id, start.customer_name) == ("k", "Kim")
    told = {"tenant": "t", "customer_tier": "vip"}
    assert start.attributes == {"bot_summary": "tried", "likely_reason": "late"} | told
    assert start.caller == known()


async def test_a_store_that_is_away_or_slow_or_spoilt_keeps_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Caller:
        raise OperationalError("select", {}, Exception("away"))

    def slow() -> Caller:
        time.sleep(0.5)
        return Caller(at=NOW, customer_id="k", name="too late", attributes={"a": "b"})

    def spoilt() -> Caller:
        raise OverflowError("date value out of range")

    monkeypatch.setattr("stream.gateway._LOOK_S", 0.05)
    for look in (away, slow, spoilt):
        start = await begun(look, call(tenant="t"))
        assert (start.customer_id, start.customer_name, start.attributes) == ("k", None, {"tenant": "t"})


@pytest.fixture
def callers(tmp_path: Path) -> Iterator[Callers]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    customers = CustomerStore(store.engine)
    customers.take(
        [events.Known(event_id=name, customer_id=name, at=NOW, name=name.upper(), language="en") for name in "ab"]
        + [
            events.Identified(event_id=f"p{n}", customer_id=name, at=NOW, kind="phone", value=value)
            for n, (name, value) in enumerate((("a", "+861"), ("a", "+862"), ("b", "+862")))
        ],
        "test",
        NOW,
    )
    yield Callers(Profiles(customers, load(), Business()), store.engine)
    store.close()


def test_a_customer_is_known_by_id_or_by_a_number_that_is_theirs_alone(callers: Callers) -> None:
    def found(customer_id: str | None, **given: str) -> tuple[str | None, str] | None:
        caller = callers.at_ring(customer_id, given, NOW)
        return None if caller is None else (caller.customer_id, caller.name)

    assert found("a") == ("a", "A")
    assert found(None, phone="+861") == ("a", "A")
    assert found("b", phone="+861") == ("b", "B")
    assert found(None, phone="+869") is None
    assert found("stranger") is None
    assert found(None) is None
    several = callers.at_ring(None, {"phone": "+862"}, NOW)
    assert several == Caller(at=NOW, customer_id=None, attributes={"customers_of_phone": "a,b"})


def test_earlier_offers_stand_there_unless_they_are_told(callers: Callers, tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    card = Card(
        id="old:plan:u", call_id="old", rule="plan", kind=CardKind.CARD, title="t", text="t", at_ms=0, utterance_id="u",
        priority=1, language="en", reason="r", offer=True,
    )  # fmt: skip
    store.write(
        [
            CallStarted(call_id="old", at=datetime(2026, 11, 22, 12, tzinfo=UTC), protocol="t", customer_id="a"),
            card,
            CardFeedback(call_id="old", card_id=card.id, action=FeedbackAction.DISMISSED, at=NOW),
        ],
        {},
    )

    def given(customer_id: str, **told: str) -> dict[str, str]:
        caller = callers.at_ring(customer_id, told, NOW)
        assert caller is not None
        return caller.attributes

    assert offers_before(given("a")) == [OfferBefore("plan", 3, True)]
    assert OFFERS not in given("a", **{OFFERS: "x:1:shown"})
    assert OFFERS not in given("b")
    # Who refused under one id is the same under the other.
    CustomerStore(store.engine).take([events.Merged(event_id="m", customer_id="a", at=NOW, into="b")], "test", NOW)
    assert offers_before(given("b")) == [OfferBefore("plan", 3, True)]
    store.close()


def test_what_a_bot_did_stands_with_the_call_it_is_followed_by(callers: Callers, tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    failed = Operation(step="reset the password", result="failed", at=NOW, error="timed out")
    handoffs = Handoffs(store.engine)
    handoffs.take(HandoffGiven(id="h", at=NOW, phone="+861", operations=(failed,)), NOW)
    caller, found = at_ring(callers, handoffs, call(None, phone="+861"), NOW)
    assert caller is not None
    assert caller.customer_id == "a"
    assert (found["bot_failed_step"], found["bot_handoff"]) == ("reset the password (timed out)", "h")
    again = at_ring(callers, handoffs, call(None, phone="+861", language="zh-CN"), NOW).handed
    assert again["bot_summary"] == "失败步骤:reset the password(timed out)"
    assert at_ring(callers, handoffs, call("b"), NOW).handed == {}
    handoffs.take(HandoffGiven(id="h2", at=NOW, customer_id="a", operations=(failed,)), NOW)
    CustomerStore(store.engine).take([events.Merged(event_id="m", customer_id="a", at=NOW, into="b")], "test", NOW)
    assert at_ring(callers, handoffs, call("b"), NOW).handed["bot_handoff"] == "h2"
    store.close()
