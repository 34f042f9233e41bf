"""Stored calls to be found again, and clips of them. Blocking, like the store."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select

from agent_assist.errors import ClipError
from agent_assist.store.calls import CallStore
from agent_assist.store.tables import calls, cards, clips, utterances
from agent_assist.types import CallSummary
from audio.types import Channel

_HITS: Final = 5
"""Places in one call that are shown."""
_MOST_TERMS: Final = 8


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What calls are looked for by; all that is given must hold."""

    words: str = ""
    """Each of them, apart by spaces, within one utterance; case does not count."""
    speaker: Channel | None = None
    """Of the words."""
    emotion: str | None = None
    """The customer was so at least once."""
    rule: str | None = None
    """A card, tick or alert of this rule was shown."""
    shift: float | None = None
    """Mood at the end less that of the beginning, in public points: at least so much up, or, below 0, down."""
    silence_ms: int | None = None
    """Mutual silence in all, at least."""
    agent_id: str | None = None
    customer: str | None = None
    """Id or name, or part of it."""
    since: datetime | None = None
    until: datetime | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Where the words stand."""

    utterance_id: str
    channel: Channel
    start_ms: int
    text: str


class FoundCall(msgspec.Struct, frozen=True, kw_only=True):
    call: CallSummary
    hits: tuple[Hit, ...]
    """The first of them; none where no words were asked for."""


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a call that is worth hearing again."""

    id: str
    call_id: str
    start_ms: int
    end_ms: int
    title: str
    note: str
    tags: tuple[str, ...]
    by: str
    at: datetime


class NewClip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clip that is to be kept."""

    call_id: str
    start_ms: Annotated[int, msgspec.Meta(ge=0)]
    end_ms: int
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    note: Annotated[str, msgspec.Meta(max_length=4_000)] = ""
    tags: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=40)], ...], msgspec.Meta(max_length=20)
    ] = ()


class Library:
    """What reviewers look through."""

    def __init__(self, store: CallStore) -> None:
        self._store = store

    def find(self, query: Query, limit: int = 50, before: tuple[datetime, str] | None = None) -> list[FoundCall]:
        """
        Calls, the newest first.

        Args:
            before: Start and id of the last call of the page before.
        """
        terms = query.words.split()[:_MOST_TERMS]
        said = _said(terms, query.speaker)
        wanted = _wanted(query)
        if terms or query.speaker is not None:
            wanted.append(exists().where(utterances.c.call_id == calls.c.call_id, *said))
        lines = self._store.calls(limit=limit, before=before, where=wanted)
        hits = self._hits([line.call_id for line in lines], said) if terms else {}
        return [FoundCall(call=line, hits=tuple(hits.get(line.call_id, ())[:_HITS])) for line in lines]

    def _hits(self, ids: Sequence[str], said: Sequence[ColumnElement[bool]]) -> dict[str, list[Hit]]:
        u = utterances.c
        query = select(u.call_id, u.utterance_id, u.channel, u.start_ms, u.text).where(u.call_id.in_(ids), *said)
        found: dict[str, list[Hit]] = {}
        with self._store.engine.connect() as connection:
            for row in connection.execute(query.order_by(u.call_id, u.start_ms)).mappings():
                hit = Hit(
                    utterance_id=row["utterance_id"],
                    channel=Channel(row["channel"]),
                    start_ms=row["start_ms"],
                    text=row["text"],
                )
                found.setdefault(row["call_id"], []).append(hit)
        return found

    def keep(self, new: NewClip, by: str) -> Clip:
        """
        Keep a clip.

        Raises:
            ClipError: If it is none of a call that is known.
        """
        clip = Clip(id=uuid.uuid4().hex, by=by, at=datetime.now(UTC), **msgspec.structs.asdict(new))
        with self._store.engine.begin() as connection:
            length = connection.scalar(select(calls.c.duration_ms).where(calls.c.call_id == new.call_id))
            if length is None:
                raise ClipError("the id of a call", repr(new.call_id[:128]))
            if not 0 <= new.start_ms < new.end_ms <= length:
                raise ClipError(f"a start before an end, within {length} ms", f"{new.start_ms} to {new.end_ms} ms")
            row = msgspec.structs.asdict(clip)
            row |= {"clip_id": row.pop("id"), "tags": msgspec.json.encode(clip.tags).decode()}
            connection.execute(insert(clips), row)
        return clip

    def clips(
        self, tag: str | None = None, words: str = "", call_id: str | None = None, limit: int = 200
    ) -> list[Clip]:
        """Clips, the newest first."""
        c = clips.c
        query = select(clips).order_by(c.at.desc(), c.clip_id).limit(limit)
        if tag is not None:
            query = query.where(c.tags.contains(msgspec.json.encode(tag).decode(), autoescape=True))
        if call_id is not None:
            query = query.where(c.call_id == call_id)
        for word in words.split()[:_MOST_TERMS]:
            query = query.where(or_(c.title.icontains(word, autoescape=True), c.note.icontains(word, autoescape=True)))
        with self._store.engine.connect() as connection:
            return [_clip(row) for row in connection.execute(query).mappings()]

    def clip(self, clip_id: str) -> Clip | None:
        with self._store.engine.connect() as connection:
            row = connection.execute(select(clips).where(clips.c.clip_id == clip_id)).mappings().first()
        return None if row is None else _clip(row)

    def drop(self, clip_id: str) -> bool:
        """Let go of a clip; whether there was one."""
        with self._store.engine.begin() as connection:
            return connection.execute(delete(clips).where(clips.c.clip_id == clip_id)).rowcount > 0


def _said(terms: Sequence[str], speaker: Channel | None) -> list[ColumnElement[bool]]:
    """What must hold of one utterance."""
    found: list[ColumnElement[bool]] = [utterances.c.text.icontains(term, autoescape=True) for term in terms]
    if speaker is not None:
        found.append(utterances.c.channel == speaker.value)
    return found


def _wanted(query: Query) -> list[ColumnElement[bool]]:
    """What must hold of the call but for its words."""
    c = calls.c
    found: list[ColumnElement[bool]] = []
    if query.emotion is not None:
        found.append(
            exists().where(
                and_(utterances.c.call_id == c.call_id, utterances.c.emotion == query.emotion),
                utterances.c.channel == Channel.CUSTOMER.value,
            )
        )
    if query.rule is not None:
        found.append(exists().where(cards.c.call_id == c.call_id, cards.c.rule == query.rule))
    if query.shift is not None:
        found.append(c.shift <= query.shift if query.shift < 0 else c.shift >= query.shift)
    if query.silence_ms is not None:
        found.append(c.silence_ms >= query.silence_ms)
    if query.agent_id is not None:
        found.append(c.agent_id == query.agent_id)
    if query.customer is not None:
        found.append(
            or_(
                c.customer_id.icontains(query.customer, autoescape=True),
                c.customer_name.icontains(query.customer, autoescape=True),
            )
        )
    if query.since is not None:
        found.append(c.started_at >= query.since.astimezone(UTC))
    if query.until is not None:
        found.append(c.started_at < query.until.astimezone(UTC))
    return found


def _clip(row: Any) -> Clip:
    at: datetime = row["at"]
    return Clip(
        id=row["clip_id"],
        call_id=row["call_id"],
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        title=row["title"],
        note=row["note"],
        tags=msgspec.json.decode(row["tags"], type=tuple[str, ...]),
        by=row["by"],
        at=at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC),
    )
