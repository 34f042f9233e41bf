"""Calls without models: speech by level, one placeholder word for each half second."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent_assist.types import Event, Final
from audio.recording import read_recording, records
from audio.types import AudioRecord
from audio.vad import LevelVad
from models.reading import PhraseReader
from models.scripted import ScriptedRecogniser
from models.types import Utterance
from models.unsupervised import UnsupervisedVoice
from stream.hearing import Hearing, ModelHearing
from stream.pipeline import CallPipeline, Checkpoint, PipelinePolicy

FRESH = Checkpoint()
HEARING = ModelHearing(ScriptedRecogniser(), UnsupervisedVoice(), PhraseReader())


@pytest.fixture(scope="session")
def call(data: Path) -> list[AudioRecord]:
    """A real call of 92 s, both channels."""
    return list(records(read_recording([data / "zh_late_order.wav"]), "c"))


@pytest.fixture(scope="session")
def run() -> Callable[..., tuple[list[Utterance], list[Checkpoint]]]:
    """Feed records to a pipeline: its finals, and its checkpoint after each record."""

    def feed(
        call: Iterable[AudioRecord],
        checkpoint: Checkpoint = FRESH,
        *,
        end: bool = True,
        hearing: Hearing = HEARING,
    ) -> tuple[list[Utterance], list[Checkpoint]]:
        pipeline = CallPipeline("c", LevelVad(), PipelinePolicy(), checkpoint)
        events: list[Event] = []
        checkpoints: list[Checkpoint] = []

        def understand() -> None:
            while (excerpt := pipeline.next()) is not None:
                [heard] = hearing.hear([excerpt])
                events.extend(pipeline.complete(heard))

        for record in call:
            events.extend(pipeline.push(record))
            understand()
            checkpoints.append(pipeline.checkpoint)
        if end:
            events.extend(pipeline.flush())
            understand()
        return [event.utterance for event in events if isinstance(event, Final)], checkpoints

    return feed
