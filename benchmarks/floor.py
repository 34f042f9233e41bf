"""
A day of calls, simulated: Poisson arrivals, lognormal talk times, one roster, several ways to route.

The same calls in the same order for each way. A caller waits a minute for an agent who meets all needs; then anybody
will do. By arrival, nobody asks for needs.
"""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

import msgspec
import numpy as np

from agent_assist.routing.policy import Policy
from agent_assist.routing.queue import Waiting, next_of
from agent_assist.routing.rank import lane, priority, rank, unmet
from agent_assist.routing.types import Agent, Matter
from models.intent import Intent

_SEED: Final = 7
_TALK_S, _SIGMA = 240.0, 0.6
_HOURS: Final = 8
_LOADS: Final = (0.7, 0.85, 0.95)
_PATIENT_S: Final = 60.0

Chooser = Callable[[Matter, Sequence[Agent]], str | None]
"""Which of the free agents takes it."""


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


def ours(policy: Policy) -> Chooser:
    """The first that is named."""

    def choose(matter: Matter, free: Sequence[Agent]) -> str | None:
        found = rank(matter, free, policy)
        return found[0].agent_id if found else None

    return choose


def longest_idle(_: Matter, free: Sequence[Agent]) -> str | None:
    """Whoever had nothing to do for the longest time."""
    return max(free, key=lambda one: (one.idle_s, one.id)).id if free else None


def skill_only(matter: Matter, free: Sequence[Agent]) -> str | None:
    """The highest level of the skill that is asked for; of equals the longest idle."""

    def level(one: Agent) -> int:
        found = one.skill(matter.skill) if matter.skill else None
        return 0 if found is None else found.level

    return max(free, key=lambda one: (level(one), one.idle_s, one.id)).id if free else None


def takes(agent: Agent, matter: Matter, policy: Policy) -> bool:
    """Whether an agent takes such callers at all."""
    return not agent.dedicated or lane(matter, policy).id in agent.lanes


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
        here = [one for one in free if takes(one, call.matter, self._policy)]
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


def days(roster: Sequence[Agent], policy: Policy) -> tuple[Queued, ...]:
    """Days of growing load, by each way to route."""
    ways = (
        _Way("warmline", ours(policy), "head start"),
        _Way("longest idle, by arrival", longest_idle, "arrival"),
        _Way("skill only, by arrival", skill_only, "arrival"),
        _Way("warmline's agents, lanes in strict order", ours(policy), "lane"),
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
