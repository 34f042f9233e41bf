"""
Routing: is the right agent named, who waits how long, is the work shared fairly, and how long does a hint take.

``routing_cases.yaml`` is judged by hand; beside it are cases made with a seed and labelled by a rule in strict order:
needs, manager, the last good agent, lane, level, load. The queue is simulated: Poisson arrivals, lognormal talk times,
the roster of the cases; the same calls in the same order for each way to route. All of it is ours: no public set tells
who should have taken a call. What callers say is read with the models as they are installed, on sets that
``bench intent`` takes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from agent_assist.routing.policy import Policy, load
from agent_assist.routing.rank import lane, unmet
from agent_assist.routing.types import Agent, Matter, Skill
from benchmarks.environment import Environment, Spread, environment, report
from benchmarks.floor import Queued, days, longest_idle, ours, skill_only, takes
from benchmarks.hint_times import hints
from benchmarks.intent import read_sets
from benchmarks.spoken import SpokenIn, spoken
from models.asr import WhisperRecogniser
from models.intent import Intent
from models.reading import Read
from models.weights import find, locate
from stream.build import routing as build_routing
from stream.settings import load as load_settings

_CASES: Final = Path(__file__).with_name("routing_cases.yaml")
_SEED: Final = 7
_CLIPS: Final = 40
"""Of each set of speech, the first ones."""
_MADE: Final = 1_000

_CLASSES: Final = ("complaint", "technical", "other")


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    matter: dict[str, object]
    right: tuple[str, ...]
    free: tuple[str, ...] = ()
    """All where empty."""
    loads: Mapping[str, float] = {}


class _Cases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    roster: tuple[Agent, ...]
    cases: tuple[Case, ...]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How often the right agent was named first."""

    cases: str
    """"by hand" or "made"."""
    system: str
    n: int
    right: float
    needs_met: float
    """Share in which the agent met all needs, of the cases in which somebody free did."""


class Classes(msgspec.Struct, frozen=True, kw_only=True):
    """Where texts were sent: rows are what they are, columns what was read."""

    name: str
    language: str
    n: int
    matrix: dict[str, dict[str, int]]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench routing --json`` prints."""

    environment: Environment
    policy: str
    named: tuple[Named, ...]
    queues: tuple[Queued, ...]
    classes: tuple[Classes, ...]
    spoken: tuple[SpokenIn, ...]
    """By the recogniser; empty without sets of speech."""
    hint_ms: Spread
    """A hint, see ``benchmarks.hint_times``."""
    hint_processor_ms: Spread
    words_ms: Spread
    """The same with a caller's first words to read."""
    words_processor_ms: Spread


def _cases() -> _Cases:
    return msgspec.yaml.decode(_CASES.read_bytes(), type=_Cases)


def _by_hand(policy: Policy) -> list[tuple[Matter, list[Agent], tuple[str, ...]]]:
    read = _cases()
    found: list[tuple[Matter, list[Agent], tuple[str, ...]]] = []
    for case in read.cases:
        matter = msgspec.convert({"call_id": "c", **case.matter}, Matter)
        here = [one for one in read.roster if not case.free or one.id in case.free]
        here = [msgspec.structs.replace(one, load=case.loads.get(one.id, 0.3)) for one in here]
        found.append((matter, [one for one in here if takes(one, matter, policy)], case.right))
    return found


def _made(policy: Policy) -> list[tuple[Matter, list[Agent], tuple[str, ...]]]:
    random = Random(_SEED)
    skills = ("technical", "billing", "logistics", "retention")
    found: list[tuple[Matter, list[Agent], tuple[str, ...]]] = []
    for _ in range(_MADE):
        agents = [
            Agent(
                id=f"a{n}",
                languages=(("zh",), ("en",), ("zh", "en"))[random.choice((0, 0, 1, 2))],
                experience_years=round(random.expovariate(1 / 3), 1),
                load=round(random.random(), 2),
                idle_s=float(random.randrange(600)),
                skills=tuple(
                    Skill(name=name, level=random.randint(1, 5), certified=random.random() < 0.5)
                    for name in random.sample(skills, random.randint(0, 2))
                ),
                lanes=("core",) if random.random() < 0.15 else (),
            )
            for n in range(random.randint(4, 12))
        ]
        matter = Matter(
            call_id="c",
            tier=random.choice(("", "", "", "core")),
            skill=random.choice(("", *skills)),
            complaint=random.random() < 0.2,
            language=random.choice(("zh", "zh", "en")),
            manager=random.choice(agents).id if random.random() < 0.1 else "",
            good_agents=(random.choice(agents).id,) if random.random() < 0.3 else (),
        )
        found.append((matter, agents, _strictly(matter, agents, policy)))
    return found


def _strictly(matter: Matter, agents: Sequence[Agent], policy: Policy) -> tuple[str, ...]:
    """The rule of the label: in strict order, all who are equal."""
    needs = list(policy.of.needs)
    while needs and not any(set(needs).isdisjoint(unmet(matter, one, policy)) for one in agents):
        needs.pop()

    def key(one: Agent) -> tuple[float, ...]:
        skill = one.skill(matter.skill) if matter.skill else None
        return (
            set(needs).isdisjoint(unmet(matter, one, policy)),
            one.id == matter.manager,
            one.id in matter.good_agents,
            lane(matter, policy).id in one.lanes,
            0 if skill is None else skill.level,
            -one.load,
        )

    best = max(map(key, agents))
    return tuple(one.id for one in agents if key(one) == best)


def _name(policy: Policy) -> tuple[Named, ...]:
    systems = {"warmline": ours(policy), "longest idle": longest_idle, "skill only": skill_only}
    found: list[Named] = []
    for name, cases in (("by hand", _by_hand(policy)), ("made", _made(policy))):
        for system, choose in systems.items():
            chosen = [choose(matter, free) for matter, free, _ in cases]
            able = [{one.id for one in free if not unmet(matter, one, policy)} for matter, free, _ in cases]
            met = [one in some for one, some in zip(chosen, able, strict=True) if some]
            right = [one in labels for one, (_, _, labels) in zip(chosen, cases, strict=True)]
            found.append(
                Named(
                    cases=name,
                    system=system,
                    n=len(cases),
                    right=round(float(np.mean(right)), 4),
                    needs_met=round(float(np.mean(met)), 4),
                )
            )
    return tuple(found)


def _classify(manifest: Sequence[Path], limit: int | None, read: Callable[[str], Read]) -> tuple[Classes, ...]:
    found: list[Classes] = []
    for one in (each for path in manifest for each in read_sets(path, limit)):
        matrix = {name: dict.fromkeys(_CLASSES, 0) for name in _CLASSES}
        sure = [row for row in one.rows if not {Intent.COMPLAINT, Intent.TECHNICAL_FAULT} & set(row.unsure)]
        for row in sure:
            matrix[_class(row.intents)][_class(read(row.text).intents)] += 1
        found.append(Classes(name=one.name, language=one.language, n=len(sure), matrix=matrix))
    return tuple(found)


def _class(intents: "frozenset[Intent] | tuple[Intent, ...]") -> str:
    """A complaint goes before a fault, as the need for experience is the harder one to meet."""
    return "complaint" if Intent.COMPLAINT in intents else "technical" if Intent.TECHNICAL_FAULT in intents else "other"


def _spoken(speech: Sequence[Path]) -> tuple[SpokenIn, ...]:
    if not speech:
        return ()
    settings = load_settings({})
    weights = locate(settings.model, directory=settings.weights, cache=settings.home / "weights")
    recogniser = WhisperRecogniser(weights, device="cpu", window_s=find(settings.model).window_s)
    return spoken(recogniser, speech, _CLIPS)


def run(
    manifest: Sequence[Path], speech: Sequence[Path], *, limit: int | None, n: int, out: Path | None, json: bool
) -> None:
    """Measure and print."""
    policy, (_, read) = load(), build_routing(load_settings({}))
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += "".join(f" --speech {path.resolve().parent.name}/{path.name}" for path in speech)
    options += f" --limit {limit}" if limit else ""
    plain = asyncio.run(hints(policy, read, words=False, n=n))
    worded = asyncio.run(hints(policy, read, words=True, n=n))
    result = Result(
        environment=environment(f"warmline bench routing{options}", ("numpy", "onnxruntime")),
        policy=policy.digest,
        named=_name(policy),
        queues=days(_cases().roster, policy),
        classes=_classify(manifest, limit, read),
        spoken=_spoken(speech),
        hint_ms=plain.wall,
        hint_processor_ms=plain.processor,
        words_ms=worded.wall,
        words_processor_ms=worded.processor,
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table("cases", "by", "n", "right first", "needs met", title="Who is named")
    for one in result.named:
        table.add_row(one.cases, one.system, str(one.n), f"{one.right:.3f}", f"{one.needs_met:.3f}")
    console.print(table)
    table = Table(
        "load", "by", "ASA s", "lane: mean, p95, max s", "needs met", "same agent", "Gini", "least/most", title="A day"
    )
    for queued in result.queues:
        waits = "; ".join(f"{one.lane}: {one.mean:.0f}, {one.p95:.0f}, {one.max:.0f}" for one in queued.lanes)
        same = "-" if queued.same_agent is None else f"{queued.same_agent:.3f}"
        shown = (f"{queued.needs_met:.3f}", same, f"{queued.gini:.3f}", f"{queued.least_most:.3f}")
        table.add_row(f"{queued.load:.2f}", queued.system, f"{queued.asa_s:.1f}", waits, *shown)
    console.print(table)
    for classes in result.classes:
        table = Table("is", *classes.matrix, title=f"{classes.name} {classes.language}, n={classes.n}: read as")
        for name, row in classes.matrix.items():
            table.add_row(name, *map(str, row.values()))
        console.print(table)
    for one in result.spoken:
        console.print(f"{one.name} {one.language}, first {one.seconds} s, n={one.n}: {one.read}")
    for name, took in (
        ("a hint", result.hint_ms),
        ("processor", result.hint_processor_ms),
        ("with words", result.words_ms),
        ("processor", result.words_processor_ms),
    ):
        console.print(f"{name}: p50 {took.p50} ms, p95 {took.p95} ms, p99 {took.p99} ms (n={took.n})")
