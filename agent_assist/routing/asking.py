"""From a question of the telephone system to a hint: the profile and the words are looked up, the rest follows."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from agent_assist.routing.caller import matter
from agent_assist.routing.policy import Policy
from agent_assist.routing.rank import channel, lane, priority, rank, unmet
from agent_assist.routing.types import Agent, HintRequest, Matter, RoutingHint
from agent_assist.store.profiles import Profiles
from models.reading import NOTHING_READ, Read

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Asking(NamedTuple):
    """Blocks as the store does."""

    policy: Policy
    profiles: Profiles | None
    """None where no customers are known."""
    read: Callable[[str], Read]
    """What a text means."""

    def answer(
        self, request: HintRequest, agents: Sequence[Agent], now: datetime
    ) -> tuple[RoutingHint, tuple[str, ...]]:
        """The hint, and the ids of all agents, free or not, who meet every need of the matter."""
        customer_id = self._whose(request)
        of = self._matter(request, customer_id, now)
        free = None if request.free is None else set(request.free)
        here = agents if free is None else [_as_free(one, one.id in free) for one in agents]
        theirs, urgent, suits = lane(of, self.policy), priority(of, self.policy), channel(of, self.policy)
        found = rank(of, here, self.policy)
        hint = RoutingHint(
            id=f"{request.call_id}:{(now - _EPOCH) // timedelta(microseconds=1)}",
            call_id=request.call_id,
            at=now,
            customer_id=customer_id,
            agents=found[: request.limit],
            priority=urgent,
            lane=theirs.id,
            lane_name=theirs.names,
            manager=of.manager,
            manager_free=any(one.agent_id == of.manager for one in found),
            channel=suits.channel,
            channel_reason=suits.why,
            language=of.language,
            skill=of.skill,
            intents=of.intents,
            complexity=of.complexity,
            policy=self.policy.digest,
        )
        return hint, tuple(one.id for one in agents if not unmet(of, one, self.policy))

    def _whose(self, request: HintRequest) -> str | None:
        """By their id, or by a number that is theirs alone."""
        if request.customer_id is not None or not request.phone or self.profiles is None:
            return request.customer_id
        found = self.profiles.store.whose("phone", request.phone)
        return found[0] if len(found) == 1 else None

    def _matter(self, request: HintRequest, customer_id: str | None, now: datetime) -> Matter:
        read = self.read(request.text) if request.text.strip() else NOTHING_READ
        if self.profiles is None or customer_id is None:
            return matter(request, None, None, self.policy, read)
        seen = self.profiles.of(customer_id, now)
        known = None if seen is None else self.profiles.store.facts(customer_id)
        return matter(request, seen, known, self.policy, read)


def _as_free(agent: Agent, free: bool) -> Agent:
    return msgspec.structs.replace(agent, state="available" if free else "busy")
