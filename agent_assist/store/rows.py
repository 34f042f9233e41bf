"""What a batch of messages means to the tables."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, String, Table, Update, bindparam, delete, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from agent_assist.call.record import order
from agent_assist.store.following import Wanted, settle_tasks, task_rows, webhook_rows
from agent_assist.store.instants import micros
from agent_assist.store.tables import (
    callers,
    calls,
    cards,
    degraded,
    desk,
    feedback,
    help_given,
    keys,
    positions,
    risks,
    synopsis_edits,
    tasks,
    utterances,
    webhooks,
)
from agent_assist.types import (
    Acknowledged,
    Article,
    Asked,
    Assist,
    Break,
    CallEnded,
    CallFlow,
    CallMeasures,
    CallMood,
    CallRisk,
    CallStarted,
    CallSynopsis,
    Card,
    CardFeedback,
    Compensation,
    CustomerKnown,
    Degraded,
    Event,
    Hint,
    Keys,
    Partial,
    SynopsisEdit,
    Webhook,
    Whisper,
    Withdrawn,
    Withheld,
)
from agent_assist.types import Final as FinalEvent

Row = dict[str, Any]

_CALL: Final = calls.c.call_id == bindparam("call")
_START: Final = (
    update(calls)
    # Attributes are not there of calls from before they were kept.
    .where(_CALL, or_(calls.c.started_at.is_(None), calls.c.attributes.is_(None)))
    .values({name: bindparam(f"new_{name}") for name in ("started_at", "protocol", "customer_id", "customer_name")})
    .values({name: bindparam(f"new_{name}") for name in ("agent_id", "queue", "attributes", "start")})
)
_KNOWN: Final = (
    update(calls)
    .where(_CALL)
    .values(
        customer_id=func.coalesce(calls.c.customer_id, bindparam("who")),
        customer_name=func.coalesce(calls.c.customer_name, bindparam("name")),
    )
)
_LENGTHEN: Final = (
    update(calls)
    .where(_CALL, calls.c.status == "live", calls.c.duration_ms < bindparam("until"))
    .values(duration_ms=bindparam("until"))
)
_END: Final = update(calls).where(_CALL).values(status=bindparam("how"), duration_ms=bindparam("until"))
_RISK: Final = (
    update(calls)
    .where(_CALL, calls.c.risk_at_ms <= bindparam("at"))
    .values(risk=bindparam("body"), risk_at_ms=bindparam("at"))
)
_MEASURES: Final = (
    update(calls)
    .where(_CALL, calls.c.measures_at_ms <= bindparam("at"))
    .values(measures=bindparam("body"), measures_at_ms=bindparam("at"), silence_ms=bindparam("silence"))
)


_TURNS: Final = (
    update(calls)
    .where(_CALL, calls.c.turns_at_ms <= bindparam("at"))
    .values(turns=bindparam("body"), turns_at_ms=bindparam("at"), shift=bindparam("change"))
)
_SYNOPSIS: Final = (
    update(calls)
    .where(_CALL, calls.c.synopsis_order < bindparam("place"))
    .values(synopsis=bindparam("body"), synopsis_order=bindparam("place"))
)


_FLOW: Final = (
    update(calls)
    .where(_CALL, calls.c.flow_at_ms <= bindparam("at"))
    .values(flow=bindparam("body"), flow_at_ms=bindparam("at"))
)
_PROVISIONAL: Final = cards.c.body.contains('"provisional":true', autoescape=True)
"""In JSON as we write it no text can look like that: its quotes are escaped."""


class Rows:
    """
    Rows of a batch, by table, and what changes on those of the calls.

    In one order of calls, so that two who write at once wait for each other and do not block each other.
    """

    def __init__(
        self, messages: Iterable[Event | Assist], arrivals: Iterable[int], wanted: Wanted | None = None
    ) -> None:
        tables = (
            *(calls, utterances, callers, feedback, degraded, keys, desk),
            *(help_given, synopsis_edits, tasks, webhooks),
        )
        self._inserts: dict[Table, list[Row]] = {table: [] for table in tables}
        # A call's end last: it settles the duration that finals lengthen.
        self._updates: dict[Update, list[Row]] = {
            u: [] for u in (_START, _KNOWN, _LENGTHEN, _RISK, _MEASURES, _TURNS, _SYNOPSIS, _FLOW, _END)
        }
        self._cards: dict[str, Card | None] = {}
        """What is to be of a card; None where it is withdrawn."""
        self._risks: dict[tuple[str, int], str] = {}
        known = ""
        for message, arrival in sorted(zip(messages, arrivals, strict=False), key=lambda one: one[0].call_id):
            if message.call_id != known and not isinstance(message, Partial):
                known = message.call_id
                self._inserts[calls].append({"call_id": known})
            self._add(message, arrival)
            if wanted is not None:
                self._inserts[webhooks] += webhook_rows(message, wanted)

    def write(self, connection: Connection, reached: Iterable[tuple[str, int, int]]) -> None:
        """Write what is new, and up to where the topics are read: topic, partition, next offset."""
        dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
        for table, rows in self._inserts.items():
            if rows:
                connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
        for statement, rows in self._updates.items():
            if rows:
                connection.execute(statement, rows)
        self._write_cards(connection, dialect)
        self._write_risks(connection, dialect)
        starts = [row["call"] for row in self._updates[_START]]
        if due := {*starts, *(row["call_id"] for row in self._inserts[tasks])}:
            settle_tasks(connection, due)
        rows = [{"topic": topic, "partition": part, "next_offset": offset} for topic, part, offset in sorted(reached)]
        if rows:
            insert = dialect.insert(positions)
            later = insert.excluded.next_offset
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["topic", "partition"],
                    set_={"next_offset": later},
                    where=positions.c.next_offset < later,
                ),
                rows,
            )

    def _write_risks(self, connection: Connection, dialect: Any) -> None:
        if not self._risks:
            return
        insert = dialect.insert(risks)
        later = insert.on_conflict_do_update(index_elements=["call_id", "at_ms"], set_={"body": insert.excluded.body})
        rows = [{"call_id": call, "at_ms": at_ms, "body": body} for (call, at_ms), body in self._risks.items()]
        connection.execute(later, rows)

    def _add_card(self, name: str, card: Card | None) -> None:
        known = self._cards.get(name)
        if known is None or known.provisional:
            self._cards[name] = card

    def _write_cards(self, connection: Connection, dialect: Any) -> None:
        """A provisional card gives way to the same one confirmed, and goes when it is withdrawn; no other does."""
        shown = [_card_row(card) for card in self._cards.values() if card is not None]
        gone = [name for name, card in self._cards.items() if card is None]
        if shown:
            insert = dialect.insert(cards)
            new = {name: insert.excluded[name] for name in ("kind", "at_ms", "body")}
            confirmed = insert.on_conflict_do_update(index_elements=["card_id"], set_=new, where=_PROVISIONAL)
            connection.execute(confirmed, shown)
        if gone:
            connection.execute(delete(cards).where(cards.c.card_id == bindparam("name"), _PROVISIONAL), _named(gone))

    def _add(self, message: Event | Assist, arrival: int) -> None:  # noqa: PLR0912, PLR0915 - a case for each message
        call = message.call_id
        match message:
            case CallStarted():
                self._updates[_START].append(
                    {
                        "call": call,
                        "new_started_at": message.at.astimezone(UTC),
                        "new_protocol": _fit(message.protocol, calls.c.protocol),
                        "new_customer_id": _fit(message.customer_id, calls.c.customer_id),
                        "new_customer_name": _fit(message.customer_name, calls.c.customer_name),
                        "new_agent_id": _fit(message.agent_id, calls.c.agent_id),
                        "new_queue": _fit(message.queue, calls.c.queue),
                        "new_attributes": _text(message.attributes),
                        "new_start": _text(message),
                    }
                )
            case CustomerKnown():
                self._add_known(message, arrival)
            case Partial():
                pass
            case FinalEvent():
                self._add_final(message, arrival)
            case Keys():
                row = {"keys_id": message.id, "call_id": call, "start_ms": message.start_ms, "body": _text(message)}
                self._inserts[keys].append(row)
                self._updates[_LENGTHEN].append({"call": call, "until": message.end_ms})
            case Degraded():
                row = {"call_id": call, "at_ms": message.at_ms, "stage": message.stage, "body": _text(message)}
                self._inserts[degraded].append(row)
            case CallEnded():
                how = "lost" if message.reason == "lost" else "ended"
                self._updates[_END].append({"call": call, "how": how, "until": message.duration_ms})
            case Card():
                self._add_card(message.id, message)
                self._inserts[tasks] += task_rows(message)
            case Withdrawn():
                self._add_card(message.card_id, None)
            case Withheld() | Webhook() | Break() | Compensation():
                pass
            case Article() | Hint():
                kind = str(message.__struct_config__.tag)
                row = {"help_id": message.id, "call_id": call, "kind": kind, "at_ms": message.at_ms}
                self._inserts[help_given].append(row | {"body": _text(message)})
            case CallRisk():
                body = _text(message.risk)
                self._updates[_RISK].append({"call": call, "at": message.at_ms, "body": body})
                self._risks[call, message.at_ms] = body
            case CallMeasures():
                silence = message.measures.non_talk_ms
                row = {"call": call, "at": message.at_ms, "body": _text(message.measures), "silence": silence}
                self._updates[_MEASURES].append(row)
            case CallMood():
                shift = None if message.swings is None else message.swings.shift
                row = {"call": call, "at": message.at_ms, "body": _text(message.turns), "change": shift}
                self._updates[_TURNS].append(row)
            case CallFlow():
                self._updates[_FLOW].append({"call": call, "at": message.at_ms, "body": _text(message)})
            case CallSynopsis():
                over, at_ms, rewritten = order(message)
                place = (over << 62) + (at_ms << 1) + rewritten
                self._updates[_SYNOPSIS].append({"call": call, "place": place, "body": _text(message)})
            case SynopsisEdit():
                at = message.at.astimezone(UTC)
                self._inserts[synopsis_edits].append({"call_id": call, "at": at, "body": _text(message)})
            case CardFeedback():
                row = {"card_id": message.card_id, "action": message.action.value, "call_id": call}
                self._inserts[feedback].append(row | {"body": _text(message)})
            case Acknowledged():
                self._note(message, f"acknowledged:{message.card_id}")
            case Asked() | Whisper():
                self._note(message, message.id)

    def _add_known(self, message: CustomerKnown, arrival: int) -> None:
        caller = message.caller
        row = {"call_id": message.call_id, "at_us": micros(caller.at), "arrival": arrival, "body": _text(message)}
        self._inserts[callers].append(row)
        who, name = _fit(caller.customer_id, calls.c.customer_id), _fit(caller.name or None, calls.c.customer_name)
        self._updates[_KNOWN].append({"call": message.call_id, "who": who, "name": name})

    def _note(self, message: Acknowledged | Asked | Whisper, desk_id: str) -> None:
        kind = str(message.__struct_config__.tag)
        row = {"desk_id": desk_id, "call_id": message.call_id, "kind": kind, "body": _text(message)}
        self._inserts[desk].append(row)

    def _add_final(self, message: FinalEvent, arrival: int) -> None:
        said = message.utterance
        self._inserts[utterances].append(
            {
                "utterance_id": said.id,
                "call_id": message.call_id,
                "start_ms": said.start_ms,
                "emotion": None if said.emotion is None else said.emotion.label.value,
                "sentiment": said.sentiment,
                "channel": said.channel.value,
                "text": said.text.replace("\0", ""),
                "arrival": arrival,
                "body": _text(said),
            }
        )
        self._updates[_LENGTHEN].append({"call": message.call_id, "until": said.end_ms})


def _card_row(card: Card) -> Row:
    return {
        "card_id": card.id,
        "call_id": card.call_id,
        "rule": card.rule,
        "kind": card.kind.value,
        "at_ms": card.at_ms,
        "body": _text(card),
    }


def _named(names: Iterable[str]) -> list[Row]:
    return [{"name": name} for name in names]


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _fit(text: str | None, column: Column[Any]) -> str | None:
    """What the telephone side says of a call, so that no database can refuse it: PostgreSQL knows no NUL."""
    length = column.type.length if isinstance(column.type, String) else None
    return None if text is None else text.replace("\0", "")[:length]
