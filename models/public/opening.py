"""From a directory to a model that has been tried."""

from pathlib import Path
from typing import Final

import numpy as np

from audio.types import Pcm
from models.emotion import Sound
from models.errors import VoiceModelError
from models.public.description import DimensionalFile, Emotion2VecFile, SenseVoiceFile, read
from models.public.dimensional import Wav2Vec2Dimensional
from models.public.emotion2vec import CLASSES as NINE
from models.public.emotion2vec import Emotion2Vec
from models.public.listening import LONGEST, SHORTEST
from models.public.network import Network
from models.public.sense_voice import CLASSES as TAGS
from models.public.sense_voice import SenseVoice

PublicModel = Emotion2Vec | SenseVoice | Wav2Vec2Dimensional

_SAME: Final = 0.05
"""By which a logit may differ in a batch, so that float16 may round: 5 % of a class's odds."""


def open_voice_model(directory: Path, device: str = "auto", *, threads: int = 1) -> PublicModel:
    """
    The model in a directory, of the kind that its ``model.toml`` says.

    It is tried on noise, as long and as short as an utterance can be, alone and together: an export for one length, or
    one that does not leave padding out, is found here and not in a call.

    Args:
        device: "cpu", "cuda", "cuda:1" and so on, or "auto" for the best there is.
        threads: Of a processor, for one batch.

    Raises:
        VoiceModelError: Says what the directory lacks, or what is wrong with it.
        ComputeUnsupported: If the device is not there.
    """
    description = read(directory)
    network = Network(directory / description.file, device, threads)
    model: PublicModel
    match description:
        case Emotion2VecFile():
            model, width = Emotion2Vec(directory, description, network), len(NINE)
        case SenseVoiceFile():
            model, width = SenseVoice(directory, description, network), len(TAGS)
        case DimensionalFile():
            model, width = Wav2Vec2Dimensional(directory, description, network), 3
    _try(model, network.path, width)
    return model


def _try(model: PublicModel, path: Path, width: int) -> None:
    rng = np.random.default_rng(0)
    noises: list[Pcm] = [rng.integers(-3_000, 3_000, length).astype(np.int16) for length in (LONGEST, SHORTEST)]
    alone: list[Sound] = [sound for noise in noises for sound in model.hear([noise])]
    for sound in alone:
        if sound.vector.shape != (width,):
            raise VoiceModelError(str(path), f"{width} numbers for an utterance", f"shape {sound.vector.shape}")
        if not np.isfinite(sound.vector).all():
            raise VoiceModelError(str(path), "finite numbers for an utterance", str(sound.vector.tolist()))
    if model.batch > 1:
        apart = max(
            float(np.abs(one.vector - other.vector).max()) for one, other in zip(alone, model.hear(noises), strict=True)
        )
        if apart > _SAME:
            expected = "the same for an utterance alone and in a batch (or batch = 1 in model.toml)"
            raise VoiceModelError(str(path), expected, f"a difference of {apart:.2g}")
