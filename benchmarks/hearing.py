"""Clips through a model of voices, speaker by speaker, as calls bring them."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.classes import CLASSES
from benchmarks.clips import Clip
from benchmarks.figures import top
from benchmarks.pace import Paced, paced
from models.emotion import Baseline, Sound, Voice, VoiceModel
from models.fusion import OPEN, Chances, CustomerVoice, class_scores, feel, of_voice
from models.sentiment import NOTHING_SAID, Sentiment, TextModel
from models.types import EmotionLabel


class Heard(NamedTuple):
    """Clips, and what the model keeps of each."""

    clips: Sequence[Clip]
    sounds: Sequence[Sound]
    pace: Paced


class Seen(NamedTuple):
    """What was made of a clip."""

    clip: Clip
    predicted: str
    """The best of the four classes."""
    share: float
    """Of its probability among the four."""
    named: bool
    """Whether production would show a class."""
    arousal: float | None
    valence: float | None


def hear(model: VoiceModel, clips: Sequence[Clip]) -> Heard:
    """
    Take in the clips one by one, and some of them once more together.

    Args:
        clips: At least one.
    """
    sounds, pace = paced(model.hear, [clip.pcm for clip in clips], time.process_time)
    return Heard(clips, sounds, pace)


def baselines(heard: Heard, model: VoiceModel) -> dict[str, Baseline]:
    """Of each speaker, from all of his clips, whatever they are labelled."""
    known: dict[str, Baseline] = {}
    for clip, sound in zip(heard.clips, heard.sounds, strict=True):
        baseline = known.get(clip.speaker, Baseline())
        customer, _ = feel(
            CustomerVoice(baseline=baseline), sound, model.judge(sound, baseline), NOTHING_SAID, OPEN, "", 0
        )
        known[clip.speaker] = customer.baseline
    return known


def follow(heard: Heard, known: Mapping[str, Baseline], model: VoiceModel, words: TextModel | None) -> list[Seen]:
    """
    Judge every clip in order.

    Args:
        heard: By this model.
        known: Baseline to begin with; a speaker who is not in it begins with none.
        model: Of voices.
        words: Reads the transcripts; None for the voice alone.
    """
    kept: dict[str, Baseline] = {}
    seen: list[Seen] = []
    for clip, sound in zip(heard.clips, heard.sounds, strict=True):
        baseline = kept.get(clip.speaker) or known.get(clip.speaker, Baseline())
        voice = model.judge(sound, baseline)
        text = "" if words is None else clip.text
        [said] = [NOTHING_SAID] if words is None else words.read([text], [clip.language])
        predicted, share = top(_of_four(chances(voice, said)))
        # As at the first utterance of a call: what was shown before does not matter to what is named.
        customer, emotion = feel(CustomerVoice(baseline=baseline), sound, voice, said, OPEN, text, clip.length_ms)
        valence = voice.valence if said.value is None else said.value
        named = emotion.label is not EmotionLabel.UNKNOWN
        seen.append(Seen(clip, predicted, share, named, voice.arousal, valence))
        kept[clip.speaker] = customer.baseline
    return seen


def chances(voice: Voice, words: Sentiment) -> Chances:
    """Of each class, as production has it; by the voice alone where nothing was said."""
    alone = of_voice(voice) if words is NOTHING_SAID else None
    return class_scores(voice, words, OPEN) if alone is None else alone


def _of_four(weights: Mapping[EmotionLabel, float]) -> dict[str, float]:
    return {name: weights[label] for name, label in CLASSES.items()}
