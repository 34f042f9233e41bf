"""
Calls paced in real time, and when each turn of theirs was told: the same measure for every system.

A turn is *told* when the last text that is marked final and lies over it arrives, and *settled* when its text, final or
not, changed for the last time. Both count from the end of the turn as the recording's truth has it.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from audio.recording import Recording, read_recording
from audio.types import Channel
from models.textnorm import Errors, cer, normalise, wer

DATA: Final = Path(__file__).resolve().parents[1] / "tests" / "data"
CALLS: Final = ("zh_late_order", "en_cancel_plan")
LANGUAGES: Final = {"zh_late_order": "zh", "en_cancel_plan": "en"}
_SPEAKERS: Final = (Channel.CUSTOMER, Channel.AGENT)


class Turn(NamedTuple):
    """What somebody says, by the recording's truth."""

    channel: Channel
    start_ms: int
    end_ms: int
    text: str


class Text(NamedTuple):
    """A piece of a transcript."""

    channel: Channel
    start_ms: int
    end_ms: int
    text: str
    final: bool


@dataclass(slots=True)
class _Seen:
    text: str = ""
    settled: float | None = None
    told: float | None = None


@dataclass(slots=True)
class Line:
    """One call, and what a system has said of it so far."""

    id: str
    language: str
    recording: Recording
    turns: list[Turn]
    began: float = float("inf")
    """When sample 0 was due, by ``time.time``."""
    texts: dict[str, Text] = field(default_factory=dict)
    """By a key that a newer version of the same piece has, too."""
    ended: bool = False
    """Whether the system has said so."""
    _seen: dict[int, _Seen] = field(default_factory=dict)

    def say(self, now: float, put: dict[str, Text], drop: Iterable[str] = ()) -> None:
        """Note pieces that came or changed, and keys that went."""
        # A piece may have grown into the next turn, and no longer lie over this one.
        changed = [*put.values(), *(self.texts[key] for key in (*drop, *put) if key in self.texts)]
        for key in drop:
            self.texts.pop(key, None)
        self.texts |= put
        for number, turn in enumerate(self.turns):
            if not any(_over(one, turn) for one in changed):
                continue
            over = sorted(one for one in self.texts.values() if _over(one, turn))
            text = normalise(" ".join(one.text for one in over))
            seen = self._seen.setdefault(number, _Seen())
            if text != seen.text:
                seen.text, seen.settled = text, now
            if over and all(one.final for one in over):
                seen.told = now

    def close(self, channel: Channel) -> None:
        """The call is over: what was told last stays, and counts as final since it changed last."""
        self.texts |= {key: one._replace(final=True) for key, one in self.texts.items() if one.channel is channel}
        for number, seen in self._seen.items():
            if self.turns[number].channel is channel and seen.text and seen.told is None:
                seen.told = seen.settled

    def late_ms(self, *, settled: bool) -> list[float]:
        """For each turn that was told, how long after its end."""
        found = []
        for number, seen in self._seen.items():
            at = seen.settled if settled else seen.told
            if at is not None and seen.text:
                found.append((at - self.began) * 1000 - self.turns[number].end_ms)
        return found

    def missed(self) -> int:
        """Turns of which nothing final was told."""
        told = {number for number, seen in self._seen.items() if seen.told is not None and seen.text}
        return len(self.turns) - len(told)

    def errors(self) -> Errors:
        """Words of the whole call, channel by channel; ideographs for Chinese."""
        total = Errors()
        for channel in Channel:
            mine = [turn for turn in self.turns if turn.channel is channel]
            # What lies over no turn is the piece of one that the end of the call cuts off.
            heard = sorted(one for one in self.texts.values() if one.final and any(_over(one, turn) for turn in mine))
            said = " ".join(turn.text for turn in mine)
            total += (cer if self.language == "zh" else wer)(said, " ".join(one.text for one in heard))
        return total


Dial = Callable[[Line], Awaitable[None]]
"""Plays a call in real time and notes what a system says of it, until it has said all."""
System = Callable[[int], AbstractAsyncContextManager[Dial]]
"""Starts a system for so many calls."""


def _over(text: Text, turn: Turn) -> bool:
    """Whether a text belongs to a turn: at least half of the shorter of the two lies over the other."""
    both = min(text.end_ms, turn.end_ms) - max(text.start_ms, turn.start_ms)
    return text.channel is turn.channel and 2 * both >= min(
        max(text.end_ms - text.start_ms, 1), turn.end_ms - turn.start_ms
    )


def lines(calls: int, seconds: float, talk_share: float | None = None) -> list[Line]:
    """
    The sample calls over and over, each line beginning at another turn.

    Args:
        talk_share: Share of the time in which anybody speaks; silence is put between the turns to reach it. None
            leaves the calls as they are.
    """
    return [_line(CALLS[n % len(CALLS)], n, calls, seconds, talk_share) for n in range(calls)]


def _line(name: str, number: int, calls: int, seconds: float, talk_share: float | None) -> Line:
    recording = read_recording([DATA / f"{name}.wav"])
    rate = recording.rate
    truth: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["turns"]
    first = round(len(truth) * number / calls)
    # Cut in the middle of the pauses, so that every piece is a whole turn.
    cuts = [0, *(round((a["end"] + b["start"]) / 2 * rate) for a, b in pairwise(truth))]
    cuts.append(recording.samples)
    spoken = sum(turn["end"] - turn["start"] for turn in truth) / (recording.samples / rate)
    pause = 0 if talk_share is None else max(0, int((spoken / talk_share - 1) * recording.samples / len(truth)))
    pieces: tuple[list[Any], list[Any]] = ([], [])
    turns, at, length = [], 0, int(seconds * rate)
    while at < length:
        n = (first + len(pieces[0])) % len(truth)
        begin, end = cuts[n], cuts[n + 1]
        turn = truth[n]
        start_ms, end_ms = (round((at - begin) / rate * 1000 + turn[edge] * 1000) for edge in ("start", "end"))
        if end_ms * rate // 1000 < length - rate // 2:
            turns.append(Turn(_SPEAKERS[turn["channel"]], start_ms, end_ms, turn["text"]))
        for kept, pcm in zip(pieces, (recording.customer, recording.agent), strict=True):
            kept.append(np.pad(np.asarray(pcm)[begin:end], (0, pause)))
        at += end - begin + pause
    customer, agent = (np.concatenate(kept)[:length] for kept in pieces)
    whole = msgspec.structs.replace(recording, customer=customer, agent=agent)
    return Line(f"{name}-{number}", LANGUAGES[name], whole, turns)
