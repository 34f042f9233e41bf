"""What is asked about a call that waits, and what is answered."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from models.intent import Intent
from models.types import RiskLevel

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Level = Annotated[int, msgspec.Meta(ge=1, le=5)]
Words = Mapping[Literal["zh", "en"], str]
Channel = Literal["self_service", "chat", "phone"]


class Complexity(StrEnum):
    """How hard a matter is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Skill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent can do."""

    name: Name
    """As the policy names it: "technical", "billing" ..."""
    level: Level = 3
    certified: bool = False


class Agent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent, as the roster has them."""

    id: Id
    skills: tuple[Skill, ...] = ()
    languages: tuple[Annotated[str, msgspec.Meta(min_length=2, max_length=35)], ...] = ()
    """BCP 47; the first part counts: "zh" and "zh-CN" are one."""
    experience_years: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0
    state: Literal["available", "busy", "away"] = "available"
    load: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Share of the shift so far in which they had a customer."""
    idle_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Since their last call."""
    lanes: tuple[Name, ...] = ()
    """For whose callers they are there first."""
    dedicated: bool = False
    """Whether they take callers of these lanes alone."""

    def skill(self, name: str) -> Skill | None:
        return next((one for one in self.skills if one.name == name), None)

    def speaks(self, language: str) -> bool:
        """Whether they speak a language, given by its first part."""
        return any(one.split("-")[0].lower() == language for one in self.languages)


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """All that routing goes by."""

    call_id: str
    tier: str = ""
    segment: str = ""
    tags: tuple[str, ...] = ()
    """Ids."""
    stage: str = ""
    risk: RiskLevel = RiskLevel.UNKNOWN
    """That they leave, before the call."""
    intents: tuple[Intent, ...] = ()
    """Of the menu, of what was said, or of what is open; none is an answer."""
    skill: str = ""
    """That the matter asks for."""
    complaint: bool = False
    language: str = ""
    """"zh", "en" ...; empty where nothing tells it, and then all do."""
    complexity: Complexity = Complexity.LOW
    emotional: bool = False
    manager: str = ""
    """Id of the agent who is named for the customer."""
    good_agents: tuple[str, ...] = ()
    """With whom the last contact ended well, the latest first."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One summand."""

    id: str
    points: float
    text: Words


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, and why."""

    agent_id: str
    score: float
    """Sum of the points of the reasons."""
    reasons: tuple[Reason, ...]
    unmet: tuple[str, ...] = ()
    """Needs of the matter that this agent does not meet: only where nobody who is free does."""


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """How much earlier than they did a caller counts as having come."""

    head_start_s: float
    """Sum of the reasons' points in seconds, no more than the policy's most."""
    reasons: tuple[Reason, ...]
    """Where they come to more than the most, the last one, "most", takes it away."""


class MenuStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller chose in a voice menu."""

    menu: Name
    choice: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The key, or what they said there."""
    means: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """An intent as ``models.intent`` names it, a skill of the policy, or empty: no more than noted."""
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class HintRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A telephone system asks whom to give a call to."""

    call_id: Id
    """The id under which the call's audio will come."""
    customer_id: Id | None = None
    phone: Annotated[str, msgspec.Meta(max_length=32)] = ""
    """E.164."""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""
    """BCP 47, where the menu asked for it."""
    text: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    """What the caller said first, or to the menu."""
    menu: Annotated[tuple[MenuStep, ...], msgspec.Meta(max_length=50)] = ()
    free: Annotated[tuple[Id, ...], msgspec.Meta(max_length=5_000)] | None = None
    """Ids of the agents who are free just now; without it those that the roster has as available."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5
    """Agents to be named."""


class RoutingHint(msgspec.Struct, frozen=True, kw_only=True, tag="routing_hint"):
    """The topic ``routing.hints``: whom a call should go to, when and why."""

    id: str
    """``call_id:`` and microseconds since 1970; a call that is asked about again gets another."""
    call_id: str
    at: datetime
    customer_id: str | None
    agents: tuple[Ranked, ...]
    """The best first; none where nobody is free."""
    priority: Priority
    lane: str
    lane_name: Words
    manager: str
    """Who is named for the customer; empty where nobody is."""
    manager_free: bool
    channel: Channel
    """That suits the matter; the caller need not take it."""
    channel_reason: Words
    language: str
    skill: str
    intents: tuple[Intent, ...]
    complexity: Complexity
    policy: str
    """Digest of the policy."""
    v: int = 1
