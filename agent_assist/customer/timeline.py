"""What was had with a customer, on all channels in one order: calls, contacts, orders, cases, answers."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agent_assist.customer.events import Case, Interaction, Order, Survey
from agent_assist.customer.facts import Facts
from models.types import RiskLevel

_LINE: Final = 160


class MoodThen(msgspec.Struct, frozen=True, kw_only=True):
    """How the customer felt in a contact."""

    value: float
    """-1 ... 1: of a call how they sounded in the end, of a text its sentiment."""
    agitation: float | None = None
    """0 ... 1, the highest; None of a text."""
    of: Literal["call", "text"]


class RiskThen(msgspec.Struct, frozen=True, kw_only=True):
    """The last risk that was told in a call."""

    score: float
    level: RiskLevel


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the history of a customer."""

    at: datetime
    """When it was, or began."""
    kind: Literal["call", "contact", "order", "case", "survey"]
    id: str
    channel: str | None = None
    direction: Literal["in", "out"] | None = None
    issue: str = ""
    line: str = ""
    status: str = ""
    amount: Decimal | None = None
    currency: str = ""
    score: float | None = None
    """Of an answer."""
    agent_id: str | None = None
    call_id: str | None = None
    """Where there is a call to be heard again."""
    complaint: bool = False
    solved: bool | None = None
    mood: MoodThen | None = None
    risk: RiskThen | None = None


class CallThen(msgspec.Struct, frozen=True, kw_only=True):
    """A call as its own record tells it."""

    call_id: str
    at: datetime
    status: str
    agent_id: str | None
    direction: Literal["in", "out"]
    risk: RiskThen | None


def timeline(known: Facts, calls: Iterable[CallThen], moods: Mapping[str, float]) -> list[Entry]:
    """
    All that was had with a customer, the latest first.

    A call and the contact that it became are one.

    Args:
        moods: Sentiment of what was written, by the event.
    """
    contacts = {one.call_id: one for one in known.interactions if one.call_id is not None}
    ours = [_call(call, contacts.get(call.call_id)) for call in calls]
    told = {entry.call_id for entry in ours}
    entries = [
        *ours,
        *(_contact(one, moods) for one in known.interactions if one.call_id is None or one.call_id not in told),
        *_traded(known),
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.kind, entry.id), reverse=True)


def _traded(known: Facts) -> Iterator[Entry]:
    for order in known.orders:
        yield _order(order)
    for case in known.cases:
        yield _case(case)
    for survey in known.surveys:
        yield _survey(survey)


def _call(call: CallThen, contact: Interaction | None) -> Entry:
    entry = Entry(
        at=call.at,
        kind="call",
        id=call.call_id,
        channel="phone",
        direction=call.direction,
        status=call.status,
        agent_id=call.agent_id,
        call_id=call.call_id,
        risk=call.risk,
    )
    if contact is None:
        return entry
    return msgspec.structs.replace(
        entry,
        issue=contact.issue,
        line=_short(contact.text),
        complaint=contact.complaint,
        solved=contact.solved,
        mood=_felt(contact),
    )


def _contact(one: Interaction, moods: Mapping[str, float]) -> Entry:
    mood, written = _felt(one), moods.get(one.event_id)
    if mood is None and written is not None:
        mood = MoodThen(value=written, of="text")
    return Entry(
        at=one.at,
        kind="contact",
        id=one.interaction_id,
        channel=one.channel,
        direction=one.direction,
        issue=one.issue,
        line=_short(one.text),
        agent_id=one.agent_id,
        complaint=one.complaint,
        solved=one.solved,
        mood=mood,
    )


def _felt(one: Interaction) -> MoodThen | None:
    if one.valence is None:
        return None
    return MoodThen(value=one.valence, agitation=one.agitation, of="call" if one.channel == "phone" else "text")


def _order(one: Order) -> Entry:
    goods = ", ".join(line.name or line.product_id for line in one.lines)
    return Entry(
        at=one.ordered_at,
        kind="order",
        id=one.order_id,
        line=_short(goods),
        status=one.status,
        amount=one.amount,
        currency=one.currency,
    )


def _case(one: Case) -> Entry:
    return Entry(
        at=one.opened_at,
        kind="case",
        id=one.case_id,
        channel=one.channel,
        issue=one.issue or one.type,
        status=one.status,
        complaint=one.type == "complaint",
    )


def _survey(one: Survey) -> Entry:
    return Entry(at=one.at, kind="survey", id=one.survey_id, line=one.kind, score=one.score)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LINE else f"{words[: _LINE - 1]}…"
