"""The examples of a playbook: small calls by which its rules are tried."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from agent_assist.advice.conditions import LINE, Example
from agent_assist.advice.playbook import Calm, Offers, Playbook
from agent_assist.advice.recommendation import Recommendations
from agent_assist.advice.rule import Rule
from agent_assist.advice.sense import Sense
from agent_assist.call.assistant import Assistant
from agent_assist.types import CallEnded, CallStarted, Card, Degraded, Event, Webhook, Withheld
from agent_assist.types import Final as FinalEvent
from audio.types import Channel
from models.intent import Intent
from models.types import Emotion, EmotionLabel, Utterance

_CALL: Final = "example"
_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LONG_MS, _PAUSE_MS = 3_000, 1_000
"""Of an utterance, and before one without a time."""
_MOODS: Final[dict[EmotionLabel, tuple[float, float]]] = {
    EmotionLabel.NEUTRAL: (0.0, 0.15),
    EmotionLabel.SATISFIED: (0.6, 0.1),
    EmotionLabel.ANGRY: (-0.7, 0.85),
    EmotionLabel.ANXIOUS: (-0.3, 0.5),
    EmotionLabel.DISAPPOINTED: (-0.4, 0.3),
}
"""Valence and agitation of an emotion that is named."""
_EMOTIONS: Final = frozenset(EmotionLabel)
_INTENTS: Final = frozenset(Intent)
_OWN: Final = ("customer_id", "customer_name", "agent_id", "queue")


class Tried(NamedTuple):
    """What became of an example."""

    fired: bool
    failed: str
    """Why the rule could not be run; empty where it could."""


def attempt(playbook: Playbook, rule: Rule, example: Example, sense: Sense | None = None) -> Tried:
    """
    Whether a rule fires in an example, without the others of its playbook and with nothing held back.

    Args:
        sense: Of the playbook; without it a rule that asks what is meant cannot be run.

    Raises:
        ValueError: If a line names neither an emotion nor an intent in its brackets, or goes back in time.
    """
    alone = msgspec.structs.replace(
        playbook,
        rules=(rule,),
        flows=(),
        retention=None,
        recommendations=Recommendations(),
        calm=Calm(),
        offers=Offers(closed_at=1.0, open_below=1.0),
    )
    assistant, state = Assistant(alone, sense=sense), None
    fired, failed = False, ""
    for event in events_of(rule, example, sense):
        state, told = assistant.step(state, event)
        for each in told:
            match each:
                case Card(provisional=False) | Webhook() | Withheld():
                    fired = True
                case Degraded():
                    failed = each.reason
                case _:
                    pass
    return Tried(fired, failed)


def events_of(rule: Rule, example: Example, sense: Sense | None = None) -> list[Event]:
    """The call that an example tells of; what is said in it has a meaning where the rule asks for it."""
    said, language = example.said, "zh" if example.zh is not None else "en"
    speaker = "A" if rule.speaker is Channel.AGENT else "C"
    lines = said if isinstance(said, tuple) else (f"{speaker}: {said}",)
    given = {name: text for name, text in example.given.items() if name not in _OWN}
    started = CallStarted(
        call_id=_CALL,
        at=_START,
        protocol="example",
        customer_id=example.given.get("customer_id"),
        customer_name=example.given.get("customer_name"),
        agent_id=example.given.get("agent_id"),
        queue=example.given.get("queue"),
        attributes=given,
    )
    events: list[Event] = [started]
    now, end = 0, None
    numbers = dict.fromkeys(Channel, 0)
    for line in lines:
        parts = LINE.fullmatch(line.replace("\n", " "))
        if parts is None:
            raise ValueError(f"expected a line as 'C: words', 'A@31: words' or 'END@90', got {line!r}")
        if parts["who"] is None:
            end = now + _PAUSE_MS if parts["end"] is None else round(float(parts["end"]) * 1000)
            break
        start = now + _PAUSE_MS if parts["at"] is None else round(float(parts["at"]) * 1000)
        channel = Channel.AGENT if parts["who"] == "A" else Channel.CUSTOMER
        utterance = _utterance(channel, numbers[channel], start, parts["words"].strip(), language)
        if sense is not None and rule.like:
            utterance = msgspec.structs.replace(utterance, meaning=sense.meaning(utterance.text))
        events.append(FinalEvent(call_id=_CALL, utterance=_with(utterance, parts["with"] or "")))
        numbers[channel] += 1
        now = max(now, start + _LONG_MS)
    events.append(CallEnded(call_id=_CALL, duration_ms=max(now, end or now), reason="hangup"))
    return events


def _utterance(channel: Channel, number: int, start_ms: int, text: str, language: str) -> Utterance:
    return Utterance(
        id=f"{_CALL}:{channel}:{start_ms}",
        channel=channel,
        number=number,
        start_ms=start_ms,
        end_ms=start_ms + _LONG_MS,
        text=text,
        language=language,
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )


def _with(utterance: Utterance, named: str) -> Utterance:
    """With the emotion and the intents that a line names."""
    for name in filter(None, (part.strip() for part in named.split(","))):
        if name in _EMOTIONS and utterance.channel is Channel.CUSTOMER:
            valence, agitation = _MOODS.get(EmotionLabel(name), (None, None))
            label = EmotionLabel(name)
            mood = Emotion(label=label, valence=valence, arousal=None, agitation=agitation, confidence=0.9)
            utterance = msgspec.structs.replace(utterance, emotion=mood)
        elif name in _INTENTS and utterance.channel is Channel.CUSTOMER:
            utterance = msgspec.structs.replace(utterance, intents=(*utterance.intents, Intent(name)))
        else:
            raise ValueError(f"expected an emotion or an intent of the customer in brackets, got {name!r}")
    return utterance
