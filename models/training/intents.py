"""
Training of the intent model: ``python -m models.training.intents --weights open|research --data DIR --out FILE``.

Scores of all intents, fitted at once: linear over the runs of a text, linear and through one hidden layer over its
vector; then, on texts that the fit has not seen, a slope and an offset for each intent and language that make
probabilities of scores, and the threshold with the best F, in which precision
weighs more. Folds keep all texts of one sentence of ours together.

Source: Platt: Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods,
    Advances in Large Margin Classifiers, 1999.
"""

import argparse
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.embedding import WIDTH, Embedding
from models.grams import SIZE, grams
from models.intent import INTENTS, LANGUAGES
from models.tensors import write_tensors
from models.training.corpus import SEED, Lesson, lessons
from models.weights import locate

_Floats = npt.NDArray[np.float32]

_FOLDS: Final = 3
_STEPS: Final = 60
_SPREAD: Final = 6.0
"""Weight of the vector beside the runs."""
_RUNS: Final = 8.0
"""What the runs of a text are multiplied by; more means less shrinking."""
_HIDDEN: Final = 32
"""Units; 64 do no better on held-out sentences, none half a point worse."""
_SHRINK_VECTOR, _SHRINK_RUNS = 1e-4, 1e-5
_WEIGHT: Final = {"clean": 1.0, "plain": 0.6, "heard": 0.6}
_PUBLIC: Final = 0.5
"""Weight of a text of a public set beside one of ours."""
_THRESHOLDS: Final = 0.25, 0.70
"""Between these the threshold is chosen: held-out sentences of ours are still ours."""
_RECALL: Final = 0.85
"""How much recall weighs beside precision where it is chosen: a card for nothing costs more than one that is missed."""


class Problem(NamedTuple):
    """What is fitted; all arrays have a row a text."""

    vectors: _Floats
    runs: csr_matrix
    truth: _Floats
    weight: _Floats
    """Of each text for each intent; 0 where it is unsure."""

    def of(self, chosen: npt.NDArray[np.bool_]) -> "Problem":
        return Problem(self.vectors[chosen], self.runs[chosen], self.truth[chosen], self.weight[chosen])


class Head(NamedTuple):
    """What is found."""

    vector: _Floats
    runs: _Floats
    bias: _Floats
    into: _Floats
    """To the hidden layer, shape (width, units)."""
    hidden: _Floats
    """Its biases."""
    out: _Floats
    """Shape (units, intents)."""

    def scores(self, problem: Problem) -> _Floats:
        scores: _Floats = problem.vectors @ self.vector + problem.runs @ self.runs + self.bias
        scores += self.lit(problem) @ self.out
        return scores

    def lit(self, problem: Problem) -> _Floats:
        """The hidden layer."""
        lit: _Floats = np.maximum(problem.vectors @ self.into + self.hidden, 0)
        return lit


_SHRINK: Final = _SHRINK_VECTOR, _SHRINK_RUNS, 0.0, _SHRINK_VECTOR, 0.0, _SHRINK_VECTOR


def fit(problem: Problem) -> Head:
    """Minimise the weighted logarithmic loss of all intents, with weights kept small."""
    n, width, k = *problem.vectors.shape, len(INTENTS)
    across = problem.runs.T.tocsr()
    shapes = (width, k), (SIZE, k), (k,), (width, _HIDDEN), (_HIDDEN,), (_HIDDEN, k)
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]

    def cut(flat: npt.NDArray[Any]) -> Head:
        parts = np.split(flat.astype(np.float32), ends)
        return Head(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        head = cut(flat)
        scores, lit = head.scores(problem), head.lit(problem)
        error = problem.weight * (1 / (1 + np.exp(-scores)) - problem.truth) / n
        lost = problem.weight * (np.logaddexp(0, scores) - problem.truth * scores)
        small = sum(float(by * np.square(part, dtype=np.float64).sum()) for by, part in zip(_SHRINK, head, strict=True))
        back = (error @ head.out.T) * (lit > 0)
        slope = Head(
            problem.vectors.T @ error,
            across @ error,
            error.sum(axis=0),
            problem.vectors.T @ back,
            back.sum(axis=0),
            lit.T @ error,
        )
        parts = [(part + by * one).ravel() for part, by, one in zip(slope, _SHRINK, head, strict=True)]
        return float(lost.sum(dtype=np.float64) / n + small / 2), np.concatenate(parts, dtype=np.float64)

    found: Any = minimize(loss, _start(shapes), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "maxcor": 8})
    return cut(found.x)


def _start(shapes: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float64]:
    """Zeros, but for the hidden layer, and for biases that say that most texts want none of them."""
    random = np.random.default_rng(SEED)
    parts = [np.zeros(shape) for shape in shapes]
    parts[2] -= 3.0
    parts[3] += random.normal(size=shapes[3]) / (2 * _SPREAD)
    parts[5] += random.normal(size=shapes[5]) / 20
    return np.concatenate([part.ravel() for part in parts])


def vectors_of(texts: Sequence[str], cache: Path) -> _Floats:
    """Of the embedding; those that were made once are kept beside its weights, by a hash of the text."""
    keys = np.array([hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts])
    path = cache / "vectors.npz"
    kept: dict[str, npt.NDArray[np.float16]] = {}
    if path.is_file():
        with np.load(path, allow_pickle=False) as old:
            kept = dict(zip(old["keys"].tolist(), old["vectors"], strict=True))
    new = [at for at, key in enumerate(keys) if key not in kept]
    if new:
        embedding = Embedding(locate("multilingual-e5-small", directory=None, cache=cache))
        made = embedding([texts[at] for at in new]).astype(np.float16)
        kept |= dict(zip(keys[new].tolist(), made, strict=True))
        np.savez(path, keys=np.array(list(kept)), vectors=np.stack(list(kept.values())))
    return np.stack([kept[key] for key in keys.tolist()]).astype(np.float32)


def runs_of(given: Sequence[Lesson]) -> csr_matrix:
    """A row a text, of equal numbers and length ``_RUNS``."""
    rows = [grams(one.given.text, one.given.language) for one in given]
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    values = np.concatenate([np.full(len(row), _RUNS / np.sqrt(max(len(row), 1)), dtype=np.float32) for row in rows])
    return csr_matrix((values, np.concatenate(rows), ends), shape=(len(rows), SIZE))


def problem_of(given: Sequence[Lesson], vectors: _Floats) -> Problem:
    """The texts as numbers; ``vectors`` as they are to be fitted."""
    truth = [[intent in one.given.intents for intent in INTENTS] for one in given]
    weight = [
        [
            _WEIGHT[one.variant] * (1.0 if one.source == "ours" else _PUBLIC) * (i not in one.given.unsure)
            for i in INTENTS
        ]
        for one in given
    ]
    return Problem(vectors, runs_of(given), np.array(truth, dtype=np.float32), np.array(weight, dtype=np.float32))


def unseen_scores(problem: Problem, given: Sequence[Lesson]) -> _Floats:
    """Scores of each text by a head that was fitted without its group."""
    fold = np.array([zlib.crc32(one.group.encode()) % _FOLDS for one in given])
    scores = np.zeros_like(problem.truth)
    for one in range(_FOLDS):
        scores[fold == one] = fit(problem.of(fold != one)).scores(problem.of(fold == one))
    return scores


class Calibration(NamedTuple):
    """Shapes (languages, intents)."""

    slope: _Floats
    offset: _Floats
    threshold: _Floats
    f: _Floats


def calibrate(scores: _Floats, problem: Problem, given: Sequence[Lesson]) -> Calibration:
    """Probabilities of scores, and the thresholds, for each intent and language."""
    shape = len(LANGUAGES), len(INTENTS)
    found = Calibration(*(np.zeros(shape, dtype=np.float32) for _ in range(4)))
    language = np.array([one.given.language for one in given])
    for row, name in enumerate(LANGUAGES):
        for at in range(len(INTENTS)):
            chosen = (language == name) & (problem.weight[:, at] > 0)
            heard, truth, weight = scores[chosen, at], problem.truth[chosen, at], problem.weight[chosen, at]
            line = LogisticRegression(C=1e4).fit(heard[:, None], truth, sample_weight=weight)
            found.slope[row, at], found.offset[row, at] = line.coef_[0, 0], line.intercept_[0]
            chances = line.predict_proba(heard[:, None])[:, 1]
            tried = [(_f(chances >= least, truth > 0, weight), least) for least in np.arange(*_THRESHOLDS, 0.025)]
            found.f[row, at], found.threshold[row, at] = max(tried)
    return found


def _f(named: npt.NDArray[np.bool_], meant: npt.NDArray[np.bool_], weight: _Floats) -> float:
    """
    The mean of precision and recall of C. J. van Rijsbergen: Information Retrieval, 1979, with ``_RECALL`` as beta.

    F1 is that with 1.
    """
    both, some, wanted = (float(weight[part].sum()) for part in (named & meant, named, meant))
    beta = _RECALL**2
    return (1 + beta) * both / (some + beta * wanted) if some + wanted else 0.0


def train(weights: Literal["open", "research"], data: Path, out: Path, cache: Path) -> Calibration:
    """Fit, calibrate and write."""
    cache.mkdir(parents=True, exist_ok=True)
    given = lessons(data, weights)
    vectors = vectors_of([one.given.text for one in given], cache)
    mean = vectors.mean(axis=0)
    stretch = (_SPREAD / (vectors.std(axis=0) * np.sqrt(WIDTH))).astype(np.float32)
    problem = problem_of(given, (vectors - mean) * stretch)
    calibration = calibrate(unseen_scores(problem, given), problem, given)
    head = fit(problem)
    # Bytes are enough for runs: a text has a hundred of them, and what each is rounded by evens out.
    step = np.abs(head.runs).max(axis=0) / 127
    arrays = {
        "mean": mean,
        "vector": head.vector * stretch[:, None],
        "into": head.into * stretch[:, None],
        "hidden": head.hidden,
        "out": head.out,
        "bias": head.bias,
        "grams": np.round(head.runs / step).astype(np.int8),
        "scale": step * _RUNS,
        "slope": calibration.slope,
        "offset": calibration.offset,
        "threshold": calibration.threshold,
    }
    sources = sorted({one.source for one in given})
    notes = {
        "intents": " ".join(INTENTS),
        "languages": " ".join(LANGUAGES),
        "kind": weights,
        "version": f"intent-{weights}-{_revision()}",
        "texts": str(len(given)),
        "sources": " ".join(sources),
        "seed": str(SEED),
    }
    numbers = {name: array if array.dtype == np.int8 else array.astype(np.float32) for name, array in arrays.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(out, numbers, notes)
    return calibration


def _revision() -> str:
    """What the texts are made of: the same data make the same name."""
    root = Path(__file__).parent
    parts = [*sorted((root / "phrasing").glob("*.toml")), root / "labels.py", root / "corpus.py"]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:8]


def main() -> None:
    """Train, and print the F on held-out folds, which is how the thresholds were chosen and no test."""
    parser = argparse.ArgumentParser(description="Train the intent model.")
    parser.add_argument("--weights", choices=("open", "research"), required=True)
    parser.add_argument("--data", type=Path, required=True, help="holds a directory a set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".warmline") / "weights")
    given = parser.parse_args()
    found = train(given.weights, given.data, given.out, given.cache)
    for row, language in enumerate(LANGUAGES):
        for at, intent in enumerate(INTENTS):
            print(f"{language} {intent:<17} F {found.f[row, at]:.3f} from {found.threshold[row, at]:.2f}")
    print(f"{given.out}: {given.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
