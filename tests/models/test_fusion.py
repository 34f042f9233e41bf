"""Voice and words together."""

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.recording import read_recording
from audio.resample import Resampler
from audio.types import Pcm
from models.emotion import Voice
from models.fusion import LABELS, OPEN, RULES, CustomerVoice, Fit, agitation, class_scores, feel, fuse
from models.sentiment import Sentiment, score
from models.types import Emotion, EmotionLabel
from models.unsupervised import UnsupervisedVoice

unit, signed = st.floats(0, 1), st.floats(-1, 1)
words = st.builds(
    Sentiment,
    value=st.none() | signed,
    confidence=unit,
    angry=unit,
    anxious=unit,
    disappointed=unit,
    satisfied=unit,
)


EVEN = Fit(0.5, 0.5, (0.0,) * len(LABELS), (-1.0,) + (1.0,) * 6)
"""Either view may bear the mood."""


def with_value(said: Sentiment, value: float) -> Sentiment:
    return msgspec.structs.replace(said, value=value)


@st.composite
def spread(draw: st.DrawFn) -> dict[EmotionLabel, float]:
    weights = [draw(st.floats(0.01, 1)) for _ in LABELS]
    return {label: weight / sum(weights) for label, weight in zip(LABELS, weights, strict=True)}


heard_voices = st.builds(
    Voice,
    classes=st.none() | spread(),
    arousal=signed,
    arousal_confidence=unit,
    valence=st.none() | signed,
    valence_confidence=unit,
)
voices = heard_voices | st.just(
    Voice(classes=None, arousal=None, arousal_confidence=0.0, valence=None, valence_confidence=0.0)
)


def aroused(arousal: float, confidence: float) -> Voice:
    """A voice that is judged by arousal alone."""
    return Voice(classes=None, arousal=arousal, arousal_confidence=confidence, valence=None, valence_confidence=0.0)


@given(st.lists(signed, min_size=2, max_size=6), heard_voices, words)
def test_agitation_never_falls_where_arousal_rises(values: list[float], voice: Voice, said: Sentiment) -> None:
    found = [agitation(msgspec.structs.replace(voice, arousal=a), said, OPEN) for a in sorted(values)]
    assert all(low <= high for low, high in pairwise(found))


@given(st.lists(signed, min_size=2, max_size=6), voices, words)
def test_agitation_never_falls_where_words_grow_worse(valences: list[float], voice: Voice, said: Sentiment) -> None:
    found = [agitation(voice, with_value(said, v), OPEN) for v in sorted(valences, reverse=True)]
    assert all(low <= high for low, high in pairwise(found))


@given(st.lists(signed, min_size=2, max_size=6), heard_voices, words, unit, st.none() | unit)
def test_the_fused_agitation_keeps_that_order(
    values: list[float], voice: Voice, said: Sentiment, evidence: float, before: float | None
) -> None:
    fused = [
        fuse(msgspec.structs.replace(voice, arousal=a), said, OPEN, evidence=evidence, before=before).agitation
        for a in sorted(values)
    ]
    known = [value for value in fused if value is not None]
    assert len(known) == len(values)
    assert all(low <= high for low, high in pairwise(known))


@given(voices, words)
def test_class_probabilities_add_up_to_one_and_leave_unknown_out(voice: Voice, said: Sentiment) -> None:
    chances = class_scores(voice, said, OPEN)
    assert sum(chances.values()) == pytest.approx(1.0)
    assert set(chances) == set(EmotionLabel) - {EmotionLabel.UNKNOWN}


@given(heard_voices, words)
def test_a_view_that_says_nothing_changes_nothing(voice: Voice, said: Sentiment) -> None:
    even = dict.fromkeys(LABELS, 0.2)
    alone = class_scores(msgspec.structs.replace(voice, classes=None, arousal=None), said, OPEN)
    beside = class_scores(msgspec.structs.replace(voice, classes=even), said, OPEN)
    assert beside == pytest.approx(alone)


@given(st.sampled_from(LABELS), spread(), words)
def test_a_class_that_the_voice_finds_likelier_never_becomes_less_likely(
    label: EmotionLabel, classes: dict[EmotionLabel, float], said: Sentiment
) -> None:
    def chance(more: float) -> float:
        weights = {name: value + (more if name is label else 0.0) for name, value in classes.items()}
        heard = {name: value / sum(weights.values()) for name, value in weights.items()}
        return class_scores(msgspec.structs.replace(aroused(0.0, 0.0), classes=heard), said, OPEN)[label]

    assert chance(0.0) <= chance(0.5) + 1e-9


@given(voices, words, unit, st.none() | unit)
def test_every_part_of_an_emotion_is_in_its_range(
    voice: Voice, said: Sentiment, evidence: float, before: float | None
) -> None:
    emotion = fuse(voice, said, OPEN, evidence=evidence, before=before)
    assert 0 <= emotion.confidence <= 1
    assert emotion.agitation is None or 0 <= emotion.agitation <= 1
    assert emotion.valence is None or -1 <= emotion.valence <= 1
    assert (emotion.label is EmotionLabel.UNKNOWN) == (emotion.confidence == 0.0)


def test_arousal_alone_never_says_angry_or_satisfied() -> None:
    for heard in np.linspace(-1, 1, 21):
        emotion = fuse(aroused(float(heard), 1.0), score("", "unknown"), RULES, evidence=1.0, before=None)
        assert emotion.label not in {EmotionLabel.ANGRY, EmotionLabel.SATISFIED}
        assert emotion.valence is None


def test_an_angry_voice_is_heard_in_plain_words_and_angry_words_in_a_plain_voice() -> None:
    def of(label: EmotionLabel) -> Voice:
        heard = dict.fromkeys(LABELS, 0.05) | {label: 0.8}
        return msgspec.structs.replace(aroused(0.0, 0.5), classes=heard)

    plain = Sentiment(value=0.0, confidence=0.9, neutral=0.9, angry=0.04, anxious=0.03, disappointed=0.03)
    furious = Sentiment(value=-0.8, confidence=0.85, neutral=0.1, angry=0.8, disappointed=0.1)
    angry, neutral = EmotionLabel.ANGRY, EmotionLabel.NEUTRAL
    assert fuse(of(angry), plain, EVEN, evidence=1.0, before=None).label is angry
    assert fuse(of(neutral), furious, EVEN, evidence=1.0, before=None).label is angry
    assert fuse(of(neutral), plain, EVEN, evidence=1.0, before=None).label is neutral
    both = class_scores(of(angry), furious, EVEN)[angry]
    assert both > max(class_scores(of(angry), plain, EVEN)[angry], class_scores(of(neutral), furious, EVEN)[angry])


def test_a_loud_voice_with_kind_words_is_not_angry() -> None:
    emotion = fuse(aroused(0.9, 0.8), score("太好了,非常感谢", "zh"), RULES, evidence=1.0, before=None)
    assert emotion.label is EmotionLabel.SATISFIED
    assert emotion.agitation is not None
    assert emotion.agitation < 0.5


def test_weak_evidence_is_unknown_and_keeps_what_was_felt_before() -> None:
    silence = np.zeros(4_000, np.int16)
    voice, emotion = _feel(CustomerVoice(agitation=0.8), silence, "嗯", "zh", 250)
    assert emotion.label is EmotionLabel.UNKNOWN
    assert emotion.arousal is None
    assert voice.agitation is not None
    assert voice.agitation > 0.6


def test_nothing_heard_and_nothing_said_changes_nothing() -> None:
    silence = np.zeros(0, np.int16)
    before = CustomerVoice(agitation=0.4)
    assert _feel(before, silence, "", "unknown", 0) == (
        before,
        Emotion(label=EmotionLabel.UNKNOWN, valence=None, arousal=None, agitation=None, confidence=0.0),
    )


def _feel(customer: CustomerVoice, pcm: Pcm, text: str, language: str, length_ms: int) -> tuple[CustomerVoice, Emotion]:
    """Without trained weights."""
    model = UnsupervisedVoice()
    [sound] = model.hear([pcm])
    return feel(customer, sound, model.judge(sound, customer.baseline), score(text, language), RULES, text, length_ms)


def _felt(data: Path, name: str) -> dict[int, Emotion]:
    """Emotion of each customer turn, by its number in the script from 1, with the script's own words."""
    recording = read_recording([data / f"{name}.wav"])
    resampler = Resampler(recording.rate)
    assert recording.customer is not None
    pcm = np.concatenate([resampler.push(recording.customer), resampler.flush()])
    script = json.loads((data / f"{name}.json").read_text(encoding="utf-8"))
    voice, felt = CustomerVoice(), {}
    for number, turn in enumerate(script["turns"], 1):
        if turn["speaker"] == "customer":
            spoken = pcm[round(turn["start"] * 16_000) : round(turn["end"] * 16_000)]
            length_ms = round(1_000 * (turn["end"] - turn["start"]))
            voice, felt[number] = _feel(voice, spoken, turn["text"], script["language"], length_ms)
            encoded = msgspec.json.encode(voice)
            assert len(encoded) < 2_000
            assert msgspec.json.decode(encoded, type=CustomerVoice) == voice
    return felt


def test_the_customer_of_the_late_order_grows_angry_and_leaves_satisfied(data: Path) -> None:
    felt = _felt(data, "zh_late_order")
    agitated = {number for number, emotion in felt.items() if (emotion.agitation or 0.0) >= 0.60}
    assert agitated == {6, 7}
    assert felt[6].label is felt[7].label is EmotionLabel.ANGRY
    assert felt[12].label is EmotionLabel.SATISFIED
    assert max(felt[n].agitation or 0.0 for n in (2, 4, 10, 12)) < 0.45


def test_the_customer_who_cancels_is_disappointed_then_angry_then_satisfied(data: Path) -> None:
    felt = _felt(data, "en_cancel_plan")
    agitated = {number for number, emotion in felt.items() if (emotion.agitation or 0.0) >= 0.60}
    assert agitated == {7}
    labels = [felt[n].label for n in (6, 7, 12)]
    assert labels == [EmotionLabel.DISAPPOINTED, EmotionLabel.ANGRY, EmotionLabel.SATISFIED]
    assert max(felt[n].agitation or 0.0 for n in (2, 4, 6, 10, 12)) < 0.40
