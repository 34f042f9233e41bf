"""Which language the first seconds of a clip are taken for, through the telephone's codec."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.clips import clips
from models.asr import WhisperRecogniser
from models.types import Spoken

SECONDS: Final = (1, 2, 3)


class SpokenIn(msgspec.Struct, frozen=True, kw_only=True):
    """The beginnings of the clips of a set; clips that are shorter are left out."""

    name: str
    language: str
    seconds: int
    n: int
    read: dict[str, int]
    """How often each language was taken; "unknown" where nothing was heard."""


def spoken(recogniser: WhisperRecogniser, manifest: Sequence[Path], limit: int | None) -> tuple[SpokenIn, ...]:
    """Of each set and length."""
    found: list[SpokenIn] = []
    for path in manifest:
        some = list(clips(path, split=None, limit=limit, codec="pcmu"))
        for language in sorted({one.language for one in some}):
            for seconds in SECONDS:
                long = [one.pcm for one in some if one.language == language and len(one.pcm) >= seconds * 16_000]
                read: dict[str, int] = {}
                for pcm in long:
                    (said,) = recogniser.transcribe([Spoken(pcm=pcm[: seconds * 16_000], final=True)])
                    read[said.language] = read.get(said.language, 0) + 1
                name = path.resolve().parent.name
                found.append(SpokenIn(name=name, language=language, seconds=seconds, n=len(long), read=read))
    return tuple(found)
