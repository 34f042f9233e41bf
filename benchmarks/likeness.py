"""
Sentences found by their meaning, beside the phrases of the same rules: right and complete, on single utterances.

Six sentences a language stand in ``likeness.yaml`` for each rule of the default playbook that is meant for an intent.
Three systems on the same texts, none of them with trained intents: the rule's phrases; its sentences; either. Besides,
for each set, what other thresholds would give, over all rules together; and how often a rule fires in dialogues whose
speakers want other things. The texts ``own`` are made of our own sentences (``models/training/phrasing``) less those
that stand for what is said every day.
"""

import gzip
import json as parse
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import yaml
from rich.console import Console
from rich.table import Table

from agent_assist.advice.conditions import LEAST_LIKENESS, Language, Phrases
from agent_assist.advice.playbook import Playbook, load
from agent_assist.advice.sense import Sense, said_every_day
from benchmarks.advice import MEANT, MeantRules, RuleSet, customer_says, measure, tells
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.intent import Condition, TextSet, as_heard, read_sets
from models.embedding import Embedding
from models.intent import INTENTS, language_of
from models.meaning import Meaning, cut, meanings
from models.training.confusion import RATE
from models.training.labels import Labelled
from models.training.phrasing import Phrasing
from models.types import Utterance
from models.weights import locate
from stream.settings import load as settings_of

_SEED: Final = 11
_SENTENCES: Final = Path(__file__).with_name("likeness.yaml")
_STEPS: Final = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_TALK: Final = 2_000
_OWN: Final = 1_000
_EACH: Final = 100
"""Texts of each set that are timed."""
System = Literal["phrases", "like", "either"]
_Bools = npt.NDArray[np.bool_]
T = TypeVar("T")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold, over all rules of a set together."""

    least_likeness: float
    precision: float | None
    """None where nothing was found."""
    recall: float


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """What thresholds give by the sentences alone, on texts without errors."""

    name: str
    language: str
    steps: tuple[Step, ...]


class Pooled(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of a set together."""

    name: str
    language: str
    condition: Condition
    system: str
    n: int
    """Pairs of a text and a rule that is meant for it."""
    precision: float | None
    recall: float


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """How often rules fire in dialogues about other things."""

    name: str
    language: str
    n: int
    """Utterances."""
    per_thousand: dict[str, float]
    """Firings of a rule in a thousand utterances, the mean over the rules, by system."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench likeness --json`` prints."""

    environment: Environment
    playbook: str
    defaults: dict[str, float]
    error_rate: float
    """Of "heard": characters or words that come out wrong."""
    sets: tuple[RuleSet, ...]
    pooled: tuple[Pooled, ...]
    sweeps: tuple[Sweep, ...]
    alarms: tuple[Alarms, ...]
    meaning_ms: Spread
    """Of one core, to make the vectors of a text of the sets."""
    clauses: float
    """Of a text, the mean."""
    compare_ms: Spread
    """Of one core, to compare a text with all the sentences."""


def with_sentences(playbook: Playbook, system: System, least: dict[Language, float] | None = None) -> Playbook:
    """The playbook, its rules that are meant for intents by their phrases, by sentences, or by either; no intents."""
    sentences = msgspec.convert(yaml.safe_load(_SENTENCES.read_text(encoding="utf-8")), dict[str, Phrases])
    rules = []
    for rule in playbook.rules:
        if rule.id not in MEANT:
            continue
        changed = msgspec.structs.replace(rule, intents=(), emotions=(), yields=(), hits=None, either=True)
        if system != "phrases":
            changed = msgspec.structs.replace(changed, like=sentences[rule.id], least_likeness=least or {})
        if system == "like":
            changed = msgspec.structs.replace(changed, phrases={}, all_of=(), competitors=False, not_within={})
        rules.append(changed)
    return msgspec.structs.replace(
        playbook, rules=tuple(rules), flows=(), recommendations=type(playbook.recommendations)()
    )


def _own(language: Language, limit: int | None) -> TextSet:
    known = set(said_every_day(language))
    made = [one for one in Phrasing(language).make(1, Random(_SEED)) if one.text not in known]
    Random(_SEED).shuffle(made)
    rows = [Labelled(one.text, language, frozenset(i for i in INTENTS if i in one.intents)) for one in made]
    return TextSet("own", language, frozenset(INTENTS), rows[: min(limit or _OWN, _OWN)])


def pooled(one: TextSet, fired: _Bools, *, system: System, condition: Condition) -> Pooled:
    """
    Over all pairs of a text and a rule of which the set tells.

    Args:
        fired: Shape (n, rules), in the order of ``MEANT``.
    """
    told = np.array([[intent in one.known and tells(rule, row) for rule, intent in MEANT.items()] for row in one.rows])
    wanted = told & np.array([[intent in row.intents for intent in MEANT.values()] for row in one.rows])
    named = fired & told
    right, count, meant = int((named & wanted).sum()), int(named.sum()), int(wanted.sum())
    return Pooled(
        name=one.name,
        language=one.language,
        condition=condition,
        system=system,
        n=meant,
        precision=round(right / count, 4) if count else None,
        recall=round(right / meant, 4),
    )


class _Bench:
    def __init__(self, playbook: Playbook, embedding: Embedding) -> None:
        systems: tuple[System, ...] = ("phrases", "like", "either")
        playbooks = {system: with_sentences(playbook, system) for system in systems}
        self.sense = Sense(playbooks["like"].sentences(), embedding)
        self.rules = {system: MeantRules(one, self.sense) for system, one in playbooks.items()}
        self._steps = {
            step: MeantRules(with_sentences(playbook, "like", {"zh": step, "en": step}), self.sense) for step in _STEPS
        }
        self._embedding = embedding

    def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        return meanings(texts, self._embedding)

    def fired(self, rules: MeantRules, texts: Sequence[str], meant: Sequence[Meaning], language: str) -> _Bools:
        return np.array([rules(text, language, (), one) for text, one in zip(texts, meant, strict=True)])

    def utterances(self, texts: Sequence[str]) -> list[Utterance]:
        meant = self.meanings(texts)
        return [
            msgspec.structs.replace(customer_says(text, language_of(text, "")), meaning=one)
            for text, one in zip(texts, meant, strict=True)
        ]

    def sweep(self, one: TextSet, meant: Sequence[Meaning]) -> Sweep:
        texts = [row.text for row in one.rows]
        steps: list[Step] = []
        for step, rules in self._steps.items():
            fired = self.fired(rules, texts, meant, one.language)
            whole = pooled(one, fired, system="like", condition="clean")
            steps.append(Step(least_likeness=step, precision=whole.precision, recall=whole.recall))
        return Sweep(name=one.name, language=one.language, steps=tuple(steps))

    def alarms(self, path: Path) -> Alarms:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts = list(islice((turn["text"] for line in lines for turn in parse.loads(line)["turns"]), _TALK))
        meant = self.meanings(texts)
        language = language_of(texts[0], "")
        rates = {
            system: round(1000 * float(self.fired(rules, texts, meant, language).mean()), 2)
            for system, rules in self.rules.items()
        }
        return Alarms(name=path.parent.name, language=language, n=len(texts), per_thousand=rates)


def run(manifest: Sequence[Path], talk: Sequence[Path], *, limit: int | None, out: Path | None, json: bool) -> None:
    """Measure and print."""
    settings, playbook = settings_of({}), load()
    place = locate("multilingual-e5-small", directory=settings.weights, cache=settings.home / "weights")
    bench = _Bench(playbook, Embedding(place, deep=True))
    conditions: tuple[Condition, ...] = ("clean", "heard")
    given = [one for path in manifest for one in read_sets(path, limit)]
    given += [_own("zh", limit), _own("en", limit)]
    found: list[RuleSet] = []
    whole: list[Pooled] = []
    sweeps: list[Sweep] = []
    timed: list[str] = []
    for one in given:
        for condition in conditions:
            texts = as_heard(one, condition)
            meant = bench.meanings(texts)
            for system, rules in bench.rules.items():
                fired = bench.fired(rules, texts, meant, one.language)
                found.append(measure(one, fired, system=system, condition=condition))
                whole.append(pooled(one, fired, system=system, condition=condition))
            if condition == "clean":
                sweeps.append(bench.sweep(one, meant))
                timed += texts[:_EACH]
    result = Result(
        environment=environment(_command(manifest, talk, limit), ("numpy", "onnxruntime")),
        playbook=playbook.source,
        defaults={**LEAST_LIKENESS},
        error_rate=RATE,
        sets=tuple(found),
        pooled=tuple(whole),
        sweeps=tuple(sweeps),
        alarms=tuple(bench.alarms(path) for path in talk),
        meaning_ms=_timed(timed, lambda text: bench.meanings([text])),
        clauses=round(float(np.mean([len(cut(text)) for text in timed])), 2),
        compare_ms=_timed(bench.utterances(timed), bench.sense.hear),
    )
    report(result, out=out, json=json, show=_show)


def _command(manifest: Sequence[Path], talk: Sequence[Path], limit: int | None) -> str:
    given = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    given += "".join(f" --talk {path.resolve().parent.name}/{path.name}" for path in talk)
    return f"warmline bench likeness{given}" + (f" --limit {limit}" if limit else "")


def _timed(given: Sequence[T], work: Callable[[T], object]) -> Spread:
    for one in given[:10]:
        work(one)
    times: list[float] = []
    for one in given:
        begun = time.process_time_ns()
        work(one)
        times.append((time.process_time_ns() - begun) / 1e6)
    return spread(times, 3)


def _show(result: Result, console: Console) -> None:
    table = Table(title="Sentences by meaning, all rules together", box=None, padding=(0, 1, 0, 0))
    for heading in ("set", "language", "text", "by", "n", "precision", "recall"):
        table.add_column(heading, no_wrap=True)
    for one in result.pooled:
        precision = "-" if one.precision is None else f"{one.precision:.2f}"
        table.add_row(one.name, one.language, one.condition, one.system, str(one.n), precision, f"{one.recall:.2f}")
    console.print(table)
    for sweep in result.sweeps:
        told = (
            f"{step.least_likeness:.2f}: {'-' if step.precision is None else f'{step.precision:.2f}'} {step.recall:.2f}"
            for step in sweep.steps
        )
        console.print(f"{sweep.name} {sweep.language}, precision and recall from", "; ".join(told))
    for alarms in result.alarms:
        console.print(f"{alarms.name}: a rule fires in 1,000 of {alarms.n} utterances {alarms.per_thousand}")
    console.print(
        f"{result.clauses:.1f} clauses a text; {result.meaning_ms.p50} ms (p95 {result.meaning_ms.p95}) to make their "
        f"vectors, {result.compare_ms.p50} ms (p95 {result.compare_ms.p95}) to compare them"
    )
