"""Scripted calls."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest
import yaml

from agent_assist.advice.conditions import Example
from agent_assist.advice.examples import events_of
from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState
from agent_assist.types import Assist, Card, Degraded, Final
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance
from models.written import written

MOODS = {
    "neutral": Emotion(label=EmotionLabel.NEUTRAL, valence=0.0, arousal=0.0, agitation=0.15, confidence=0.7),
    "anxious": Emotion(label=EmotionLabel.ANXIOUS, valence=-0.3, arousal=0.4, agitation=0.5, confidence=0.7),
    "disappointed": Emotion(label=EmotionLabel.DISAPPOINTED, valence=-0.4, arousal=-0.2, agitation=0.3, confidence=0.7),
    "angry": Emotion(label=EmotionLabel.ANGRY, valence=-0.7, arousal=0.7, agitation=0.8, confidence=0.8),
    "satisfied": Emotion(label=EmotionLabel.SATISFIED, valence=0.6, arousal=0.3, agitation=0.1, confidence=0.7),
}


def language_of(text: str) -> str:
    return "zh" if any("一" <= letter <= "鿿" for letter in text) else "en"


class Script:
    """Utterances said one after the other, numbered as the pipeline numbers them."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.state: CallState | None = None
        self.now = 0
        self._numbers = {Channel.CUSTOMER: 0, Channel.AGENT: 0}

    def utterance(
        self,
        channel: Channel,
        text: str,
        *,
        mood: Emotion | None = None,
        span: tuple[int, int] | None = None,
        language: str | None = None,
        loudness: float | None = None,
    ) -> Utterance:
        start, end = span or (self.now + 800, self.now + 3_800)
        self.now = max(self.now, end)
        number, self._numbers[channel] = self._numbers[channel], self._numbers[channel] + 1
        return Utterance(
            id=f"c:{channel}:{start}",
            channel=channel,
            number=number,
            start_ms=start,
            end_ms=end,
            text=text,
            language=language or language_of(text),
            confidence=0.9,
            words=(),
            sentiment=None,
            emotion=mood if channel is Channel.CUSTOMER else None,
            loudness_dbfs=loudness,
        )

    def say(self, utterance: Utterance) -> list[Assist | Degraded]:
        self.state, told = self.assistant.step(self.state, Final(call_id="c", utterance=utterance))
        return told

    def customer(self, text: str, mood: Emotion | None = None, **more: object) -> list[Card]:
        return cards(self.say(self.utterance(Channel.CUSTOMER, text, mood=mood, **more)))  # type: ignore[arg-type]

    def agent(self, text: str, **more: object) -> list[Card]:
        return cards(self.say(self.utterance(Channel.AGENT, text, **more)))  # type: ignore[arg-type]


def cards(told: Iterable[Assist | Degraded]) -> list[Card]:
    return [each for each in told if isinstance(each, Card)]


@pytest.fixture(scope="session")
def assistant() -> Assistant:
    return Assistant(load())


@pytest.fixture
def script(assistant: Assistant) -> Script:
    return Script(assistant)


@pytest.fixture
def fired(assistant: Assistant) -> Callable[[str, str], set[str]]:
    """Rules that fire when a speaker says just this, as recognised or with its numbers as a person writes them."""

    def rules(speaker: str, text: str) -> set[str]:
        found = [
            {card.rule for card in cards(script.say(script.utterance(Channel(speaker), form)))}
            for script, form in ((Script(assistant), text), (Script(assistant), written(text, language_of(text))))
        ]
        assert found[0] == found[1]
        return found[0]

    return rules


@pytest.fixture
def spoken(data: Path, assistant: Assistant) -> Callable[[str], list[Utterance]]:
    """The utterances of a sample call, by what was truly said and the moods of its script."""

    def play(name: str) -> list[Utterance]:
        call = json.loads((data / f"{name}.json").read_text(encoding="utf-8"))
        script = Script(assistant)
        return [
            script.utterance(
                Channel(truth["speaker"]),
                truth["text"],
                mood=MOODS[truth["mood"]],
                span=(round(truth["start"] * 1000), round(truth["end"] * 1000)),
            )
            for truth in call["turns"]
        ]

    return play


@pytest.fixture
def told(
    spoken: Callable[[str], list[Utterance]], assistant: Assistant
) -> Callable[[str], list[tuple[int, Assist | Degraded]]]:
    """All that a sample call gives, each with the turn that gave rise to it, from 1."""

    def play(name: str) -> list[tuple[int, Assist | Degraded]]:
        script = Script(assistant)
        return [(turn, each) for turn, said in enumerate(spoken(name), start=1) for each in script.say(said)]

    return play


@pytest.fixture
def sample(told: Callable[[str], list[tuple[int, Assist | Degraded]]]) -> Callable[[str], list[tuple[int, Card]]]:
    """Cards of a sample call, each with its turn."""
    return lambda name: [(turn, each) for turn, each in told(name) if isinstance(each, Card)]


@pytest.fixture
def script_of() -> Callable[[Assistant], Script]:
    """A call with an assistant of one's own."""
    return Script


@pytest.fixture
def play() -> Callable[..., list[Assist | Degraded]]:
    """All that rules, written in YAML, tell of a dialogue as examples write it."""

    def run(
        rules: str, *lines: str, given: dict[str, str] | None = None, more: dict[str, object] | None = None
    ) -> list[Assist | Degraded]:
        playbook = msgspec.convert(
            {"name": "t", "version": "1", "rules": yaml.safe_load(rules)} | (more or {}), Playbook
        )
        assistant, state = Assistant(playbook), None
        told: list[Assist | Degraded] = []
        for event in events_of(playbook.rules[0], Example(en=lines, given=given or {})):
            state, new = assistant.step(state, event)
            told += new
        return told

    return run
