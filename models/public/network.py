"""An ONNX file, opened and compared with what its adapter needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime  # pyright: ignore[reportAttributeAccessIssue]

from models.errors import ComputeUnsupported, VoiceModelError

Floats = npt.NDArray[np.float32]

_DTYPES: Final[dict[str, Any]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
FLOAT: Final = ("tensor(float)", "tensor(float16)")
INTEGER: Final = ("tensor(int32)", "tensor(int64)")
BOOLEAN: Final = ("tensor(bool)",)

_UNREADABLE: Final = (
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NoModel,
    runtime.NoSuchFile,
    runtime.NotImplemented,
    runtime.RuntimeException,
)
"""What ONNX Runtime raises, which have no common root of their own."""


class Port(NamedTuple):
    """What an input or output has to be."""

    types: tuple[str, ...]
    rank: int
    width: int | None = None
    """Of the last axis, where it has to be a certain one."""


class Network:
    """
    A network; may be run from any thread.

    Args:
        path: The ONNX file.
        device: "cpu", "cuda", "cuda:1" and so on for one of several GPUs, or "auto" for the best there is.
        threads: Of a processor, for one run.

    Raises:
        VoiceModelError: If it is no ONNX file that can be run.
        ComputeUnsupported: If the device is not there.
    """

    def __init__(self, path: Path, device: str, threads: int) -> None:
        self.path: Final = path
        providers = _providers(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if not path.is_file():
            raise VoiceModelError(str(path), "an ONNX file", "none")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except _UNREADABLE as error:
            raise VoiceModelError(str(path), "an ONNX file that ONNX Runtime can run", _first_line(error)) from error
        used = self._session.get_providers()
        # ONNX Runtime goes on without the GPU when a library of CUDA is missing, and only writes to stderr.
        if device.startswith("cuda") and used[0] != "CUDAExecutionProvider":
            raise ComputeUnsupported(device, ("cpu",), "cuda; are CUDA and cuDNN installed?")
        self._inputs: dict[str, Any] = {each.name: each for each in self._session.get_inputs()}
        self._outputs: dict[str, Any] = {each.name: each for each in self._session.get_outputs()}
        self.metadata: Final[dict[str, str]] = dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self._inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(self._outputs)

    @property
    def one_by_one(self) -> bool:
        """Whether the file was exported for batches of one."""
        return any(each.shape and each.shape[0] == 1 for each in self._inputs.values())

    def expect(self, inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> None:
        """
        Compare with what is needed.

        Args:
            inputs: All that will be fed: there may be no other.
            outputs: All that will be asked for: there may be others.

        Raises:
            VoiceModelError: Says the first thing that differs.
        """
        if set(inputs) != set(self._inputs) or not set(outputs) <= set(self._outputs):
            expected = f"inputs {', '.join(inputs)} and outputs {', '.join(outputs)}"
            raise VoiceModelError(str(self.path), expected, self.described)
        for name, port in inputs.items():
            self._compare(f"input {name}", self._inputs[name], port)
        for name, port in outputs.items():
            self._compare(f"output {name}", self._outputs[name], port)

    @property
    def described(self) -> str:
        """Its inputs and outputs, for an error."""
        return f"inputs {', '.join(self._inputs)} and outputs {', '.join(self._outputs)}"

    def _compare(self, what: str, found: Any, port: Port) -> None:
        shape: list[int | str | None] = list(found.shape)
        if found.type not in port.types:
            raise VoiceModelError(str(self.path), f"{what} of {' or '.join(port.types)}", str(found.type))
        if not shape and port.rank:  # An exporter that did not know; the trial run will tell.
            return
        if len(shape) != port.rank:
            raise VoiceModelError(str(self.path), f"{what} of {port.rank} axes", f"{len(shape)}: {shape}")
        if isinstance(shape[0], int) and shape[0] != 1:
            raise VoiceModelError(str(self.path), f"{what} for batches of any size, or of 1", f"of {shape[0]}")
        if port.width is not None and isinstance(shape[-1], int) and shape[-1] != port.width:
            raise VoiceModelError(str(self.path), f"{what} with a last axis of {port.width}", f"{shape[-1]}: {shape}")

    def run(self, output: str, feeds: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """
        One output.

        Args:
            feeds: By name; brought to the types that the network takes.

        Raises:
            VoiceModelError: If the network fails.
        """
        given = {name: np.asarray(value, _DTYPES[self._inputs[name].type]) for name, value in feeds.items()}
        try:
            (found,) = self._session.run([output], given)
        except _UNREADABLE as error:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in given.items())
            raise VoiceModelError(str(self.path), f"an answer to {shapes}", _first_line(error)) from error
        return np.asarray(found, np.float32)


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    there = onnxruntime.get_available_providers()
    if kind not in {"cpu", "cuda", "auto"} or (number and not (kind == "cuda" and number.isdecimal())):
        raise ComputeUnsupported(device, ("cpu", "cuda", "cuda:1", "auto"), device)
    if kind == "cuda" and "CUDAExecutionProvider" not in there:
        raise ComputeUnsupported(device, ("cpu",), "cuda; pip install 'warmline[gpu]'")
    if kind == "cpu" or "CUDAExecutionProvider" not in there:
        return ["CPUExecutionProvider"]
    # By default cuDNN tries out every algorithm for each new shape, and every utterance has a length of its own.
    cuda = {"device_id": int(number or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def filled(rows: Sequence[Floats]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """
    Put arrays of different lengths into one, with zeros behind the shorter ones.

    Args:
        rows: Each of shape (t,) or (t, d).

    Returns:
        Shape (rows, longest) or (rows, longest, d), and the lengths.
    """
    lengths = np.array([len(row) for row in rows], np.int64)
    whole = np.zeros((len(rows), int(lengths.max()), *rows[0].shape[1:]), np.float32)
    for row, values in zip(whole, rows, strict=True):
        row[: len(values)] = values
    return whole, lengths
