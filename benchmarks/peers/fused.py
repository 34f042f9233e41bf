"""
A classifier of the usual kind for one set: TF-IDF and a frozen sentence embedding, each with logistic regression.

The two are added up as logarithms of probabilities. It is trained on the training file of the very set that it is
measured on, so that it knows the set's subject and how often each label comes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class Fused:
    """TF-IDF (characters 1 ... 3 of Chinese, words 1 ... 2 of English) and vectors, fused."""

    def __init__(
        self, texts: Sequence[str], labels: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32], language: str
    ) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        kind: dict[str, Any] = (
            {"analyzer": "char", "ngram_range": (1, 3)} if language == "zh" else {"ngram_range": (1, 2)}
        )
        self._words = make_pipeline(
            TfidfVectorizer(**kind, min_df=2, sublinear_tf=True), LogisticRegression(C=8, max_iter=60, tol=1e-3)
        ).fit(texts, labels)
        self._vectors = make_pipeline(StandardScaler(), LogisticRegression(C=0.005, max_iter=60)).fit(vectors, labels)
        self.classes: npt.NDArray[np.int64] = self._words.classes_

    def __call__(self, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Scores of the classes, shape (n, classes)."""
        words: npt.NDArray[np.float64] = self._words.predict_log_proba(texts)
        return words + self._vectors.predict_log_proba(vectors)
