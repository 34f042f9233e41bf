"""Small networks with the inputs and outputs of the public models, and the directories they lie in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from audio.resample import Resampler
from audio.types import Pcm
from models.emotion import VoiceModel
from models.public.opening import open_voice_model

Arrays = dict[str, npt.NDArray[Any]]

TAGS = ("HAPPY", "SAD", "ANGRY", "NEUTRAL", "FEARFUL", "DISGUSTED", "SURPRISED", "EMO_UNKNOWN")
TOKENS = ["<unk>", "<s>", "</s>", "好", *(f"<|{tag}|>" for tag in TAGS), "▁hello", "<|zh|>", "<|Speech|>", "<|woitn|>"]

FRAMES = """
    one = Constant<value = int64[1] {{1}}>()
    last = Constant<value = int64[1] {{2}}>()
    wave = Unsqueeze({signal}, one)
    bent = Conv<strides = [320]>(wave, kernel, offset)
    frames = Tanh(bent)
"""
"""Shape (rows, 8, frames) of the signal, a frame each 20 ms, as behind wav2vec 2.0's convolutions."""
MEAN = "    mean = ReduceMean<axes = [2], keepdims = 0>(frames)\n"
MEAN_WITHIN = """
    counted = Cast<to = 1>({within})
    counts = Unsqueeze(counted, one)
    full = Conv<strides = [320]>(counts, ones)
    least = Constant<value = float {{399.5}}>()
    whole = Greater(full, least)
    share = Cast<to = 1>(whole)
    kept = Mul(frames, share)
    total = ReduceSum<keepdims = 0>(kept, last)
    number = ReduceSum<keepdims = 0>(share, last)
    mean = Div(total, number)
"""
HEAD = "    logits = Gemm<transB = 1>(mean, weight, bias)\n"
DIMENSIONS = (
    "    hidden_states = Identity(mean)\n    raw = Gemm<transB = 1>(mean, weight, bias)\n    logits = Sigmoid(raw)\n"
)

SENSE_VOICE = """
    shape = Shape({speech})
    axis = Constant<value = int64 {{1}}>()
    zero = Constant<value = int64 {{0}}>()
    steps = Gather(shape, axis)
    places = Range(zero, steps, axis)
    one = Constant<value = int64[1] {{1}}>()
    two = Constant<value = int64[1] {{2}}>()
    long = Cast<to = 7>({lengths})
    ends = Unsqueeze(long, one)
    within = Less(places, ends)
    counted = Cast<to = 1>(within)
    share = Unsqueeze(counted, two)
    kept = Mul({speech}, share)
    total = ReduceSum(kept, one)
    number = ReduceSum(share, one)
    mean = Div(total, number)
    asked = Gather(embedding, {language})
    query = Unsqueeze(asked, one)
    known = Add(mean, query)
    first = MatMul(known, of_language)
    second = MatMul(known, of_emotion)
    third = MatMul(known, of_event)
    spelt = Gather(embedding, {spelling})
    spelling = Unsqueeze(spelt, one)
    fourth = MatMul(spelling, of_spelling)
    rest = MatMul({speech}, of_words)
    {output} = Concat<axis = 1>(first, second, third, fourth, rest)
"""


def _save(path: Path, graph: str, weights: Arrays, metadata: dict[str, str] | None = None) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{graph}')
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in weights.items())
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _random(rng: np.random.Generator, *shape: int, scale: float = 0.1) -> npt.NDArray[np.float32]:
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def _signal_weights(rng: np.random.Generator, classes: int, *, masked: bool = False, head: bool = True) -> Arrays:
    weights: Arrays = {"kernel": _random(rng, 8, 1, 400), "offset": _random(rng, 8)}
    if masked:
        weights["ones"] = np.ones((1, 1, 400), np.float32)
    if head:
        weights |= {"weight": _random(rng, classes, 8, scale=8.0), "bias": _random(rng, classes, scale=1.0)}
    return weights


def emotion2vec_frames(place: Path, rng: np.random.Generator, *, rows: str = "N") -> None:
    """As FunASR exports it: frames, without the head."""
    body = FRAMES.format(signal="input") + "    output = Transpose<perm = [0, 2, 1]>(frames)\n"
    graph = f"net (float[{rows}, T] input) => (float[{rows}, F, 8] output) {{{body}}}"
    _save(place / "model.onnx", graph, _signal_weights(rng, 9, head=False))
    np.savez(place / "head.npz", weight=_random(rng, 9, 8, scale=8.0), bias=_random(rng, 9, scale=1.0))
    (place / "model.toml").write_text('kind = "emotion2vec"\n')


def emotion2vec_classes(place: Path, rng: np.random.Generator) -> None:
    graph = f"net (float[N, T] input) => (float[N, 9] logits) {{{FRAMES.format(signal='input')}{MEAN}{HEAD}}}"
    _save(place / "model.onnx", graph, _signal_weights(rng, 9))
    (place / "model.toml").write_text('kind = "emotion2vec"\n')


def emotion2vec_masked(place: Path, rng: np.random.Generator, *, heedless: bool = False) -> None:
    told = "    said = Not(padding_mask)\n    all = Or(said, padding_mask)\n    there = Identity({})\n"
    within = told.format("all" if heedless else "said") + MEAN_WITHIN.format(within="there")
    body = FRAMES.format(signal="input") + within + HEAD
    graph = f"net (float[N, T] input, bool[N, T] padding_mask) => (float[N, 9] logits) {{{body}}}"
    _save(place / "model.onnx", graph, _signal_weights(rng, 9, masked=True))
    (place / "model.toml").write_text('kind = "emotion2vec"\nbatch = 2\n')


def emotion2vec_scores(place: Path, rng: np.random.Generator) -> None:
    """With everything inside, for one utterance, as on the Hugging Face hub."""
    head = HEAD + "    scores = Softmax<axis = 1>(logits)\n"
    graph = f"net (float[1, T] audio) => (float[1, 9] scores) {{{FRAMES.format(signal='audio')}{MEAN}{head}}}"
    _save(place / "nine.onnx", graph, _signal_weights(rng, 9))
    (place / "model.toml").write_text('kind = "emotion2vec"\nfile = "nine.onnx"\n')


def _sense_voice_weights(rng: np.random.Generator) -> Arrays:
    queries = ("of_language", "of_emotion", "of_event", "of_spelling", "of_words")
    weights: Arrays = {name: _random(rng, 560, len(TOKENS)) for name in queries}
    return weights | {"embedding": _random(rng, 16, 560)}


def sense_voice_funasr(place: Path, rng: np.random.Generator) -> None:
    names = {"speech": "speech", "lengths": "speech_lengths", "language": "language", "spelling": "textnorm"}
    body = SENSE_VOICE.format(**names, output="ctc_logits") + "    encoder_out_lens = Identity(speech_lengths)\n"
    inputs = "float[N, T, 560] speech, int32[N] speech_lengths, int32[N] language, int32[N] textnorm"
    outputs = f"float[N, L, {len(TOKENS)}] ctc_logits, int32[N] encoder_out_lens"
    _save(place / "model.onnx", f"net ({inputs}) => ({outputs}) {{{body}}}", _sense_voice_weights(rng))
    rows = [rng.normal(middle, 0.01, 560) for middle in (-11.0, 0.2)]
    (place / "am.mvn").write_text(
        "<Nnet>\n<Splice> 560 560\n[ 0 ]\n"
        + "".join(
            f"<{name}> 560 560\n<LearnRateCoef> 0 [ {' '.join(f'{x:.6f}' for x in row)} ]\n"
            for name, row in zip(("AddShift", "Rescale"), rows, strict=True)
        )
        + "</Nnet>\n"
    )
    (place / "tokens.json").write_text(json.dumps(TOKENS, ensure_ascii=False))
    (place / "model.toml").write_text('kind = "sense-voice"\n')


def sense_voice_sherpa(place: Path, rng: np.random.Generator) -> None:
    names = {"speech": "x", "lengths": "x_length", "language": "language", "spelling": "text_norm"}
    body = SENSE_VOICE.format(**names, output="logits")
    inputs = "float[N, T, 560] x, int32[N] x_length, int32[N] language, int32[N] text_norm"
    weights = _sense_voice_weights(rng)
    metadata = {
        name: ",".join(f"{x:.6f}" for x in rng.normal(middle, 0.01, 560))
        for name, middle in (("neg_mean", -11.0), ("inv_stddev", 0.2))
    }
    graph = f"net ({inputs}) => (float[N, L, {len(TOKENS)}] logits) {{{body}}}"
    _save(place / "model.onnx", graph, weights, metadata)
    (place / "tokens.txt").write_text("".join(f"{token} {n}\n" for n, token in enumerate(TOKENS)))
    (place / "model.toml").write_text('kind = "sense-voice"\nbatch = 3\n')


def dimensional(place: Path, rng: np.random.Generator, *, length: str = "T") -> None:
    body = FRAMES.format(signal="signal") + MEAN + DIMENSIONS
    graph = f"net (float[N, {length}] signal) => (float[N, 8] hidden_states, float[N, 3] logits) {{{body}}}"
    _save(place / "model.onnx", graph, _signal_weights(rng, 3))
    (place / "model.toml").write_text('kind = "wav2vec2-dimensional"\n')


def dimensional_masked(place: Path, rng: np.random.Generator) -> None:
    within = "    there = Cast<to = 9>(attention_mask)\n" + MEAN_WITHIN.format(within="there")
    body = FRAMES.format(signal="signal") + within + DIMENSIONS
    inputs = "float[N, T] signal, int64[N, T] attention_mask"
    _save(
        place / "model.onnx",
        f"net ({inputs}) => (float[N, 8] hidden_states, float[N, 3] logits) {{{body}}}",
        _signal_weights(rng, 3, masked=True),
    )
    (place / "model.toml").write_text('kind = "wav2vec2-dimensional"\nvalence_confidence = 0.25\n')


PUBLIC: dict[str, Callable[..., None]] = {
    "emotion2vec-frames": emotion2vec_frames,
    "emotion2vec-classes": emotion2vec_classes,
    "emotion2vec-masked": emotion2vec_masked,
    "emotion2vec-scores": emotion2vec_scores,
    "sense-voice-funasr": sense_voice_funasr,
    "sense-voice-sherpa": sense_voice_sherpa,
    "dimensional": dimensional,
    "dimensional-masked": dimensional_masked,
}


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A new directory with one of the public models, all weights small and random."""

    def lay_out(name: str, **otherwise: Any) -> Path:
        place = tmp_path_factory.mktemp(name)
        PUBLIC[name](place, np.random.default_rng(7), **otherwise)
        return place

    return lay_out


@pytest.fixture(scope="session")
def public_model(laid_out: Callable[..., Path]) -> Callable[[str], VoiceModel]:
    return lambda name: open_voice_model(laid_out(name), "cpu")


@pytest.fixture(scope="session")
def pcm(data: Path) -> Pcm:
    """Four seconds of a customer."""
    samples, rate = soundfile.read(data / "zh_late_order.wav", dtype="int16", always_2d=True)
    return Resampler(rate).push(np.ascontiguousarray(samples[20 * rate : 24 * rate, 0]))
