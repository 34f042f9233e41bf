"""A trained model as one ONNX file."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# The extra `train` is seldom installed where types are checked.

import tempfile
from pathlib import Path

import msgspec
import onnx
import torch

from models.acoustic import CARD, Card
from models.training.kernel import Judge


def write(judge: Judge, card: Card, out: Path) -> None:
    """Write graph and card; the same judge gives the same bytes."""
    size = len(judge.get_buffer("doubt"))
    inputs = (*(torch.zeros(2, size) for _ in range(3)), torch.zeros(2, 1))
    names = ["sound", "mean", "variance", "weight"]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "graph.onnx"
        torch.onnx.export(
            judge,
            inputs,
            str(path),
            input_names=names,
            output_names=["scores"],
            dynamic_axes={name: {0: "n"} for name in [*names, "scores"]},
            opset_version=17,
            dynamo=False,
        )
        model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {CARD: msgspec.json.encode(card).decode()})
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(out))
