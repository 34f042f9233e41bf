"""The upper layers of the encoder while they are tuned: ``models.e5.top`` in torch."""

# Torch is only there where training is.
# pyright: reportMissingImports=false, reportUntypedBaseClass=false

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.e5 import LAYERS, TRUNK

HEADS: Final = 12
_EPSILON: Final = 1e-12
_FAR: Final = -1e4
"""Added to where nothing stands."""
_GROUPS: Final = 4

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]


class Top:
    """Layers that are multiplied in bfloat16, for processors do so much faster, and kept in float32."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """
        Start from what is there.

        Args:
            weights: As ``models.e5.weights_of`` gives them.
        """
        import torch  # noqa: PLC0415

        class Taken(torch.autograd.Function):
            """Rows of a tensor, none of them twice: the gradient need not be added up, which takes long."""

            @staticmethod
            def forward(known: Any, x: Any, at: Any) -> Any:
                known.save_for_backward(at)
                known.rows = len(x)
                return x.index_select(0, at)

            @staticmethod
            def backward(known: Any, slope: Any) -> tuple[Any, None]:
                (at,) = known.saved_tensors
                return slope.new_zeros(known.rows, slope.shape[1]).index_copy_(0, at, slope), None

        self._torch = torch
        self._taken: Any = Taken.apply
        self.parameters: dict[str, Any] = {
            name: torch.nn.Parameter(torch.from_numpy(np.array(array))) for name, array in weights.items()
        }

    def __call__(self, lower: Sequence[Halves], kept: Sequence[npt.NDArray[np.bool_]] | None = None) -> Any:
        """
        Vectors of texts.

        Args:
            lower: Of each text what the trunk gives, shape (pieces, width).
            kept: Of each its pieces that are read, shape (pieces,); all where it is None.

        Returns:
            A tensor of shape (n, width), float32, each row of length 1.
        """
        torch = self._torch
        if kept is not None:
            lower = [one[chosen] for one, chosen in zip(lower, kept, strict=True)]
        sizes = np.array([len(one) for one in lower])
        order = np.argsort(sizes, kind="stable")
        x = torch.from_numpy(np.concatenate([lower[at] for at in order])).bfloat16()
        # Pieces stand in a row; only where they look at each other, texts of like length are filled up to one.
        groups = [self._group(sizes[some]) for some in np.array_split(order, _GROUPS) if len(some)]
        for layer in range(TRUNK, LAYERS):
            x = self._layer(f"l{layer}", x, groups)
        row = torch.from_numpy(np.repeat(order, sizes[order]))
        mean = torch.zeros(len(sizes), x.shape[1]).index_add(0, row, x.float()) / torch.from_numpy(sizes)[:, None]
        return torch.nn.functional.normalize(mean, dim=1)

    def _group(self, sizes: npt.NDArray[np.int64]) -> tuple[int, Any, Any]:
        """Pieces of some texts, where they stand among filled up ones, and what they may not look at."""
        there = np.arange(sizes.max())[None] < sizes[:, None]
        mask = self._torch.from_numpy(np.where(there, 0.0, _FAR).astype(np.float32))
        return int(sizes.sum()), self._torch.from_numpy(np.flatnonzero(there)), mask[:, None, None]

    def _layer(self, name: str, x: Any, groups: Sequence[tuple[int, Any, Any]]) -> Any:
        functional = self._torch.nn.functional
        joined = self._linear(f"{name}.qkv", x).split([size for size, _, _ in groups])
        heard = self._torch.cat([self._heard(one, at, mask) for one, (_, at, mask) in zip(joined, groups, strict=True)])
        x = self._norm(f"{name}.aln", x + self._linear(f"{name}.ao", heard))
        inner = functional.gelu(self._linear(f"{name}.fi", x))
        return self._norm(f"{name}.oln", x + self._linear(f"{name}.fo", inner))

    def _heard(self, joined: Any, at: Any, mask: Any) -> Any:
        texts, most = mask.shape[0], mask.shape[-1]
        full = joined.new_zeros(texts * most, joined.shape[1]).index_copy(0, at, joined).float()
        query, key, value = full.view(texts, most, 3, HEADS, -1).permute(2, 0, 3, 1, 4).contiguous()
        looks = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5 + mask
        return self._taken((looks.softmax(3) @ value).transpose(1, 2).reshape(texts * most, -1), at).bfloat16()

    def _linear(self, name: str, x: Any) -> Any:
        weight, bias = (self.parameters[f"{name}.{part}"].bfloat16() for part in ("w", "b"))
        return self._torch.addmm(bias, x, weight)

    def _norm(self, name: str, x: Any) -> Any:
        weight, bias = (self.parameters[f"{name}.{part}"].bfloat16() for part in ("w", "b"))
        return self._torch.nn.functional.layer_norm(x, (x.shape[1],), weight, bias, _EPSILON)

    def weights(self) -> dict[str, Floats]:
        """As they are now, for ``models.e5.tuned``."""
        return {name: parameter.detach().numpy().copy() for name, parameter in self.parameters.items()}
