"""The points by which calls are routed, as data."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from agent_assist.routing.types import Channel, Complexity, Name, Words
from models.intent import Intent
from models.types import RiskLevel

DEFAULT: Final = Path(__file__).with_name("policy.yaml")
TERMS: Final = (
    "named_manager",
    "same_good_agent",
    "lane",
    "language",
    "skill",
    "certified",
    "experience_for_complaint",
    "experience_for_complex",
    "spare_specialist",
    "load",
    "idle",
)
URGENCIES: Final = ("complaint", "risk_critical", "risk_elevated", "repeated", "emotional")
Need = Literal["language", "certified", "skill", "experienced"]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3_600)]


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fact about an agent or a matter is worth, and how it is said."""

    points: float
    zh: str
    en: str
    most: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Of the measure, before it is multiplied."""

    def words(self, **said: str) -> Words:
        return {"zh": self.zh.format(**said), "en": self.en.format(**said)}


class Lane(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Callers who are served before others; one condition of them is enough."""

    id: Name
    names: Words
    head_start_s: Seconds
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    risks: tuple[RiskLevel, ...] = ()
    stages: tuple[str, ...] = ()


class SkillFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    intent: Intent
    skill: Name


class Difficulty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How points become a complexity."""

    intents: Mapping[Intent, float]
    emotional: float
    overdue_case: float
    medium: float
    high: float


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel, and for which matters: all conditions that are given hold."""

    channel: Channel
    why: Words
    emotional: bool | None = None
    complexity: tuple[Complexity, ...] = ()
    intents: tuple[Intent, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    points: Mapping[str, Term]
    needs: tuple[Need, ...]
    certified_skills: tuple[Name, ...]
    experienced_years: float
    skills: tuple[SkillFor, ...]
    lanes: tuple[Lane, ...]
    ordinary: Words
    priority: Mapping[str, Term]
    most_head_start_s: Seconds
    overtaken_most: Annotated[int, msgspec.Meta(ge=1, le=100)]
    complexity: Difficulty
    channels: tuple[ChannelRow, ...]


class Policy(NamedTuple):
    """A file that was read, and its digest."""

    of: _File
    digest: str


def load(path: Path = DEFAULT) -> Policy:
    """
    A policy.

    Raises:
        ValueError: If the file holds none; says what was expected and where.
    """
    try:
        content = path.read_bytes()
        read = msgspec.yaml.decode(content, type=_File)
        _check(read)
    except (OSError, msgspec.DecodeError, ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"expected a policy of routing, got {error} (in {path})") from error
    return Policy(read, sha256(content).hexdigest()[:12])


def _check(read: _File) -> None:
    for what, known, given in (("points", TERMS, read.points), ("priority", URGENCIES, read.priority)):
        if set(known) != set(given):
            raise ValueError(f"{what} of {', '.join(sorted(set(known) ^ set(given)))}, missing or unknown")
    for term in (*read.points.values(), *read.priority.values()):
        term.words(what="", n="", share="")
    if read.channels and read.channels[-1] != ChannelRow(channel=read.channels[-1].channel, why=read.channels[-1].why):
        raise ValueError("a last channel with conditions, so that a matter may find none")
    if not read.channels:
        raise ValueError("no channels")
    if any(term.points < 0 for term in read.priority.values()):
        raise ValueError("a priority below 0")
