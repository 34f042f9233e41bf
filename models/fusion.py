"""
One emotion from voice and words.

Let ``a`` be arousal and ``v`` valence, each times its confidence. Every class has a linear score in ``a``, ``v`` and
its own cue, the words that speak of it, and "neutral" in how plain the words are; the softmax of the scores are the
class probabilities. Agitation is ``sigmoid(b + w_a a - w_v v + cues)``: it grows with arousal and with negativity,
whatever the rest. All weights are ours, set by judgement and checked on public corpora, until trained ones replace
them behind the same interface.
"""

import math
from typing import Final, NamedTuple

import msgspec

from models.emotion import Baseline, Sound, Voice
from models.prosody import Prosody
from models.sentiment import Sentiment
from models.types import Emotion, EmotionLabel


class CustomerVoice(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a customer from one utterance to the next; part of a checkpoint."""

    baseline: Baseline = Baseline()
    agitation: float | None = None
    """Of the utterance before."""


class _Class(NamedTuple):
    bias: float
    arousal: float
    negativity: float
    """Of ``-v``."""
    cue: float


_CLASSES: Final = {
    EmotionLabel.NEUTRAL: _Class(0.0, 0.0, 0.0, 0.0),
    EmotionLabel.ANGRY: _Class(-0.8, 4.0, 1.5, 2.6),
    EmotionLabel.ANXIOUS: _Class(-0.8, 2.0, 0.9, 2.6),
    EmotionLabel.DISAPPOINTED: _Class(-0.5, -3.0, 1.5, 2.6),
    EmotionLabel.SATISFIED: _Class(-1.0, 2.0, -1.5, 2.6),
}
_SPOKEN: Final = 0.5
"""What words add to the score of "neutral", whatever they are: most of what is said on the telephone is business."""
_PLAIN: Final = 2.5
"""What they add to it where they are certain to be plain."""

_BIAS: Final = -1.7
_AROUSED: Final = 2.0
_NEGATIVE: Final = 1.3
_ANGRY_CUE: Final = 1.4
_ANXIOUS_CUE: Final = 0.5
_LEAST: Final = 0.34
"""Probability below which no class is named."""
_LEAST_EVIDENCE: Final = 0.20
"""Evidence below which no class is named."""
_SAID: Final = 0.10
"""Valence of the words from which they bear a class out."""


def class_scores(heard: float | None, heard_confidence: float, words: Sentiment) -> dict[EmotionLabel, float]:
    """
    Probability of each class but "unknown".

    Args:
        heard: Arousal, -1 ... 1, or None.
        heard_confidence: 0 ... 1.
        words: Sentiment of what was said; without value where nothing was understood.

    Returns:
        They add up to 1.
    """
    a, v = (heard or 0.0) * heard_confidence, (words.value or 0.0) * words.confidence
    cues = {
        EmotionLabel.ANGRY: words.angry,
        EmotionLabel.ANXIOUS: words.anxious,
        EmotionLabel.DISAPPOINTED: words.disappointed,
        EmotionLabel.SATISFIED: words.satisfied,
    }
    plain = 0.0 if words.value is None else _SPOKEN + _PLAIN * words.confidence * (1 - abs(words.value)) ** 2
    raw = {
        label: math.exp(
            (plain if label is EmotionLabel.NEUTRAL else 0.0)
            + c.bias
            + c.arousal * a
            - c.negativity * v
            + c.cue * cues.get(label, 0.0)
        )
        for label, c in _CLASSES.items()
    }
    total = math.fsum(raw.values())
    return {label: value / total for label, value in raw.items()}


def agitation(heard: float | None, heard_confidence: float, words: Sentiment) -> float:
    """
    How agitated, 0 ... 1: never falls where arousal, negativity or a cue of anger rises and the rest stays.

    Args: As ``class_scores``.
    """
    a, v = (heard or 0.0) * heard_confidence, (words.value or 0.0) * words.confidence
    at = _BIAS + _AROUSED * a - _NEGATIVE * v + _ANGRY_CUE * words.angry + _ANXIOUS_CUE * words.anxious
    return 1 / (1 + math.exp(-at))


def fuse(
    heard: float | None,
    heard_confidence: float,
    words: Sentiment,
    *,
    evidence: float,
    before: float | None,
) -> Emotion:
    """
    One emotion of one utterance.

    Args:
        heard: Arousal, -1 ... 1, or None.
        heard_confidence: 0 ... 1.
        words: Sentiment of what was said.
        evidence: 0 ... 1, how much the utterance can tell at all; a "hm" hardly changes what was known before.
        before: Agitation of the utterance before, if known.

    Returns:
        The label is "unknown" where evidence is weak, no class stands out, or the words do not bear it out: a voice
        alone does not tell an angry from a glad customer. The confidence is the class's probability times the evidence.
    """
    now = agitation(heard, heard_confidence, words)
    chances = class_scores(heard, heard_confidence, words)
    label = max(chances, key=lambda name: chances[name])
    if evidence < _LEAST_EVIDENCE or chances[label] < _LEAST or not _borne_out(label, words):
        label, confidence = EmotionLabel.UNKNOWN, 0.0
    else:
        confidence = chances[label] * evidence
    known = words.value is not None or heard is not None
    return Emotion(
        label=label,
        valence=None if words.value is None else round(words.value, 3),
        arousal=None if heard is None else round(heard, 3),
        agitation=round(now if before is None else evidence * now + (1 - evidence) * before, 3) if known else None,
        confidence=round(confidence, 3),
    )


def _borne_out(label: EmotionLabel, words: Sentiment) -> bool:
    if label is EmotionLabel.NEUTRAL:
        return True
    valence = words.value or 0.0
    return valence >= _SAID if label is EmotionLabel.SATISFIED else valence <= -_SAID


def feel(
    customer: CustomerVoice, sound: Sound, voice: Voice, words: Sentiment, text: str, speech_ms: int
) -> tuple[CustomerVoice, Emotion]:
    """
    Feeling of a customer's utterance: voice and words together.

    Args:
        customer: What was kept of the customer; ``CustomerVoice()`` at the first utterance.
        sound: Of the utterance.
        voice: What it says of this customer.
        words: Sentiment of the text.
        text: As recognised; empty where nothing was understood.
        speech_ms: Length of the utterance.

    Returns:
        What to keep, and the emotion.
    """
    evidence = _evidence(sound.prosody, text, speech_ms)
    emotion = fuse(voice.arousal, voice.arousal_confidence, words, evidence=evidence, before=customer.agitation)
    kept = customer.agitation if emotion.agitation is None else emotion.agitation
    return CustomerVoice(baseline=customer.baseline.observe(sound.prosody), agitation=kept), emotion


def _evidence(prosody: Prosody, text: str, speech_ms: int) -> float:
    """Words and voice that there are, whatever they say: 4 of 5 at a sentence of two seconds."""
    voiced = min(speech_ms, prosody.voiced_ms) / 1_000
    said = sum(2 if "\u4e00" <= sign <= "\u9fff" else 0.5 for sign in text if sign.isalnum())
    return (1 - 0.6 ** (said / 4)) * 0.75 + (1 - 0.5 ** (voiced / 0.5)) * 0.25 if said or voiced else 0.0
