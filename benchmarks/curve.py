"""
The curve of the customer's mood in the two sample calls, beside their script: ``python -m benchmarks.curve``.

Writes ``results/curve_*.json``, and from them the pictures and the document's tables. The samples are synthesised
speech with moods made by pitch, tempo and level: they show what is drawn, and are no figure of how right it is.
"""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from agent_assist.types import CallRecord, CardKind, CurvePoint
from audio.recording import read_recording
from audio.types import Channel
from benchmarks.environment import Environment, environment, write
from models.curve import Swings
from models.turning import Turn
from models.types import EmotionLabel
from stream import build
from stream.analyze import analyze
from stream.settings import load

CALLS: Final = ("zh_late_order", "en_cancel_plan")
RESULTS: Final = Path(__file__).parent / "results"
DATA: Final = Path(__file__).resolve().parents[1] / "tests" / "data"


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of the customer as the script has it."""

    start_ms: int
    end_ms: int
    mood: EmotionLabel


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of one utterance of the customer, before it is smoothed."""

    end_ms: int
    label: EmotionLabel
    valence: float | None
    agitation: float | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One call."""

    environment: Environment
    call: str
    duration_ms: int
    script: tuple[Acted, ...]
    heard: tuple[Heard, ...]
    curve: tuple[CurvePoint, ...]
    swings: Swings | None
    turns: tuple[Turn, ...]
    alerts_ms: tuple[int, ...]


def records() -> list[CallRecord]:
    """The sample calls as they are analyzed."""
    with tempfile.TemporaryDirectory() as home:
        settings = load({"home": Path(home)})
        parts: dict[str, Any] = {
            "hearing": build.hearing(settings),
            "vad": build.vad(settings),
            "assistant": build.assistant(settings),
            "policy": build.pipeline_policy(settings),
        }
        return [analyze(read_recording([DATA / f"{name}.wav"]), name, **parts) for name in CALLS]


def script(name: str) -> tuple[Acted, ...]:
    """The customer's turns of a sample call."""
    turns = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["turns"]
    return tuple(
        Acted(start_ms=round(turn["start"] * 1000), end_ms=round(turn["end"] * 1000), mood=EmotionLabel(turn["mood"]))
        for turn in turns
        if turn["speaker"] == "customer"
    )


def result(record: CallRecord, where: Environment) -> Result:
    """What is kept of a call for its picture."""
    felt = [(u, u.emotion) for u in record.utterances if u.channel is Channel.CUSTOMER]
    return Result(
        environment=where,
        call=record.call_id,
        duration_ms=record.duration_ms,
        script=script(record.call_id),
        heard=tuple(
            Heard(end_ms=u.end_ms, label=e.label, valence=e.valence, agitation=e.agitation)
            for u, e in felt
            if e is not None
        ),
        curve=record.curve,
        swings=record.swings,
        turns=record.turns,
        alerts_ms=tuple(card.at_ms for card in record.cards if card.kind is CardKind.ALERT),
    )


def main() -> None:
    """Analyze, write, draw."""
    from benchmarks import pictures, tables

    where = environment("python -m benchmarks.curve", ("faster-whisper", "onnxruntime", "numpy"))
    for record in records():
        write(result(record, where), RESULTS / f"curve_{record.call_id}.json")
    pictures.main()
    tables.main()


if __name__ == "__main__":
    main()
