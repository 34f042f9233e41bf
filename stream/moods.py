"""The mood of what customers write: read beside the calls, by the reader that reads what is said."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from agent_assist.store.moods import TextMoods
from models.errors import ModelError
from models.reading import Reader
from stream import metrics

log = structlog.get_logger()

_AT_ONCE: Final = 16
"""Texts that are read together: between two batches calls have the processor."""
_LOOK_EVERY_S: Final = 5.0
_NEXT_S: Final = 0.05
_WITHOUT_S: Final = 600.0
"""Where weights are missing, until they are looked for again."""
_LONGEST: Final = 2_000
"""Characters of a text that are read, its first: a mail's history below it is not how its writer feels."""


def read_some(texts: TextMoods, reader: Reader, model: str) -> int:
    """Read what waits, a batch of it; blocks. Returns how many."""
    waiting = texts.unread(_AT_ONCE)
    if not waiting:
        return 0
    said = [one.text.strip()[:_LONGEST] for one in waiting]
    # In which language somebody writes nobody tells; the script says it.
    read = reader.read(said, [""] * len(said))
    found = [
        (one.event_id, None if it.words.value is None else round(it.words.value, 3), round(it.words.confidence, 3))
        for one, it in zip(waiting, read, strict=True)
    ]
    texts.keep(model, found)
    return len(found)


async def read_texts(texts: TextMoods, reader: Callable[[], Reader], model: str) -> None:
    """
    Read what comes in, until cancelled; while store or weights are away, wait.

    Args:
        reader: Loaded with the first text, for most workers have none.
        model: Under which name what was read is kept.
    """
    loaded: Reader | None = None
    while True:
        try:
            if loaded is None and len(await asyncio.to_thread(texts.unread, 1)):
                loaded = await asyncio.to_thread(reader)
            done = 0 if loaded is None else await asyncio.to_thread(read_some, texts, loaded, model)
        except (SQLAlchemyError, ModelError) as error:
            metrics.FAILED.labels("moods").inc()
            log.warning("moods_wait", error=type(error).__name__, pii_detail=str(error))
            await asyncio.sleep(_WITHOUT_S if isinstance(error, ModelError) else _LOOK_EVERY_S)
        else:
            await asyncio.sleep(_NEXT_S if done else _LOOK_EVERY_S)
