"""What a bot, or a voice menu, did with a customer before an agent takes over: its words, its steps, what failed."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from models.intent import language_of
from models.redaction import redact

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Words = Annotated[str, msgspec.Meta(max_length=4_000)]
At = Annotated[datetime, msgspec.Meta(tz=True)]
Language = Literal["zh", "en"]

KEY: Final = "handoff"
"""Attribute of a call: the key under which the bot handed over, where the telephone side passes it on."""
_WANTED: Final = 120
"""Characters of what the customer wanted, and of an error."""
_SHOWN: Final = 12
"""Steps of the log that the agent sees at ring, the last ones."""
_NAMED: Final = 6
"""Steps done that the summary names, the last ones."""
_MARKS: Final = re.compile(r"^[\W_]+|[\W_]+$")
_GREETINGS: Final = frozenset(
    ["hi", "hello", "hey", "good morning", "agent", "human", "你好", "您好", "在吗", "人工", "转人工", "喂"]
)


class BotTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was said."""

    by: Literal["bot", "customer"]
    text: Words
    at: At | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bot tried for the customer."""

    step: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """In words that an agent understands."""
    result: Literal["ok", "failed", "skipped"]
    at: At
    error: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    """Why it failed."""

    def __post_init__(self) -> None:
        if self.error and self.result != "failed":
            raise ValueError(f"expected an error of a failed step alone, got one of a step that was {self.result}")


class HandoffGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a bot or a voice menu hands over.

    At least one of call, key, customer and telephone must be there, by which it is found at ring.
    """

    id: Id
    """Of the bot's conversation: the same hand-off sent again is one."""
    source: Literal["bot", "menu"] = "bot"
    at: At
    call_id: Id | None = None
    key: Id | None = None
    """Known to both sides: the attribute ``handoff`` of the call that comes."""
    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    phone: Annotated[str, msgspec.Meta(pattern=r"^\+[0-9]{6,15}$")] | None = None
    """E.164."""
    language: Language | None = None
    """Without it, that of what the customer wrote, or else of the steps."""
    wanted: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    """What the customer wanted, in the bot's words; without it, what they wrote first."""
    turns: Annotated[tuple[BotTurn, ...], msgspec.Meta(max_length=500)] = ()
    operations: Annotated[tuple[Operation, ...], msgspec.Meta(max_length=200)] = ()
    expires_in_s: Annotated[int, msgspec.Meta(ge=60, le=7 * 24 * 3_600)] = 24 * 3_600
    """From ``at`` on; a call that rings later does not show it."""

    def __post_init__(self) -> None:
        if not (self.call_id or self.key or self.customer_id or self.phone):
            raise ValueError("expected call_id, key, customer_id or phone, got none of them")
        if not self.turns and not self.operations:
            raise ValueError("expected turns or operations, got neither")


class Handoff(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-off as it is kept and shown: without what must not be kept."""

    id: str
    source: Literal["bot", "menu"]
    at: datetime
    expires_at: datetime
    call_id: str | None
    key: str | None
    customer_id: str | None
    language: Language
    wanted: str
    turns: tuple[BotTurn, ...]
    operations: tuple[Operation, ...]
    """By time."""
    failed: int | None
    """Place in ``operations`` of the step at which it ended; None where nothing failed, or it came right after all."""
    summary: Mapping[Language, str]


def kept(given: HandoffGiven, expires_at: datetime) -> Handoff:
    """What is kept of it."""
    turns = tuple(msgspec.structs.replace(one, text=redact(one.text)) for one in given.turns)
    steps = sorted(given.operations, key=lambda one: one.at)
    operations = tuple(
        msgspec.structs.replace(one, step=_line_of(redact(one.step)), error=_line_of(redact(one.error)))
        for one in steps
    )
    wanted = _line_of(redact(given.wanted)) or _wanted(turns)
    failed = _failed(operations)
    return Handoff(
        id=given.id,
        source=given.source,
        at=given.at,
        expires_at=expires_at,
        call_id=given.call_id,
        key=given.key,
        customer_id=given.customer_id,
        language=given.language or language_of(wanted or " ".join(one.step for one in operations), ""),
        wanted=wanted,
        turns=turns,
        operations=operations,
        failed=failed,
        summary={language: _summary(wanted, operations, failed, language) for language in ("zh", "en")},
    )


def shown(handoff: Handoff, language: Language) -> dict[str, str]:
    """Attributes of a call: what the agent sees at ring."""
    found = {
        "bot_summary": handoff.summary[language],
        "bot_log": "\n".join(_line(one) for one in handoff.operations[-_SHOWN:]),
        "bot_handoff": handoff.id,
    }
    if handoff.failed is not None:
        found["bot_failed_step"] = _failure(handoff.operations[handoff.failed], language)
    return {name: value for name, value in found.items() if value}


def _wanted(turns: tuple[BotTurn, ...]) -> str:
    """The first words of the customer that are more than a greeting."""
    said = [_line_of(one.text) for one in turns if one.by == "customer"]
    return next((_cut(one) for one in said if _MARKS.sub("", one).lower() not in {"", *_GREETINGS}), "")


def _failed(operations: tuple[Operation, ...]) -> int | None:
    """The last step that failed and was not done afterwards."""
    for at in range(len(operations) - 1, -1, -1):
        one = operations[at]
        if one.result == "failed" and not any(o.step == one.step and o.result == "ok" for o in operations[at + 1 :]):
            return at
    return None


def _summary(wanted: str, operations: tuple[Operation, ...], failed: int | None, language: Language) -> str:
    done = list(dict.fromkeys(one.step for one in operations if one.result == "ok"))
    done = ["…", *done[-_NAMED:]] if len(done) > _NAMED else done
    if language == "zh":
        parts = [f"客户想要:{wanted}" if wanted else "", f"已完成:{'、'.join(done)}" if done else ""]
        parts.append(f"失败步骤:{_failure(operations[failed], language)}" if failed is not None else "")
        return "。".join(part.rstrip("。") for part in parts if part)
    parts = [f"Wanted: {wanted}" if wanted else "", f"Done: {', '.join(done)}" if done else ""]
    parts.append(f"Failed: {_failure(operations[failed], language)}" if failed is not None else "")
    return ". ".join(part.rstrip(".") for part in parts if part)


def _failure(one: Operation, language: Language) -> str:
    if not one.error:
        return one.step
    return f"{one.step}({_cut(one.error)})" if language == "zh" else f"{one.step} ({_cut(one.error)})"


def _line(one: Operation) -> str:
    mark = {"ok": "✓", "failed": "✗", "skipped": "–"}[one.result]
    return f"{one.at:%H:%M:%S} {mark} {one.step}{f': {_cut(one.error)}' if one.error else ''}"


def _line_of(text: str) -> str:
    """A trace of several lines is one line of the log, and no line of it can pass for a step."""
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= _WANTED else f"{text[: _WANTED - 1]}…"
