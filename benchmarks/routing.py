"""
Routing: is the right agent named, who waits how long, is the work shared fairly, and how long does a hint take.

``routing_cases.yaml`` is judged by hand; beside it are cases made with a seed and labelled by a rule in strict order:
needs, manager, the last good agent, lane, level, load. The queue is simulated: Poisson arrivals, lognormal talk times,
the roster of the cases; the same calls in the same order for each way to route. All of it is ours: no public set tells
who should have taken a call. What callers say is read with the models as they are installed, on sets that
``bench intent`` takes.
"""

import asyncio
import heapq
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import httpx
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from agent_assist.customer import events
from agent_assist.customer.tags import Business
from agent_assist.customer.tags import load as load_tags
from agent_assist.routing.policy import Policy, load
from agent_assist.routing.queue import Waiting, next_of
from agent_assist.routing.rank import lane, priority, rank, unmet
from agent_assist.routing.types import Agent, Matter, RoutingHint, Skill
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.profiles import Profiles
from agent_assist.store.routing import Routing
from agent_assist.web.access import Office, RoutingDesk
from agent_assist.web.live import Live
from agent_assist.web.server import application
from benchmarks.environment import Environment, Spread, environment, report, spread
from benchmarks.intent import read_sets
from models.intent import Intent
from models.reading import Read
from stream.build import routing as build_routing
from stream.settings import load as load_settings

_CASES: Final = Path(__file__).with_name("routing_cases.yaml")
_SEED: Final = 7
_TOKEN: Final = "bench"
_MADE: Final = 1_000
_TALK_S, _SIGMA = 240.0, 0.6
_HOURS: Final = 8
_LOADS: Final = (0.7, 0.85, 0.95)
_PATIENT_S: Final = 60.0
"""So long a caller waits for an agent who meets all needs; then anybody will do."""

_CLASSES: Final = ("complaint", "technical", "other")

Chooser = Callable[[Matter, Sequence[Agent]], str | None]
"""Which of the free agents takes it."""


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


class TierWait(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    lane: str
    n: int
    mean: float
    p95: float
    max: float


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A day of calls, by one way to route."""

    system: str
    load: float
    """Talk time of the calls over the time of the agents."""
    calls: int
    asa_s: float
    """Average speed of answer."""
    lanes: tuple[TierWait, ...]
    needs_met: float
    same_agent: float | None
    """Share of the callers with a good agent who got them."""
    gini: float
    """Of the agents' talk time; 0 where all talk alike."""
    least_most: float
    """Talk time of the agent with the least over that of the one with the most, those of dedicated lanes left out."""


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
    hint_ms: Spread
    """Of a hint over HTTP within one process: 500 agents, a customer with 60 events."""
    hint_with_words_ms: Spread
    """The same with a caller's first words to read."""


def _ours(policy: Policy) -> Chooser:
    def choose(matter: Matter, free: Sequence[Agent]) -> str | None:
        found = rank(matter, free, policy)
        return found[0].agent_id if found else None

    return choose


def _longest_idle(_: Matter, free: Sequence[Agent]) -> str | None:
    return max(free, key=lambda one: (one.idle_s, one.id)).id if free else None


def _skill_only(matter: Matter, free: Sequence[Agent]) -> str | None:
    def level(one: Agent) -> int:
        found = one.skill(matter.skill) if matter.skill else None
        return 0 if found is None else found.level

    return max(free, key=lambda one: (level(one), one.idle_s, one.id)).id if free else None


def _by_hand(policy: Policy) -> list[tuple[Matter, list[Agent], tuple[str, ...]]]:
    read = msgspec.yaml.decode(_CASES.read_bytes(), type=_Cases)
    found: list[tuple[Matter, list[Agent], tuple[str, ...]]] = []
    for case in read.cases:
        matter = msgspec.convert({"call_id": "c", **case.matter}, Matter)
        here = [one for one in read.roster if not case.free or one.id in case.free]
        here = [msgspec.structs.replace(one, load=case.loads.get(one.id, 0.3)) for one in here]
        found.append((matter, [one for one in here if _takes(one, matter, policy)], case.right))
    return found


def _takes(agent: Agent, matter: Matter, policy: Policy) -> bool:
    return not agent.dedicated or lane(matter, policy).id in agent.lanes


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
    systems = {"warmline": _ours(policy), "longest idle": _longest_idle, "skill only": _skill_only}
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


class _Call(NamedTuple):
    at: float
    talk: float
    matter: Matter


def _calls(roster: Sequence[Agent], load: float, random: Random) -> list[_Call]:
    """A day of them; what they are about and whose they are in fixed shares."""
    gap = _TALK_S / (load * len(roster))
    mu = math.log(_TALK_S) - _SIGMA**2 / 2
    at, found = 0.0, list[_Call]()
    while (at := at + random.expovariate(1 / gap)) < _HOURS * 3_600:
        tier = random.choices(("core", "gold", ""), (8, 12, 80))[0]
        intent = random.choices((*_INTENTS, None), (20, 20, 20, 10, 30))[0]
        complaint = random.random() < 0.12
        matter = Matter(
            call_id=f"{len(found):06}",
            tier=tier,
            intents=tuple(one for one in (intent, Intent.COMPLAINT if complaint else None) if one is not None),
            skill=_INTENTS.get(intent, "") if intent is not None else "",
            complaint=complaint,
            language=random.choices(("zh", "en"), (6, 4))[0],
            good_agents=(random.choice(roster).id,) if random.random() < 0.3 else (),
        )
        found.append(_Call(at, random.lognormvariate(mu, _SIGMA), matter))
    return found


_INTENTS: Final = {
    Intent.TECHNICAL_FAULT: "technical",
    Intent.REFUND: "billing",
    Intent.DELIVERY: "logistics",
    Intent.CANCEL: "retention",
}


class _Way(NamedTuple):
    """A way to route."""

    name: str
    choose: Chooser
    order: str
    """"head start", "arrival", "lane": who is next."""


class _Floor:
    """Agents and callers, from event to event."""

    def __init__(self, roster: Sequence[Agent], way: _Way, policy: Policy) -> None:
        self._policy, self._way = policy, way
        self._roster = {one.id: one for one in roster}
        self._since = dict.fromkeys(self._roster, 0.0)
        """When each became free."""
        self._busy: list[tuple[float, str]] = []
        self._overtaken = 0
        self.talked = dict.fromkeys(self._roster, 0.0)
        self.waits: dict[str, float] = {}
        self.by: dict[str, str] = {}

    def run(self, calls: Sequence[_Call]) -> None:
        waiting: dict[str, _Call] = {}
        coming = list(reversed(calls))
        now = 0.0
        while coming or waiting:
            times = [coming[-1].at] if coming else []
            times += [self._busy[0][0]] if self._busy else []
            times += [late for one in waiting.values() if (late := one.at + _PATIENT_S) > now]
            now = min(times)
            while self._busy and self._busy[0][0] <= now:
                self._since[heapq.heappop(self._busy)[1]] = now
            while coming and coming[-1].at <= now:
                call = coming.pop()
                waiting[call.matter.call_id] = call
            while (taken := self._take(waiting, now)) is not None:
                del waiting[taken]

    def _take(self, waiting: Mapping[str, _Call], now: float) -> str | None:
        busy = {agent for _, agent in self._busy}
        free = [self._seen(one, now) for one in self._roster.values() if one.id not in busy]
        if not free:
            return None
        able = {name: some for name, call in waiting.items() if (some := self._able(call, free, now))}
        name = self._next([waiting[name] for name in able], now)
        chosen = None if name is None else self._way.choose(waiting[name].matter, able[name])
        if name is None or chosen is None:
            return None
        call = waiting[name]
        heapq.heappush(self._busy, (now + call.talk, chosen))
        self.talked[chosen] += call.talk
        self.waits[name], self.by[name] = now - call.at, chosen
        return name

    def _seen(self, agent: Agent, now: float) -> Agent:
        load = min(self.talked[agent.id] / max(now, 1.0), 1.0)
        return msgspec.structs.replace(agent, idle_s=now - self._since[agent.id], load=load)

    def _able(self, call: _Call, free: Sequence[Agent], now: float) -> list[Agent]:
        here = [one for one in free if _takes(one, call.matter, self._policy)]
        if self._way.order == "arrival" or now - call.at >= _PATIENT_S:
            return here
        return [one for one in here if not unmet(call.matter, one, self._policy)]

    def _next(self, calls: Sequence[_Call], now: float) -> str | None:
        if not calls:
            return None
        if self._way.order == "arrival":
            return min(calls, key=lambda one: one.at).matter.call_id
        if self._way.order == "lane":
            starts = {one.matter.call_id: lane(one.matter, self._policy).head_start_s for one in calls}
            return min(calls, key=lambda one: (-starts[one.matter.call_id], one.at)).matter.call_id
        some = [
            Waiting(
                call_id=one.matter.call_id,
                waited_s=now - one.at,
                head_start_s=priority(one.matter, self._policy).head_start_s,
            )
            for one in calls
        ]
        found = next_of(some, self._overtaken, self._policy)
        assert found is not None, "somebody waits"
        self._overtaken = found[1]
        return found[0].call_id


def _queue(policy: Policy) -> tuple[Queued, ...]:
    roster = msgspec.yaml.decode(_CASES.read_bytes(), type=_Cases).roster
    ways = (
        _Way("warmline", _ours(policy), "head start"),
        _Way("longest idle, by arrival", _longest_idle, "arrival"),
        _Way("skill only, by arrival", _skill_only, "arrival"),
        _Way("warmline's agents, lanes in strict order", _ours(policy), "lane"),
    )
    found: list[Queued] = []
    for load_ in _LOADS:
        calls = _calls(roster, load_, Random(_SEED))
        for way in ways:
            floor = _Floor(roster, way, policy)
            floor.run(calls)
            found.append(_figures(floor, calls, way, load_, policy, roster))
    return tuple(found)


def _figures(
    floor: _Floor, calls: Sequence[_Call], way: _Way, load_: float, policy: Policy, roster: Sequence[Agent]
) -> Queued:
    of = {one.id: one for one in roster}
    by_lane: dict[str, list[float]] = {}
    for call in calls:
        by_lane.setdefault(lane(call.matter, policy).id, []).append(floor.waits[call.matter.call_id])
    met = [not unmet(one.matter, of[floor.by[one.matter.call_id]], policy) for one in calls]
    again = [floor.by[one.matter.call_id] in one.matter.good_agents for one in calls if one.matter.good_agents]
    shared = [floor.talked[one.id] for one in roster if not one.dedicated]
    return Queued(
        system=way.name,
        load=load_,
        calls=len(calls),
        asa_s=round(float(np.mean(list(floor.waits.values()))), 1),
        lanes=tuple(
            TierWait(
                lane=name,
                n=len(some),
                mean=round(float(np.mean(some)), 1),
                p95=round(float(np.percentile(some, 95)), 1),
                max=round(max(some), 1),
            )
            for name, some in sorted(by_lane.items())
        ),
        needs_met=round(float(np.mean(met)), 4),
        same_agent=round(float(np.mean(again)), 4) if again else None,
        gini=round(_gini(shared), 3),
        least_most=round(min(shared) / max(shared), 3),
    )


def _gini(values: Sequence[float]) -> float:
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


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


async def _time(policy: Policy, read: Callable[[str], Read], words: bool, n: int) -> Spread:
    with tempfile.TemporaryDirectory() as home:
        store = CallStore(f"sqlite:///{home}/calls.db")
        store.upgrade()
        customers, routing = CustomerStore(store.engine), Routing(store.engine)
        customers.take(_history(), "bench", datetime.now(UTC))
        routing.replace(
            Agent(
                id=f"a{i}", languages=("zh", "en"), load=(i % 9) / 10, skills=(Skill(name="billing", level=1 + i % 5),)
            )
            for i in range(500)
        )

        async def nothing(_: object) -> None:
            return None

        desk = RoutingDesk(policy, routing, read, lambda: None)
        us = Office(
            store=store, live=Live(), token=_TOKEN, publish=nothing, tell=nothing, ready=lambda: True,
            profiles=Profiles(customers, load_tags(), Business()), routing=desk,
        )  # fmt: skip
        transport = httpx.ASGITransport(application(us, hosts=("127.0.0.1",)))
        headers = {"authorization": f"Bearer {_TOKEN}"}
        took: list[float] = []
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            for i in range(n + 20):
                asked: dict[str, object] = {"call_id": f"c{i}", "phone": "+8613800138000"}
                if words:
                    asked["text"] = f"我的第{i}笔退款怎么还没有到账,已经打过三次电话了"
                began = time.perf_counter()
                answer = await client.post("/v1/routing/hint", json=asked)
                took.append((time.perf_counter() - began) * 1_000)
                msgspec.json.decode(answer.content, type=RoutingHint)
        store.close()
    return spread(took[20:], 2)


def _history() -> list[events.CustomerEvent]:
    at = datetime.now(UTC)
    found: list[events.CustomerEvent] = [
        events.Known(event_id="k", customer_id="k", at=at, tier="core", attributes={"manager": "a7"}),
        events.Identified(event_id="p", customer_id="k", at=at, kind="phone", value="+8613800138000"),
    ]
    found += [
        events.Interaction(
            event_id=f"i{n}",
            customer_id="k",
            at=at,
            interaction_id=f"i{n}",
            channel="phone",
            agent_id=f"a{n}",
            solved=True,
        )
        for n in range(60)
    ]
    return found


def run(manifest: Sequence[Path], *, limit: int | None, hints: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    policy, (_, read) = load(), build_routing(load_settings({}))
    options = "".join(f" --manifest {path.resolve().parent.name}/{path.name}" for path in manifest)
    options += f" --limit {limit}" if limit else ""
    result = Result(
        environment=environment(f"warmline bench routing{options}", ("numpy", "onnxruntime")),
        policy=policy.digest,
        named=_name(policy),
        queues=_queue(policy),
        classes=_classify(manifest, limit, read),
        hint_ms=asyncio.run(_time(policy, read, words=False, n=hints)),
        hint_with_words_ms=asyncio.run(_time(policy, read, words=True, n=hints)),
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
    for name, took in (("a hint", result.hint_ms), ("with words", result.hint_with_words_ms)):
        console.print(f"{name}: p50 {took.p50} ms, p95 {took.p95} ms, p99 {took.p99} ms (n={took.n})")
