"""
How an agent's voice sounds is neither computed nor kept nor told, however the agent sounds.

To infer the emotions of people at work from their voice is forbidden in the European Union but for medical and safety
reasons: Regulation (EU) 2024/1689, Article 5(1)(f).
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import record_of, summary
from agent_assist.call.state import CallState
from agent_assist.store.calls import CallStore
from agent_assist.types import Assist, CallEnded, CallStarted, Degraded, Event, Final, Partial
from agent_assist.web.live import Live
from audio.recording import Recording, records
from audio.types import SAMPLE_RATE, Channel, Encoding, Pcm
from audio.vad import LevelVad
from models.emotion import Sound
from models.reading import PhraseReader
from models.scripted import ScriptedRecogniser
from models.unsupervised import UnsupervisedVoice
from stream.hearing import ModelHearing
from stream.pipeline import CallPipeline, Checkpoint, PipelinePolicy

ASSISTANT = Assistant(load())
LENGTH_S = 40
CUSTOMER = ((2, 5), (10, 13), (20, 24), (31, 34))
AGENT = ((6, 9), (14, 18), (22, 26), (28, 30), (36, 38))
"""One turn of each over the other's."""

FELT = {"emotion", "arousal", "agitation", "valence", "mood", "voice", "baseline", "classes", "prosody"}
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def spoken(spans: tuple[tuple[int, int], ...], hz: float, peak: int) -> Pcm:
    """A channel with voiced sound in these seconds, each with a pitch of its own."""
    pcm = np.zeros(LENGTH_S * SAMPLE_RATE)
    for n, (begin, end) in enumerate(spans):
        time = np.arange((end - begin) * SAMPLE_RATE) / SAMPLE_RATE
        pitch = hz * (1 + n / 20)
        parts = [np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, int(3_400 / pitch))]
        wave = np.sum(parts, axis=0) * (1 + 0.3 * np.sin(2 * np.pi * 4 * time))
        pcm[begin * SAMPLE_RATE : end * SAMPLE_RATE] = peak * wave / np.abs(wave).max()
    return pcm.astype(np.int16)


MILD = spoken(CUSTOMER, 180, 4_000)
CALM, SCREAM = spoken(AGENT, 110, 5_000), spoken(AGENT, 420, 32_000)


@dataclass(slots=True)
class Run:
    """Everything that comes of one call."""

    given: list[Pcm] = field(default_factory=list)
    """What was measured for feelings."""
    events: list[Event] = field(default_factory=list)
    assist: list[Assist | Degraded] = field(default_factory=list)
    states: list[CallState] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)


def run(customer: Pcm, agent: Pcm) -> Run:
    """A call through the whole of the program but its broker, with partials."""
    found = Run()

    class Noted(UnsupervisedVoice):
        def hear(self, batch: Sequence[Pcm]) -> list[Sound]:
            found.given.extend(pcm.copy() for pcm in batch)
            return super().hear(batch)

    hearing = ModelHearing(ScriptedRecogniser(), Noted(), PhraseReader())
    pipeline = CallPipeline("c", LevelVad(), PipelinePolicy())
    state: CallState | None = None

    def tell(events: list[Event]) -> None:
        nonlocal state
        for event in events:
            state, told = ASSISTANT.step(state, event)
            found.events.append(event)
            found.assist += told
            found.states.append(state)

    tell([CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="recording")])
    recording = Recording(rate=SAMPLE_RATE, encoding=Encoding.PCM16, customer=customer, agent=agent)
    for record in [*records(recording, "c"), None]:
        tell(pipeline.flush() if record is None else pipeline.push(record))
        for excerpt in pipeline.partials():
            tell(pipeline.partial(excerpt, hearing.hear([excerpt])[0]))
        while (final := pipeline.next()) is not None:
            tell(pipeline.complete(hearing.hear([final])[0]))
        found.checkpoints.append(pipeline.checkpoint)
    tell([CallEnded(call_id="c", duration_ms=pipeline.duration_ms, reason="hangup")])
    return found


@pytest.fixture(scope="module")
def screaming() -> Run:
    """A calm customer, and an agent who screams."""
    return run(MILD, SCREAM)


def plain(message: Any) -> Any:
    return json.loads(msgspec.json.encode(message))


def of_agent(found: Any) -> Iterator[Any]:
    """Whatever in a message belongs to the agent: what says so of itself, and what stands under that name."""
    if isinstance(found, dict):
        if found.get("channel") == "agent":
            yield found
        for key, value in found.items():
            if key == "agent":
                yield value
            yield from of_agent(value)
    elif isinstance(found, list):
        for value in found:
            yield from of_agent(value)


def felt(found: Any) -> Iterator[tuple[str, Any]]:
    """Fields that speak of feelings and hold something."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key in FELT and value is not None:
                yield key, value
            yield from felt(value)
    elif isinstance(found, list):
        for value in found:
            yield from felt(value)


def finals(found: Run, channel: Channel) -> list[Final]:
    return [event for event in found.events if isinstance(event, Final) and event.utterance.channel is channel]


def partials(found: Run, channel: Channel) -> list[Partial]:
    return [event for event in found.events if isinstance(event, Partial) and event.channel is channel]


def test_only_the_customers_channel_is_listened_to_for_feelings(screaming: Run) -> None:
    assert len(finals(screaming, Channel.AGENT)) == len(AGENT)
    assert len(partials(screaming, Channel.AGENT)) > len(AGENT)
    assert len(finals(screaming, Channel.CUSTOMER)) == len(CUSTOMER)
    assert len(screaming.given) == len(CUSTOMER) + len(partials(screaming, Channel.CUSTOMER))
    whole, others = MILD.tobytes(), SCREAM.tobytes()
    for pcm in screaming.given:
        assert pcm.tobytes() in whole
        middle = len(pcm) // 2
        assert pcm[middle : middle + 800].tobytes() not in others
        assert np.abs(pcm).max() <= 4_000


def test_a_customer_who_screams_like_the_agent_is_heard(screaming: Run) -> None:
    other = run(SCREAM, MILD)
    assert len(other.given) > len(AGENT)
    loudest = max(
        event.utterance.emotion.arousal or -1 for event in finals(other, Channel.CUSTOMER) if event.utterance.emotion
    )
    calmest = max(
        event.utterance.emotion.arousal or -1
        for event in finals(screaming, Channel.CUSTOMER)
        if event.utterance.emotion
    )
    assert loudest > calmest + 0.3


def test_what_the_agents_voice_is_like_changes_nothing_but_the_loudness_told(screaming: Run) -> None:
    calm = run(MILD, CALM)

    def without_loudness(messages: list[Any]) -> list[Any]:
        found = [plain(message) for message in messages]
        for message in found:
            for mine in of_agent(message):
                mine.pop("loudness_dbfs", None)
                mine.pop("loudness", None)
                if mine.get("kind") in {"quiet", "loud"}:
                    mine.clear()
            if message.get("type") == "measures":
                message["measures"]["faults"] = [fault for fault in message["measures"]["faults"] if fault]
        return found

    assert [plain(event) for event in calm.events] != [plain(event) for event in screaming.events]
    assert without_loudness(calm.events) == without_loudness(screaming.events)
    assert without_loudness(calm.assist) == without_loudness(screaming.assist)
    assert [c.customer for c in calm.checkpoints] == [c.customer for c in screaming.checkpoints]


def test_no_feeling_of_the_agent_is_told_or_kept_for_a_successor(screaming: Run) -> None:
    kept = [*screaming.events, *screaming.assist, *screaming.states, *screaming.checkpoints]
    mine = [part for message in kept for part in of_agent(plain(message))]
    assert len(mine) > 100
    assert [found for part in mine for found in felt(part)] == []
    assert all(event.utterance.emotion is None for event in finals(screaming, Channel.AGENT))
    assert all(event.emotion is None for event in partials(screaming, Channel.AGENT))
    assert all(checkpoint.agent.voice is None for checkpoint in screaming.checkpoints)
    # The same look finds the customer's.
    names = {name for message in kept for name, _ in felt(plain(message))}
    assert {"emotion", "arousal", "agitation", "voice", "baseline"} <= names


async def test_no_feeling_of_the_agent_reaches_a_screen(screaming: Run) -> None:
    live = Live()
    live.publish(screaming.events[0])
    listener = live.listen("c")
    assert listener is not None
    everybody = live.listen_all([])
    sent: list[Any] = []
    for message in [*screaming.events[1:], *screaming.assist]:
        live.publish(message)
        for each in (listener, everybody):
            sent += [json.loads(told.text) for told in each._queue]
            each._queue.clear()
    record = record_of("c", screaming.events, screaming.assist)
    late = live.listen("c")
    assert late is not None
    sent += [json.loads(told.text) for told in late._queue] + [plain(record), plain(summary(record))]
    assert {"snapshot", "final", "partial", "measures"} <= {message.get("kind") for message in sent}
    mine = [part for message in sent for part in of_agent(message)]
    assert len(mine) > 20
    assert [found for part in mine for found in felt(part)] == []
    # What the list shows of a call's emotion is the customer's.
    labels = {e.utterance.emotion.label for e in finals(screaming, Channel.CUSTOMER) if e.utterance.emotion}
    assert {message["emotion"] for message in sent if "utterances" in message and "emotion" in message} <= labels


def test_no_feeling_of_the_agent_is_stored(screaming: Run, tmp_path: Path) -> None:
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    store.upgrade()
    store.write([*screaming.events, *screaming.assist], {})
    store.close()
    with sqlite3.connect(tmp_path / "calls.db") as database:
        database.row_factory = sqlite3.Row
        tables = [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [dict(row) for table in tables for row in database.execute(f'SELECT * FROM "{table}"')]
    database.close()
    said = [row for row in rows if "utterance_id" in row]
    mine = [row for row in said if ":agent:" in row["utterance_id"]]
    assert (len(mine), len(said)) == (len(AGENT), len(AGENT) + len(CUSTOMER))
    assert list(felt([{key: value for key, value in row.items() if key != "body"} for row in mine])) == []
    bodies = [json.loads(value) for row in rows for value in row.values() if str(value).startswith(("{", "["))]
    assert [found for body in bodies for part in of_agent(body) for found in felt(part)] == []
    assert [row for row in said if row["emotion"] is not None], "the customer's are there"


def test_no_published_shape_has_room_for_a_feeling_of_the_agent() -> None:
    """Who adds a field that speaks of feelings names it here, having made sure that it is the customer's alone."""
    ours = {
        "Utterance.emotion",  # None on the agent's channel, by the tests above.
        "Emotion.valence",
        "Rule.emotions",  # Conditions, with speaker: customer alone: tests/agent_assist/test_playbook.py says so.
        "Rule.agitation",
        "Rule.by_emotion",
        "Rule.emotion_reason",
        "Interaction.agitation",  # The customer's, of the features of the churn risk, as the one below.
        "Interaction.valence",
        "Entry.mood",  # The customer's, as in the interaction, or of what they wrote: test_moods.py says so.
        "MoodThen.agitation",
        "Emotion.arousal",
        "Emotion.agitation",
        "CallSummary.emotion",  # The customer's last.
        "Partial.emotion",  # None on the agent's channel, by the tests above.
        "CurvePoint.arousal",  # Of the customer's finals, as the two below.
        "CurvePoint.agitation",
        "Turn.agitation",
        "Acknowledgement.emotion",  # The customer's: tests/agent_assist/test_acknowledge.py says so.
    }
    about = re.compile("emotion|arous|agitat|valence|mood|feel|stress|anger|prosod|pitch|voice")
    found: set[str] = set()
    for path in SCHEMAS.glob("*.json"):
        # Figures of corpora, not of calls; and what only names the other files.
        if path.name.startswith("bench-") or path.name == "asyncapi.json":
            continue
        schema = json.loads(path.read_bytes())
        shapes = schema.get("$defs", {}) | {schema["title"]: schema}
        for name, shape in shapes.items():
            found |= {f"{name}.{key}" for key in shape.get("properties", {}) if about.search(key)}
    assert found == ours
