"""
One emotion from voice and words.

Each view gives a probability of every class (Kittler, Hatef, Duin, Matas: On combining classifiers, IEEE Transactions
on Pattern Analysis and Machine Intelligence 20(3), 1998: the product of views that are independent given the class).
But who is angry may say so in plain words, or say angry words in a plain voice: each view bears the mood in a share of
the utterances, and is neutral in the rest. With that share ``s``, a view's evidence for a class ``c`` is
``s p(c) + (1 - s) p(neutral)``. Shares, biases and the weights of agitation are fitted by ``models.training.fusion``.

Irony is not heard: praise in words is praise, unless the voice is sure of the opposite.
"""

import math
from typing import Final, NamedTuple

import msgspec

from models.emotion import Baseline, Sound, Voice
from models.prosody import Prosody
from models.sentiment import Sentiment
from models.types import Emotion, EmotionLabel

Chances = dict[EmotionLabel, float]
"""Of every label but "unknown"; they add up to 1."""
LABELS: Final = (
    EmotionLabel.NEUTRAL,
    EmotionLabel.SATISFIED,
    EmotionLabel.ANGRY,
    EmotionLabel.ANXIOUS,
    EmotionLabel.DISAPPOINTED,
)


class CustomerVoice(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a customer from one utterance to the next; part of a checkpoint."""

    baseline: Baseline = Baseline()
    agitation: float | None = None
    """Of the utterance before."""


class Fit(NamedTuple):
    """What is fitted: ``python -m models.training.fusion --data DIR``."""

    voice: float
    """Share of the utterances whose voice bears the mood."""
    words: float
    """The same of the words."""
    biases: tuple[float, ...]
    """Of ``LABELS``."""
    agitation: tuple[float, ...]
    """Constant; then, none below 0, of what ``signs`` tells."""


RULES: Final = Fit(
    voice=0.5,
    words=0.4,
    biases=(0.0, 0.31, 0.11, 0.31, 0.21),
    agitation=(-0.79, 2.09, 0.57, 0.0, 0.0, 0.87, 0.0),
)
"""Of arousal by rule and phrases."""
OPEN: Final = Fit(
    voice=0.65,
    words=0.6,
    biases=(0.0, 0.11, 0.34, 0.67, 0.36),
    agitation=(-1.04, 2.4, 0.36, 0.0, 0.0, 1.96, 0.0),
)
"""Of the weights that come with the program, whose voice knows arousal and no classes."""


_AROUSED: Final = {
    EmotionLabel.NEUTRAL: -0.15,
    EmotionLabel.SATISFIED: 0.4,
    EmotionLabel.ANGRY: 0.4,
    EmotionLabel.ANXIOUS: 0.4,
    EmotionLabel.DISAPPOINTED: -0.35,
}
_AROUSED_APART: Final = 0.35
"""
Mean arousal of each class, and the deviation within one, of voices that are judged by arousal alone: it does not tell
an angry voice from a glad one.
"""


class _Cue(NamedTuple):
    """How a class shows in words that are scored by lists, which give no probabilities; by judgement."""

    bias: float
    negativity: float
    """Of ``-v``."""
    cue: float


_CUES: Final = {
    EmotionLabel.SATISFIED: _Cue(-1.0, -1.5, 2.6),
    EmotionLabel.ANGRY: _Cue(-0.8, 1.5, 2.6),
    EmotionLabel.ANXIOUS: _Cue(-0.8, 0.9, 2.6),
    EmotionLabel.DISAPPOINTED: _Cue(-0.5, 1.5, 2.6),
}
_PLAIN: Final = 2.5
"""What words add to the score of "neutral" where they are certain to be plain."""
_LEAST: Final = 0.40
"""Probability below which no class is named."""
_LEAST_EVIDENCE: Final = 0.20
"""Evidence below which no class is named."""


def of_voice(voice: Voice) -> Chances | None:
    """What the voice alone says; None where it says nothing."""
    if voice.classes is not None:
        return voice.classes
    if voice.arousal is None:
        return None
    sure, arousal = voice.arousal_confidence, voice.arousal
    scores: Chances = {label: -sure * ((arousal - mean) / _AROUSED_APART) ** 2 / 2 for label, mean in _AROUSED.items()}
    return _softmax(scores)


def of_words(words: Sentiment) -> Chances | None:
    """What the words alone say; None where there are none."""
    if words.value is None:
        return None
    said = _said(words)
    if words.neutral is not None:
        return {EmotionLabel.NEUTRAL: max(0.0, 1 - math.fsum(said.values()))} | said
    v = words.value * words.confidence
    scores = {label: c.bias - c.negativity * v + c.cue * said[label] for label, c in _CUES.items()}
    return _softmax({EmotionLabel.NEUTRAL: _PLAIN * words.confidence * (1 - abs(words.value)) ** 2} | scores)


def _said(words: Sentiment) -> Chances:
    return {
        EmotionLabel.SATISFIED: words.satisfied,
        EmotionLabel.ANGRY: words.angry,
        EmotionLabel.ANXIOUS: words.anxious,
        EmotionLabel.DISAPPOINTED: words.disappointed,
    }


def _softmax(scores: Chances) -> Chances:
    most = max(scores.values())
    raised = {label: math.exp(score - most) for label, score in scores.items()}
    total = math.fsum(raised.values())
    return {label: value / total for label, value in raised.items()}


def class_scores(voice: Voice, words: Sentiment, fit: Fit) -> Chances:
    """Probability of each class, from both."""
    scores: Chances = dict(zip(LABELS, fit.biases, strict=True))
    for chances, share in ((of_voice(voice), fit.voice), (of_words(words), fit.words)):
        for label in LABELS if chances is not None else ():
            assert chances is not None
            borne = share * chances[label] + (1 - share) * chances[EmotionLabel.NEUTRAL]
            scores[label] += math.log(max(borne, 1e-6))
    return _softmax(scores)


def signs(voice: Voice, words: Sentiment) -> tuple[float, ...]:
    """What agitation is told by, in the order of ``Fit.agitation``: each speaks for it the more, the higher it is."""
    heard = voice.classes or {}
    return (
        (voice.arousal or 0.0) * voice.arousal_confidence,
        -(words.value or 0.0) * words.confidence,
        heard.get(EmotionLabel.ANGRY, 0.0),
        heard.get(EmotionLabel.ANXIOUS, 0.0),
        words.angry,
        words.anxious,
    )


def agitation(voice: Voice, words: Sentiment, fit: Fit) -> float:
    """
    How agitated, 0 ... 1: never falls where arousal, negativity, anger or fear rises and the rest stays.

    Who says glad words in a loud voice is glad.
    """
    constant, *weights = fit.agitation
    at = constant + math.fsum(weight * sign for weight, sign in zip(weights, signs(voice, words), strict=True))
    glad = words.satisfied * max(0.0, words.value or 0.0)
    return (1 - glad) / (1 + math.exp(-at))


def fuse(voice: Voice, words: Sentiment, fit: Fit, *, evidence: float, before: float | None) -> Emotion:
    """
    One emotion of one utterance.

    Args:
        voice: What it says of this customer.
        words: Sentiment of what was said.
        fit: Of the models that both come from.
        evidence: 0 ... 1, how much the utterance can tell at all; a "hm" hardly changes what was known before.
        before: Agitation of the utterance before, if known.

    Returns:
        The label is "unknown" where evidence is weak or no class stands out. The confidence is the class's probability.
    """
    now = agitation(voice, words, fit)
    chances = class_scores(voice, words, fit)
    label = max(chances, key=lambda name: chances[name])
    known = words.value is not None or voice.arousal is not None
    named = known and evidence >= _LEAST_EVIDENCE and chances[label] >= _LEAST
    return Emotion(
        label=label if named else EmotionLabel.UNKNOWN,
        valence=_valence(voice, words),
        arousal=None if voice.arousal is None else round(voice.arousal, 3),
        agitation=round(now if before is None else evidence * now + (1 - evidence) * before, 3) if known else None,
        confidence=round(chances[label], 3) if named else 0.0,
    )


def _valence(voice: Voice, words: Sentiment) -> float | None:
    """That of the words and, as far as it is told by the voice, of both by their confidence."""
    views = [(words.value, words.confidence), (voice.valence, voice.valence_confidence)]
    told = [(value, sure) for value, sure in views if value is not None and sure > 0]
    if not told:
        return None if words.value is None else round(words.value, 3)
    return round(math.fsum(value * sure for value, sure in told) / math.fsum(sure for _, sure in told), 3)


def feel(
    customer: CustomerVoice, sound: Sound, voice: Voice, words: Sentiment, fit: Fit, text: str, speech_ms: int
) -> tuple[CustomerVoice, Emotion]:
    """
    Feeling of a customer's utterance: voice and words together.

    Args:
        customer: What was kept of the customer; ``CustomerVoice()`` at the first utterance.
        sound: Of the utterance.
        voice: What it says of this customer.
        words: Sentiment of the text.
        fit: Of the models that both come from.
        text: As recognised; empty where nothing was understood.
        speech_ms: Length of the utterance.

    Returns:
        What to keep, and the emotion.
    """
    evidence = _evidence(sound.prosody, text, speech_ms)
    emotion = fuse(voice, words, fit, evidence=evidence, before=customer.agitation)
    kept = customer.agitation if emotion.agitation is None else emotion.agitation
    return CustomerVoice(baseline=customer.baseline.learn(sound, voice), agitation=kept), emotion


def _evidence(prosody: Prosody, text: str, speech_ms: int) -> float:
    """Words and voice that there are, whatever they say: 4 of 5 at a sentence of two seconds."""
    voiced = min(speech_ms, prosody.voiced_ms) / 1_000
    said = sum(2 if "\u4e00" <= sign <= "\u9fff" else 0.5 for sign in text if sign.isalnum())
    return (1 - 0.6 ** (said / 4)) * 0.75 + (1 - 0.5 ** (voiced / 0.5)) * 0.25 if said or voiced else 0.0
