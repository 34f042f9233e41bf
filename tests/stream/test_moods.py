"""What customers write has the mood that the same words have when they are said."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_assist.customer.events import Interaction
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.histories import Histories
from agent_assist.store.moods import TextMoods
from audio.cutter import Speech
from audio.types import Channel
from models.errors import WeightsMissing
from models.reading import PhraseReader, Read, Reader
from models.scripted import ScriptedRecogniser
from models.types import Hypothesis
from models.unsupervised import UnsupervisedVoice
from stream.build import reader
from stream.hearing import Excerpt, ModelHearing
from stream.moods import read_some, read_texts
from stream.settings import Settings

AT = datetime(2026, 7, 1, tzinfo=UTC)
SAID = (
    "你们太慢了,我很生气,要投诉!",
    "Thank you so much, that was great.",
    "I want to know when my order ships.",
    "太差劲了",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CallStore]:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    yield store
    store.close()


def write(store: CallStore, *texts: str, **more: Any) -> None:
    told = {"channel": "chat", "direction": "in"} | more
    CustomerStore(store.engine).take(
        [Interaction(event_id=text, customer_id="k", at=AT, interaction_id=text, text=text, **told) for text in texts],
        "t",
        AT,
    )


def written(store: CallStore) -> dict[str, float | None]:
    entries = Histories(CustomerStore(store.engine), store.engine).timeline("k", 99)
    return {entry.id: None if entry.mood is None else entry.mood.value for entry in entries}


async def all_read(store: CallStore) -> None:
    async with asyncio.timeout(20):
        while True:
            if None not in written(store).values():
                return
            await asyncio.sleep(0.01)


def heard(said: Sequence[str], by: Reader) -> list[float | None]:
    """The sentiment of the same words as the pipeline takes it from what is heard, with the language recognised."""

    class Says(ScriptedRecogniser):
        def transcribe(self, batch: Sequence[Any], *, hurried: bool = False) -> list[Hypothesis]:
            languages = ["zh" if any("一" <= sign <= "鿿" for sign in text) else "en" for text in said]
            return [
                Hypothesis(text=text, language=language, language_confidence=1.0, confidence=1.0)
                for text, language in zip(said, languages, strict=True)
            ]

    pcm = np.zeros(16_000, dtype=np.int16)
    excerpts = [Excerpt(str(n), Channel.AGENT, Speech(0, 16_000, pcm), None, final=True) for n in range(len(said))]
    found = ModelHearing(Says(), UnsupervisedVoice(), by).hear(excerpts)
    return [None if one.read.words.value is None else round(one.read.words.value, 3) for one in found]


def check(store: CallStore, by: Reader) -> None:
    write(store, *SAID)
    assert read_some(TextMoods(store.engine), by, "m") == len(SAID)
    assert [written(store)[text] for text in SAID] == heard(SAID, by)


def test_the_same_sentence_written_and_said_has_the_same_score(store: CallStore) -> None:
    check(store, PhraseReader())
    assert (written(store)[SAID[0]] or 0) < 0 < (written(store)[SAID[1]] or 0)


@pytest.mark.weights
def test_the_same_sentence_written_and_said_has_the_same_score_of_the_trained_models(store: CallStore) -> None:
    check(store, reader(Settings()))


def test_what_is_no_writing_of_a_customer_is_not_read(store: CallStore) -> None:
    write(store, "of a call", channel="phone")
    write(store, "of ours", direction="out")
    write(store, "told already", valence=0.5)
    write(store, " ")
    assert read_some(TextMoods(store.engine), PhraseReader(), "m") == 0
    assert written(store)["told already"] == 0.5


def test_a_text_without_words_is_read_once(store: CallStore) -> None:
    write(store, "???")
    texts = TextMoods(store.engine)
    assert (read_some(texts, PhraseReader(), "m"), read_some(texts, PhraseReader(), "m")) == (1, 0)
    assert written(store)["???"] is None


async def test_weights_are_loaded_with_the_first_text_and_none_are_asked_for_before(
    store: CallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load() -> Reader:
        loaded.append("once")
        return PhraseReader()

    monkeypatch.setattr("stream.moods._LOOK_EVERY_S", 0.01)
    reading = asyncio.create_task(read_texts(TextMoods(store.engine), load, "m"))
    await asyncio.sleep(0.1)
    assert loaded == []
    write(store, *SAID)
    await all_read(store)
    assert loaded == ["once"]
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_missing_weights_end_nothing(store: CallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def missing() -> Reader:
        tries.append(1)
        if len(tries) < 3:
            raise WeightsMissing("text-open", "a file", "fetch it")
        return PhraseReader()

    for name in ("_LOOK_EVERY_S", "_WITHOUT_S"):
        monkeypatch.setattr(f"stream.moods.{name}", 0.01)
    write(store, *SAID)
    reading = asyncio.create_task(read_texts(TextMoods(store.engine), missing, "m"))
    await all_read(store)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert len(tries) == 3


def test_a_reader_reads_each_text_as_if_it_came_alone() -> None:
    by = PhraseReader()
    alone: list[Read] = [by.read([text], [""])[0] for text in SAID]
    assert by.read(SAID, [""] * len(SAID)) == alone
