"""``model.toml``: what the operator says of the model that lies beside it."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from models.errors import VoiceModelError

NAME: Final = "model.toml"

_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Common(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    file: str = "model.onnx"
    batch: _Count = 8
    """Utterances at once, at most; one by one where the network does not take their lengths."""


class Emotion2VecFile(_Common, frozen=True, kw_only=True, tag="emotion2vec"):
    """An emotion2vec with its nine classes."""

    temperature: _Positive = 1.0
    """Logits are divided by it: above 1 the model is less sure of itself."""


class SenseVoiceFile(_Common, frozen=True, kw_only=True, tag="sense-voice"):
    """SenseVoiceSmall, of which only the emotion is used."""

    temperature: _Positive = 1.0
    language: Literal["auto", "zh", "en", "yue", "ja", "ko"] = "auto"


class DimensionalFile(_Common, frozen=True, kw_only=True, tag="wav2vec2-dimensional"):
    """wav2vec 2.0 with arousal, dominance and valence."""

    arousal_confidence: _Share = 0.5
    """At an utterance with much voice; nobody has measured it on telephone calls, so that half is a guess."""
    valence_confidence: _Share = 0.5


Description = Emotion2VecFile | SenseVoiceFile | DimensionalFile


def read(directory: Path) -> Description:
    """
    Read it.

    Raises:
        VoiceModelError: Where it is missing, or says what is not understood.
    """
    path = directory / NAME
    if not directory.is_dir():
        raise VoiceModelError(str(directory), f"a directory with {NAME}", "none")
    if not path.is_file():
        found = ", ".join(sorted(each.name for each in directory.iterdir())[:8])
        raise VoiceModelError(str(directory), f"a file {NAME} that says which model this is", found or "nothing")
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
        description: Description = msgspec.convert(written, Description)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise VoiceModelError(str(path), "TOML as docs/voices.md describes it", str(error)) from error
    return description
