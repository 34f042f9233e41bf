"""The benchmark of devices measures the work that it says."""

from pathlib import Path

import numpy as np
import pytest

from audio.types import SAMPLE_RATE
from benchmarks.device import Forced, Stages, run
from benchmarks.shapes import write
from models.asr import WhisperRecogniser
from models.types import Spoken
from models.weights import locate


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> WhisperRecogniser:
    directory = tmp_path_factory.mktemp("shapes")
    like = locate("whisper-base", directory=None, cache=directory / "weights")
    return WhisperRecogniser(write("toy", directory, like), device="cpu", workers=1)


def spoken(seconds: float) -> Spoken:
    return Spoken(np.random.default_rng(1).normal(0, 900, int(seconds * SAMPLE_RATE)).astype(np.int16), "en")


@pytest.mark.weights
@pytest.mark.parametrize(("seconds", "tokens"), [((1,), 4), ((6,), 24), ((2, 6), 24)])
def test_random_weights_say_as_many_tokens_as_people_in_the_longest(
    toy: WhisperRecogniser, seconds: tuple[float, ...], tokens: int
) -> None:
    stages = Stages(toy, [spoken(one) for one in seconds], hurried=True)
    assert [len(one) for one in stages.decode(stages.encode(), 5)] == [tokens] * len(seconds)


@pytest.mark.weights
def test_a_forced_recogniser_has_the_shapes_of_the_real_one_and_says_nothing(toy: WhisperRecogniser) -> None:
    forced = Forced(toy)
    assert forced.shape(spoken(13)) == toy.shape(spoken(13))
    assert [told.text for told in forced.transcribe([spoken(1), spoken(3)])] == ["", ""]


@pytest.mark.weights
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_it_runs_from_end_to_end(device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "device.json"
    run(
        shape="toy", device=device, compute="auto", batches=[1, 2], bound_ms=60_000, talk_share=0.7, seconds=6,
        most=2, out=out, json=False,
    )  # fmt: skip
    assert out.read_bytes()
    assert "2 calls within 60000 ms" in capsys.readouterr().out
