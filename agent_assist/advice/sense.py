"""
Sentences of a playbook found by their meaning in what was said.

Cosines of sentences are not comparable: some sentences are near to everything. So what counts is how much nearer two
are to each other than each of them is to the ordinary sentences of a service that are nearest to it. A clause that
denies is compared with sentences that deny alone, and the other way round: of "not" vectors say little.

Source: Conneau et al.: Word Translation Without Parallel Data, ICLR 2018, where this is called CSLS.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from math import inf
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from agent_assist.advice.conditions import LEAST_LIKENESS, Language, Phrases
from agent_assist.errors import MeaningMissing
from models.intent import language_of
from models.meaning import SPACE, Clause, Embed, Meaning, meanings, packed
from models.types import Utterance

_NEAREST: Final = 10
"""Ordinary sentences that say how near a sentence is to everything; with 5 and 20 it is about as good."""
_SCALE: Final = 4.0
"""
So many points of likeness for a point of cosine: 0.5 is as near as to the nearest ordinary sentences. From 1 on it is
sure; the same sentence comes to more than that.
"""
_DENIES: Final[dict[Language, re.Pattern[str]]] = {
    "zh": re.compile(
        r"(?<![能要是可想会得行好对差])不(?!得不|过|好意思|但|管|如|同|错|少|断)|(?<!有)没(?!关系|问题)"
        r"|(?<![特级分区个性差告])别(?!人|的|家|处|墅)|未(?!来)|无法"
    ),
    "en": re.compile(
        r"\b(?:not|never|no|nobody|none|nothing|without|cannot|neither|nor|dont|cant|wont|didnt|doesnt|isnt)\b|n't\b",
        re.IGNORECASE,
    ),
}

Floats = npt.NDArray[np.float32]


def denies(text: str, language: Language) -> bool:
    """Whether something is denied in a sentence; a question such as "能不能" denies nothing."""
    return _DENIES[language].search(text.replace("’", "'")) is not None


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """The sentences of one language, a row each."""

    rows: Mapping[str, int]
    denies: npt.NDArray[np.bool_]
    steps: Floats
    """Whole numbers, shape (n, 384)."""
    near: npt.NDArray[np.float64]
    """Of each the mean cosine of the ordinary sentences nearest to it."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The clauses of an utterance beside all the sentences of a playbook."""

    clauses: tuple[tuple[Clause, Language], ...]
    rows: tuple[Mapping[str, int], ...]
    """For each clause, the place of every sentence of its language."""
    likeness: tuple[npt.NDArray[np.float64], ...]
    """In these places; minus infinity of those that cannot count."""

    def find(self, like: Phrases, unlike: Phrases, least: Mapping[Language, float]) -> list[Clause]:
        """The clauses that mean one of ``like``, and none of ``unlike`` more, the most alike first."""
        found: list[tuple[float, Clause]] = []
        for (clause, language), rows, likeness in zip(self.clauses, self.rows, self.likeness, strict=True):
            best, worst = (
                max((float(likeness[rows[one]]) for one in group.get(language, ())), default=-inf)
                for group in (like, unlike)
            )
            if best >= least.get(language, LEAST_LIKENESS[language]) and best > worst:
                found.append((best, clause))
        return [clause for _, clause in sorted(found, key=lambda one: (-one[0], one[1].start))]


class Sense:
    """
    The sentences of a playbook, made ready; keeps nothing of any call.

    Args:
        sentences: That rules name, by language.
        embed: Which vectors they get.
    """

    def __init__(self, sentences: Mapping[Language, Iterable[str]], embed: Embed) -> None:
        self._embed = embed
        self._written: dict[Language, _Written] = {
            language: _written(tuple(dict.fromkeys(given)), language, embed) for language, given in sentences.items()
        }

    def meaning(self, text: str) -> Meaning:
        """Of what nobody has read yet, as an example of a rule."""
        return meanings([text], self._embed)[0]

    def hear(self, utterance: Utterance) -> Compared:
        """
        Compare an utterance with all sentences.

        Raises:
            MeaningMissing: If nothing is known of its meaning.
        """
        meaning = utterance.meaning
        if meaning is None or meaning.space != SPACE:
            raise MeaningMissing(utterance.id, "none" if meaning is None else meaning.space)
        clauses: list[tuple[Clause, Language]] = []
        rows: list[Mapping[str, int]] = []
        likeness: list[npt.NDArray[np.float64]] = []
        for clause in meaning.clauses:
            text = utterance.text[clause.start : clause.end]
            language = language_of(text, "")
            written = self._written.get(language)
            if written is None:
                continue
            clauses.append((clause, language))
            rows.append(written.rows)
            likeness.append(_likeness(clause, written, ordinary(language, self._embed), denies(text, language)))
        return Compared(tuple(clauses), tuple(rows), tuple(likeness))


def _likeness(clause: Clause, written: _Written, usual: Floats, denied: bool) -> npt.NDArray[np.float64]:
    steps = np.frombuffer(clause.vector, dtype=np.int8).astype(np.float32)[None]
    near = _mean_of_nearest(_cosines(steps, usual))
    points = 2 * _cosines(steps, written.steps)[0] - near - written.near
    found: npt.NDArray[np.float64] = np.where(written.denies == denied, 0.5 + _SCALE * points, -np.inf)
    return found


def _cosines(left: Floats, right: Floats) -> npt.NDArray[np.float64]:
    # Of whole numbers up to 127 every sum of 384 products is below 2^24: exact, in whatever order a machine adds.
    sizes = [np.sqrt((one * one).sum(axis=1).astype(np.float64)) for one in (left, right)]
    found: npt.NDArray[np.float64] = (left @ right.T).astype(np.float64) / np.outer(*sizes)
    return found


def _mean_of_nearest(cosines: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.sort(cosines, axis=1)[:, -_NEAREST:].mean(axis=1)
    return found


def _written(sentences: tuple[str, ...], language: Language, embed: Embed) -> _Written:
    steps = _steps(sentences, embed)
    return _Written(
        rows={sentence: row for row, sentence in enumerate(sentences)},
        denies=np.array([denies(sentence, language) for sentence in sentences], dtype=bool),
        steps=steps,
        near=_mean_of_nearest(_cosines(steps, ordinary(language, embed))),
    )


def _steps(sentences: tuple[str, ...], embed: Embed) -> Floats:
    return packed(embed(sentences)).astype(np.float32)


@lru_cache(maxsize=8)
def ordinary(language: Literal["zh", "en"], embed: Embed) -> Floats:
    """Vectors of what is said to a service every day, in whole numbers, shape (200, 384)."""
    return _steps(said_every_day(language), embed)


@cache
def said_every_day(language: Language) -> tuple[str, ...]:
    """What is said to a service without wanting anything in particular, 200 sentences of our own."""
    text = (files("models.phrases") / f"ordinary_{language}.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
