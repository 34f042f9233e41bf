"""
Names that the recogniser does not know: how many a vocabulary wins back, and what it breaks.

Terms are names that occur in the references of a set, found by rule. For Chinese: what jieba tags as a name, of two or
more characters, seldom in its dictionary (below 1000) and in at most five transcripts. For English: words of four
letters or more that Whisper's own tokens know in capitals only, or not at all. Beside them stand names that nobody
says, drawn from the same sources: names of jieba's dictionary, and tokens that are known in capitals only.

The ways: no vocabulary; ours, where the recogniser is asked about what sounds alike; the words nearest in sound put in
unasked; the best of five hypotheses with a bonus for each term; faster-whisper, without and with the terms as hotwords,
which are a prompt of at most 223 tokens: so only with the first number of unsaid names. Figures are of normalised
tokens, see ``models.textnorm``.
"""

import argparse
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from faster_whisper import WhisperModel
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audio.types import SAMPLE_RATE
from benchmarks.asr import Row, rows_of
from benchmarks.environment import Environment, Spread, environment, report, spread, write
from models.asr import BEAM, WhisperRecogniser
from models.correction import Candidate, candidates, replaced
from models.textnorm import Errors, cer, normalise
from models.types import Spoken
from models.vocabulary import NO_TERMS, Term, Vocabulary, is_distinct
from models.weights import find, locate
from models.written import plain
from stream.settings import load

UNSAID: Final = (100, 500)
"""Names that nobody says, in one run each."""
_SEED: Final = 7
_UNASKED: Final = 0.2
"""Mean distance of the sounds up to which words are replaced unasked: that of the competitors' names in the advice."""
_BONUS: Final = 3.0
"""Nats for each term in one of the five hypotheses."""
_NAMES: Final = ("nr", "nrt", "nrfg", "ns", "nt", "nz")
_SELDOM: Final = 1_000
_TRANSCRIPTS: Final = 5
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]{2,8}")


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way on one set."""

    name: str
    recall: float
    """Of the occurrences of terms in the references."""
    false_insertions: int
    """Occurrences of terms and other names that the references do not have."""
    cer: float
    term_cer: float
    """Share of the terms' characters in the references that are not heard."""
    ms: Spread
    """Compute time of a file."""


class VocabularySet(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest with one vocabulary."""

    name: str
    n: int
    """Files."""
    seconds: float
    terms: int
    occurrences: int
    unsaid: int
    """Names that nobody says."""
    ways: tuple[Way, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench vocabulary --json`` prints."""

    environment: Environment
    model: str
    device: str
    split: str | None
    sets: tuple[VocabularySet, ...]


class _Names(NamedTuple):
    said: list[str]
    unsaid: list[str]
    """As many as there are, in a settled order."""


class _Told(NamedTuple):
    text: str
    ms: float


def chinese_names(transcripts: Sequence[str]) -> _Names:
    """By the rule above."""
    jieba: Any = import_module("jieba")
    tagger: Any = import_module("jieba.posseg")
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    known: dict[str, int] = jieba.dt.FREQ
    counts: Counter[str] = Counter()
    for transcript in dict.fromkeys(transcripts):
        tagged = {str(pair.word) for pair in tagger.cut(transcript) if pair.flag in _NAMES}
        counts.update(word for word in tagged if _CHINESE.fullmatch(word) and known.get(word, 0) < _SELDOM)
    said = sorted(word for word, times in counts.items() if times <= _TRANSCRIPTS)
    whole = "\n".join(transcripts)
    dictionary = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    names = [word for word, times, tag in map(str.split, dictionary) if tag in _NAMES and int(times) < _SELDOM]
    unsaid = [word for word in names if _CHINESE.fullmatch(word) and word not in whole]
    return _Names(said, _shuffled(unsaid))


def english_names(transcripts: Sequence[str], tokens: Sequence[str]) -> _Names:
    """
    By the rule above.

    Args:
        tokens: All that the recogniser has, as texts.
    """
    known = set(tokens)
    words = sorted({word for transcript in transcripts for word in normalise(transcript).split()})
    said = [word for word in words if re.fullmatch(r"[a-z]{4,}", word) and f" {word}" not in known]
    capital = [token[1:] for token in tokens if re.fullmatch(r" [A-Z][a-z]{3,}", token)]
    unsaid = [name for name in capital if name.lower() not in words and f" {name.lower()}" not in known]
    return _Names([word.capitalize() for word in said], _shuffled(unsaid))


def _shuffled(names: Sequence[str]) -> list[str]:
    return [names[n] for n in np.random.default_rng(_SEED).permutation(len(names))]


@cache
def _tokens(term: str) -> list[str]:
    return normalise(term).split()


def occurrences(text: str, term: str) -> list[int]:
    """Where a term begins among the tokens of a text, which is normalised."""
    tokens, wanted = text.split(), _tokens(term)
    return [at for at in range(len(tokens) - len(wanted) + 1) if tokens[at : at + len(wanted)] == wanted]


def heard_tokens(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Which tokens of the reference the hypothesis has, on the cheapest path between them."""
    costs = np.zeros((len(reference) + 1, len(hypothesis) + 1), np.int32)
    costs[:, 0], costs[0, :] = range(len(reference) + 1), range(len(hypothesis) + 1)
    for i, wanted in enumerate(reference, start=1):
        for j, got in enumerate(hypothesis, start=1):
            costs[i, j] = min(costs[i - 1, j] + 1, costs[i, j - 1] + 1, costs[i - 1, j - 1] + (wanted != got))
    heard = [False] * len(reference)
    i, j = len(reference), len(hypothesis)
    while i and j:
        if costs[i, j] == costs[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            heard[i - 1] = reference[i - 1] == hypothesis[j - 1]
            i, j = i - 1, j - 1
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return heard


def score(name: str, rows: Sequence[Row], told: Sequence[_Told], names: _Names) -> Way:
    """All figures of one way; ``names.unsaid`` are those of its vocabulary."""
    found = wanted = inserted = wrong = length = 0
    for row, (text, _) in zip(rows, told, strict=True):
        reference, hypothesis = normalise(row.transcript), normalise(text)
        heard = heard_tokens(reference.split(), hypothesis.split())
        for term in (*names.said, *names.unsaid):
            places, said = occurrences(reference, term), len(occurrences(hypothesis, term))
            wanted += len(places)
            found += min(len(places), said)
            inserted += max(0, said - len(places))
            for place in places:
                tokens = heard[place : place + len(_tokens(term))]
                wrong, length = wrong + tokens.count(False), length + len(tokens)
    errors = sum((cer(row.transcript, text) for row, (text, _) in zip(rows, told, strict=True)), Errors())
    return Way(
        name=name,
        recall=round(found / max(wanted, 1), 4),
        false_insertions=inserted,
        cer=round(errors.rate, 4),
        term_cer=round(wrong / max(length, 1), 4),
        ms=spread([one.ms for one in told]),
    )


def unasked(text: str, vocabulary: Vocabulary) -> str:
    """The words nearest in sound replaced, without asking the recogniser."""
    standing: list[Candidate] = []
    for one in sorted(candidates(text, vocabulary), key=lambda one: one.distance / one.size):
        near = one.distance <= _UNASKED * one.size
        if near and all(one.end <= other.start or one.start >= other.end for other in standing):
            standing.append(one)
    return replaced(text, sorted(standing))


class _Recognisers:
    """All the ways, on the same weights; each takes a row and gives its words."""

    def __init__(self) -> None:
        settings = load({})
        self.model = settings.model
        path = locate(settings.model, directory=settings.weights, cache=settings.home / "weights", hub=settings.hub)
        window_s = find(settings.model).window_s
        self._ours = WhisperRecogniser(path, device=settings.device, workers=1, window_s=window_s)
        self.device = self._ours.device
        self._peer: Any = WhisperModel(
            str(path), device=self.device, compute_type=self._ours.compute, cpu_threads=1, local_files_only=True
        )

    def names(self, rows: Sequence[Row]) -> _Names:
        """Those of a set, which is of one language."""
        transcripts = [row.transcript for row in rows]
        if rows[0].language == "zh":
            return chinese_names(transcripts)
        tokenizer = self._peer.hf_tokenizer
        tokens = [tokenizer.decode([number]) for number in range(tokenizer.get_vocab_size())]
        return english_names(transcripts, tokens)

    def heard(self, row: Row, vocabulary: Vocabulary = NO_TERMS) -> str:
        """As in a call."""
        return self._ours.transcribe([Spoken(row.pcm, row.language, vocabulary=vocabulary)])[0].text

    def best(self, row: Row, vocabulary: Vocabulary) -> str:
        """Of five hypotheses, the likeliest with a bonus for each term."""
        ours, spoken = self._ours, Spoken(row.pcm, row.language)
        encoded, tokenizer = ours._encode([spoken], ours._window(spoken, hurried=False)), ours._tokenizers[row.language]
        [found] = ours._model.generate(
            encoded.states,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            max_length=200,
            return_scores=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )
        texts = [plain(tokenizer.decode(tokens), row.language) for tokens in found.sequences_ids]
        likelihoods = [score * len(tokens) for score, tokens in zip(found.scores, found.sequences_ids, strict=True)]
        said = [normalise(text) for text in texts]
        terms = [sum(len(occurrences(text, term.text)) for term in vocabulary.terms) for text in said]
        return max(zip(texts, likelihoods, terms, strict=True), key=lambda one: one[1] + _BONUS * one[2])[0]

    def hotwords(self, row: Row, names: Sequence[str]) -> str:
        """faster-whisper, told the names as a prompt."""
        audio = row.pcm.astype(np.float32) / 32768
        segments, _ = self._peer.transcribe(
            audio, language=row.language, beam_size=BEAM, hotwords=" ".join(names) or None
        )
        return " ".join(segment.text for segment in segments)


def _timed(transcribe: Callable[[], str]) -> _Told:
    begun = time.perf_counter()
    text = transcribe()
    return _Told(text, (time.perf_counter() - begun) * 1000)


def evaluate(
    name: str,
    rows: Sequence[Row],
    names: _Names,
    unsaid: Sequence[int],
    recognisers: _Recognisers,
    step: Callable[[], None],
) -> list[VocabularySet]:
    """All ways on one set, once for each number of names that nobody says; the ways take turns, file by file."""
    given = [names._replace(unsaid=names.unsaid[:count]) for count in unsaid]
    # In one order: a prompt is cut off, and must not hold just the names that are said.
    listed = [_shuffled([*each.said, *each.unsaid]) for each in given]
    vocabularies = [Vocabulary(tuple(Term(text=term) for term in terms if is_distinct(term))) for terms in listed]
    told: dict[tuple[str, int], list[_Told]] = {}
    for row in rows:
        heard = _timed(partial(recognisers.heard, row))
        peer = _timed(partial(recognisers.hotwords, row, ()))
        for at, vocabulary in enumerate(vocabularies):
            replaced_in = _Told(unasked(heard.text, vocabulary), heard.ms)
            found = {
                "warmline, no vocabulary": heard,
                "warmline": _timed(partial(recognisers.heard, row, vocabulary)),
                "nearest in sound, unasked": replaced_in,
                "best of five hypotheses": _timed(partial(recognisers.best, row, vocabulary)),
                "faster-whisper": peer,
            }
            if at == 0:
                found["faster-whisper, hotwords"] = _timed(partial(recognisers.hotwords, row, listed[at]))
            for way, one in found.items():
                told.setdefault((way, at), []).append(one)
        step()
    references = [normalise(row.transcript) for row in rows]
    return [
        VocabularySet(
            name=name,
            n=len(rows),
            seconds=round(sum(len(row.pcm) for row in rows) / SAMPLE_RATE, 1),
            terms=len(each.said),
            occurrences=sum(len(occurrences(reference, term)) for reference in references for term in each.said),
            unsaid=len(each.unsaid),
            ways=tuple(score(way, rows, heard, each) for (way, of), heard in told.items() if of == at),
        )
        for at, each in enumerate(given)
    ]


def run(
    manifest: Sequence[Path],
    *,
    split: str | None,
    limit: int | None,
    unsaid: Sequence[int],
    out: Path | None,
    json: bool,
) -> None:
    """Measure and print; ``out`` is written anew after every set."""
    recognisers = _Recognisers()
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += (f" --split {split}" if split else "") + (f" --limit {limit}" if limit else "")
    options += "".join(f" --unsaid {count}" for count in unsaid)
    result = Result(
        environment=environment(
            f"warmline bench vocabulary{options}", ("faster-whisper", "ctranslate2", "pypinyin", "jieba")
        ),
        model=recognisers.model,
        device=recognisers.device,
        split=split,
        sets=(),
    )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for path in manifest:
            name, rows = path.resolve().parent.name, rows_of(path, split, limit)
            rows = [row for row in rows if len(row.pcm) <= 28 * SAMPLE_RATE]
            for language in sorted({row.language for row in rows}):
                some = [row for row in rows if row.language == language]
                names = recognisers.names(some)
                if not names.said:
                    progress.console.print(f"{name}, {language}: no names, left out")
                    continue
                task = progress.add_task(f"{name}, {language}", total=len(some))
                found = evaluate(
                    f"{name}, {language}", some, names, unsaid, recognisers, partial(progress.advance, task)
                )
                result = msgspec.structs.replace(result, sets=(*result.sets, *found))
                write(result, out)
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    for one in result.sets:
        table = Table(
            title=f"{one.name}: {one.terms} terms said {one.occurrences} times in {one.n} files, {one.unsaid} unsaid"
        )
        for heading in ("way", "recall %", "false", "CER %", "of terms %", "p50 ms", "p95 ms"):
            table.add_column(heading, justify="left" if heading == "way" else "right", no_wrap=True)
        for way in one.ways:
            rates = (way.recall, way.cer, way.term_cer)
            recall, cer_all, cer_terms = (f"{rate * 100:.1f}" for rate in rates)
            table.add_row(
                way.name, recall, str(way.false_insertions), cer_all, cer_terms, str(way.ms.p50), str(way.ms.p95)
            )
        console.print(table)


def main() -> None:
    """``python -m benchmarks.vocabulary``."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--manifest", type=Path, action="append", required=True)
    arguments.add_argument("--split")
    arguments.add_argument("--limit", type=int)
    arguments.add_argument("--unsaid", type=int, action="append")
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    run(
        given.manifest,
        split=given.split,
        limit=given.limit,
        unsaid=given.unsaid or UNSAID,
        out=given.out,
        json=given.json,
    )


if __name__ == "__main__":
    main()
