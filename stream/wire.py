"""What stands in the topics: audio as a small binary header and the payload as received, all else as JSON."""

import struct
from datetime import datetime
from typing import Final, Literal, TypeVar

import msgspec

from agent_assist.customer.alerts import AlertChange
from agent_assist.customer.caller import Caller
from agent_assist.customer.events import CustomerEvent
from agent_assist.routing.types import RoutingHint
from agent_assist.types import Assist, Event
from audio.types import AudioRecord, Encoding
from models.types import ChurnRisk
from stream.errors import WireError

T = TypeVar("T")

VERSION: Final = 1

_START: Final = 0
_RECORD: Final = 1
_END: Final = 2

_HEADER: Final = struct.Struct(">BBBxIIQI")
"""Version, kind, encoding, rate, sequence number, first sample, bytes of the customer's payload."""
_ENCODINGS: Final = (Encoding.PCMU, Encoding.PCMA, Encoding.PCM16)


class AudioStart(msgspec.Struct, frozen=True, kw_only=True):
    """A call begins, or goes on after its connection was lost."""

    at: datetime
    """UTC."""
    protocol: str
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    attributes: dict[str, str] = {}
    """What else the telephone side told, and ``caller`` where it did not."""
    caller: Caller | None = None
    """Who calls, as far as it is known."""


class AudioEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A call ends."""

    duration_ms: int
    reason: Literal["hangup", "lost"]


AudioMessage = AudioStart | AudioRecord | AudioEnd
"""The topic ``call.audio``."""


class ChurnSignal(msgspec.Struct, frozen=True, kw_only=True, tag="churn"):
    """The topic ``churn.signals``: the last known risk of a customer."""

    customer_id: str
    call_id: str
    at_ms: int
    """Since that call began."""
    risk: ChurnRisk
    v: int = 1


class ListenLoad(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """The topic ``listen.load``: how busy a worker is."""

    worker: str
    calls: int
    step: int
    """What it gives up, see ``stream.overload``; in the last step it should get no new calls."""
    late_ms: int
    """How long the most urgent of its jobs has waited."""
    v: int = 1


class Invalid(msgspec.Struct, frozen=True, kw_only=True, tag="invalid"):
    """The topics ``*.invalid``: what could not be read or handled."""

    topic: str
    partition: int
    offset: int
    reason: str
    """The class of the error and its sentence; never words of a call."""
    payload: bytes
    """As it was, base64 in JSON."""
    v: int = 1


_json = msgspec.json.Encoder()
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_load = msgspec.json.Decoder(ListenLoad)
_assist: msgspec.json.Decoder[Assist] = msgspec.json.Decoder(Assist)
_customer: msgspec.json.Decoder[CustomerEvent] = msgspec.json.Decoder(CustomerEvent)
_signal: msgspec.json.Decoder[ChurnSignal | AlertChange] = msgspec.json.Decoder(ChurnSignal | AlertChange)
_start = msgspec.json.Decoder(AudioStart)
_end = msgspec.json.Decoder(AudioEnd)


def encode_audio(message: AudioMessage) -> bytes:
    """Write a message of ``call.audio``; its key, the call id, travels beside it."""
    match message:
        case AudioRecord():
            encoding = _ENCODINGS.index(message.encoding)
            header = _HEADER.pack(
                VERSION, _RECORD, encoding, message.rate, message.seq, message.offset, len(message.customer)
            )
            return header + message.customer + message.agent
        case AudioStart():
            return bytes((VERSION, _START)) + _json.encode(message)
        case AudioEnd():
            return bytes((VERSION, _END)) + _json.encode(message)


def decode_audio(call_id: str, value: bytes) -> AudioMessage:
    """
    Read a message of ``call.audio``.

    Raises:
        WireError: If the value is no such message.
    """
    where = f"call.audio, call={call_id}"
    if len(value) < 2 or value[0] != VERSION:
        raise WireError(f"a message of version {VERSION}", repr(bytes(value[:2])), where)
    kind = value[1]
    try:
        if kind == _RECORD:
            return _decode_record(call_id, value)
        if kind == _START:
            return _start.decode(value[2:])
        if kind == _END:
            return _end.decode(value[2:])
    except (msgspec.MsgspecError, struct.error) as error:
        raise WireError("a well-formed message", str(error), where) from error
    raise WireError("a kind from 0 to 2", str(kind), where)


def _decode_record(call_id: str, value: bytes) -> AudioRecord:
    _, _, encoding, rate, seq, offset, customer = _HEADER.unpack_from(value)
    payload = value[_HEADER.size :]
    if encoding >= len(_ENCODINGS) or customer > len(payload):
        raise WireError(
            "a known encoding and a payload as long as its header says",
            f"encoding {encoding} and {len(payload)} bytes for {customer}",
            f"call.audio, call={call_id}, seq={seq}",
        )
    return AudioRecord(
        call_id=call_id,
        seq=seq,
        offset=offset,
        rate=rate,
        encoding=_ENCODINGS[encoding],
        customer=payload[:customer],
        agent=payload[customer:],
    )


def encode(
    message: Event | Assist | ChurnSignal | AlertChange | CustomerEvent | RoutingHint | ListenLoad | Invalid,
) -> bytes:
    """Write a message of any other topic."""
    return _json.encode(message)


def decode_load(value: bytes) -> ListenLoad:
    """
    Read a message of ``listen.load``.

    Raises:
        WireError: If the value is no such message.
    """
    return _decode(_load, value, "a worker's load", "listen.load")


def decode_event(value: bytes) -> Event:
    """
    Read a message of ``call.events``.

    Raises:
        WireError: If the value is no such message.
    """
    return _decode(_event, value, "an event", "call.events")


def decode_assist(value: bytes) -> Assist:
    """
    Read a message of ``call.assist``.

    Raises:
        WireError: If the value is no such message.
    """
    return _decode(_assist, value, "an assist message", "call.assist")


def decode_customer(value: bytes) -> CustomerEvent:
    """
    Read a message of ``customer.events``.

    Raises:
        WireError: If the value is no such message.
    """
    return _decode(_customer, value, "an event of a customer", "customer.events")


def decode_signal(value: bytes) -> ChurnSignal | AlertChange:
    """
    Read a message of ``churn.signals``.

    Raises:
        WireError: If the value is no such message.
    """
    return _decode(_signal, value, "a risk or an alert's change", "churn.signals")


def _decode(decoder: msgspec.json.Decoder[T], value: bytes, expected: str, topic: str) -> T:
    try:
        return decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise WireError(expected, str(error), topic) from error
