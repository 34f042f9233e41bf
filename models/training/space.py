"""
Fit the space in which the knowledge base compares texts: ``python -m models.training.space --data DATA``.

The vectors of the embedding lie in a narrow cone; without their mean, and with their directions evened out, what
differs between texts counts for more. Fitted without labels on texts whose licences are open: what users say in
CrossWOZ (Apache-2.0), CLINC150 (CC BY 3.0) and Bitext (CDLA-Sharing-1.0).

Source: Su et al.: Whitening Sentence Representations for Better Semantics and Faster Retrieval, arXiv:2103.15316,
2021; here with a ridge of the mean variance.
"""

import argparse
import csv
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from models.embedding import Embedding
from models.tensors import write_tensors

_RIDGE: Final = 1.0
"""In mean variances."""
_TEXTS: Final = 1_250
"""Of each English set; twice as many Chinese ones."""
_SEED: Final = 7


def fit(vectors: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float16]]:
    """
    Mean and matrix.

    Args:
        vectors: Shape (n, d), n > d.

    Returns:
        ``mean`` of shape (d,), ``matrix`` of shape (d, d): ``(vector - mean) @ matrix``.
    """
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(vectors))
    matrix = directions * (variances + _RIDGE * variances.mean()) ** -0.5
    # A common factor goes when lengths are made 1; this one keeps float16 from running over.
    matrix /= np.abs(matrix).max()
    return {"mean": mean.astype(np.float16), "matrix": matrix.astype(np.float16)}


def texts(data: Path) -> list[str]:
    """A sample of what customers and users say."""
    chance = random.Random(_SEED)
    with gzip.open(data / "zh_crosswoz" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        chinese = sorted(
            {turn["text"] for line in lines for turn in json.loads(line)["turns"] if turn["role"] == "usr"}
        )
    found = chance.sample(chinese, 2 * _TEXTS)
    for name in ("en_clinc150", "en_bitext"):
        with gzip.open(data / name / "train.csv.gz", "rt", encoding="utf-8") as rows:
            found += chance.sample(sorted({row["text"] for row in csv.DictReader(rows)}), _TEXTS)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the sets of texts")
    parser.add_argument("--embedding", type=Path, required=True, help="directory of multilingual-e5-small")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    given = texts(options.data)
    found = fit(Embedding(options.embedding)(given))
    write_tensors(options.out, found, {"texts": str(len(given)), "ridge": str(_RIDGE), "seed": str(_SEED)})
    print(f"{len(given)} texts; wrote {options.out}")


if __name__ == "__main__":
    main()
