"""A call begins with what its customer was offered before, and begins without it where that is not to be had."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from agent_assist.call.before import OFFERS, OfferBefore
from agent_assist.web.live import Live
from audio.telephony.server import CallStart
from audio.types import Encoding
from stream.gateway import GatewayPolicy, Intake
from stream.overload import Admission
from stream.wire import AudioStart, decode_audio

Look = Callable[[CallStart, datetime], list[OfferBefore]]
POLICY = GatewayPolicy(
    broker="", host="", port=0, media_port=0, token="t", max_calls=9, twilio_auth_token=None, public_url=None
)


class Producer:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send_and_wait(self, topic: str, value: bytes, key: bytes) -> None:
        self.sent.append(value)


async def begun(look: Look, customer_id: str | None = "k", **attributes: str) -> dict[str, str]:
    producer = Producer()
    intake = Intake(producer, POLICY, Live(), Admission(), look)  # type: ignore[arg-type]
    await intake.started(CallStart("c", "t", Encoding.PCMU, 8_000, customer_id=customer_id, attributes=attributes))
    start: Any = decode_audio("c", producer.sent[0])
    assert isinstance(start, AudioStart)
    return start.attributes


def two(call: CallStart, at: datetime) -> list[OfferBefore]:
    return [OfferBefore("plan", 3, True), OfferBefore("insurance", 9, False)]


def away(call: CallStart, at: datetime) -> list[OfferBefore]:
    raise OperationalError("select", {}, Exception("away"))


async def test_earlier_offers_stand_in_the_attributes_of_the_call() -> None:
    assert await begun(two, tenant="t") == {"tenant": "t", OFFERS: "plan:3:refused,insurance:9:shown"}


@pytest.mark.parametrize(
    ("look", "customer_id", "given"),
    [(away, "k", {}), (two, None, {}), (lambda call, at: [], "k", {}), (two, "k", {OFFERS: "plan:1:shown"})],
)
async def test_a_call_begins_without_them_where_there_are_none_or_they_are_told(
    look: Look, customer_id: str | None, given: dict[str, str]
) -> None:
    assert await begun(look, customer_id, **given) == given
