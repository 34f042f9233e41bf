"""
Graded warning of customers who may leave: one open alert each, escalated when nobody takes it on in time.

Pure: the caller says what time it is. What is due is counted in business time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal

import msgspec

from agent_assist.customer.interventions import Branch, branch
from models.churn import THRESHOLDS
from models.types import ChurnRisk, RiskLevel

_ORDER: Final = (RiskLevel.NONE, RiskLevel.WATCH, RiskLevel.ELEVATED, RiskLevel.CRITICAL)


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """When people are there who can take on an alert. Round the clock unless it is said."""

    zone: tzinfo = UTC
    opens: time = time(0)
    closes: time | None = None
    """None: midnight."""
    days: frozenset[int] = frozenset(range(7))
    """Monday is 0."""

    def __post_init__(self) -> None:
        if not self.days or (self.closes is not None and self.closes <= self.opens):
            raise ValueError(f"expected a day and opening before closing, got {self.days}, {self.opens}, {self.closes}")

    def after(self, at: datetime, minutes: float) -> datetime:
        """The time when so many business minutes have gone by since then, as UTC."""
        left, now = timedelta(minutes=minutes), at.astimezone(UTC)
        day = at.astimezone(self.zone).date()
        while True:
            following = day + timedelta(days=1)
            # Lengths are of UTC: on the night when clocks change, an hour is still an hour.
            opens = datetime.combine(day, self.opens, self.zone).astimezone(UTC)
            end = (day, self.closes) if self.closes is not None else (following, time(0))
            closes = datetime.combine(*end, self.zone).astimezone(UTC)
            if day.weekday() in self.days and now < closes:
                now = max(now, opens)
                if closes - now >= left:
                    return now + left
                left -= closes - now
            day = following


class LevelPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes on an alert of a level."""

    team: str
    minutes: float
    """Business minutes within which somebody must take it on, before it is escalated."""
    task: bool = False
    """Whether the customer is called back: a task, once for each alert."""


def _levels() -> Mapping[RiskLevel, LevelPolicy]:
    return {
        RiskLevel.WATCH: LevelPolicy(team="customer-care", minutes=1440.0),
        RiskLevel.ELEVATED: LevelPolicy(team="retention", minutes=240.0, task=True),
        RiskLevel.CRITICAL: LevelPolicy(team="retention", minutes=30.0, task=True),
    }


class AlertPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How alerts are kept; the values are ours."""

    hours: Hours = Hours()
    levels: Mapping[RiskLevel, LevelPolicy] = msgspec.field(default_factory=_levels)
    escalate_to: tuple[str, ...] = ("retention-lead", "head-of-service")
    """One after the other, each after the time of the level once more."""
    slack: float = 0.05
    """How far a score must fall below the threshold of its level before the level falls."""
    hold_days: float = 14.0
    """For so long only who raised an alert, that call or the profile, lowers it: no greeting on another call does."""

    profile_opens: RiskLevel = RiskLevel.CRITICAL
    """By the profile alone, with no call, an alert is opened from this level on."""

    def __post_init__(self) -> None:
        if missing := [level.value for level in _ORDER[1:] if level not in self.levels]:
            raise ValueError(f"expected all levels of alerts, got none of {', '.join(missing)}")


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Of one customer."""

    customer_id: str
    level: RiskLevel
    state: Literal["open", "acknowledged", "closed"]
    opened_at: datetime
    due_at: datetime | None
    """When it is escalated; None where nobody waits any more."""
    escalations: int = 0
    by: str = ""
    """Who took it on, or closed it."""
    team: str = ""
    """Whose it is now."""
    reasons: tuple[str, ...] = ()
    """Names of those that weighed most when it reached its level."""
    branch: Branch | None = None
    """What is to be done, by the reasons."""
    source: str = ""
    """Of the risk that gave it its level: the id of a call, or "profile"."""
    heard_at: datetime | None = None
    """When that was."""


class AlertChange(msgspec.Struct, frozen=True, kw_only=True, tag="alert"):
    """What happened to an alert, to be told to whom it concerns."""

    id: str = ""
    """The same however often it is told; given when it is stored."""
    kind: Literal["opened", "raised", "lowered", "escalated", "acknowledged", "closed"]
    at: datetime
    alert: Alert
    v: int = 1


PROFILE: Final = "profile"
"""Source of a risk that is of no call."""
Step = tuple[Alert | None, AlertChange | None]
"""The alert after something happened, and what is to be told of it, if anything."""


def level_of(risk: ChurnRisk, before: RiskLevel, *, core: bool, slack: float) -> RiskLevel:
    """
    The level of warning: that of the score, one higher for a customer of the tier core.

    A level once reached is left only when the score lies ``slack`` below its threshold; of a risk that is unknown
    nothing follows, and the level stays.
    """
    if risk.score is None or risk.level is RiskLevel.UNKNOWN:
        return before

    def graded(score: float) -> RiskLevel:
        plain = next((level for lowest, level in THRESHOLDS if score >= lowest), RiskLevel.NONE)
        # Who is not at risk is not watched for being dear.
        higher = min(_ORDER.index(plain) + 1, len(_ORDER) - 1)
        return _ORDER[higher] if core and plain is not RiskLevel.NONE else plain

    now, kept = graded(risk.score), graded(risk.score + slack)
    return max(now, min(kept, before, key=_ORDER.index), key=_ORDER.index)


def judged(
    alert: Alert | None,
    customer_id: str,
    risk: ChurnRisk,
    at: datetime,
    policy: AlertPolicy,
    *,
    core: bool,
    source: str = "",
) -> Step:
    """
    After a new risk of the customer.

    An alert that a person closed stays closed until the risk is higher than it was then, or has gone and come again.

    Args:
        source: The id of the call, or "profile".
    """
    before = RiskLevel.NONE if alert is None else alert.level
    level = level_of(risk, before, core=core, slack=policy.slack)
    if level is before:
        return alert, None
    rises = _ORDER.index(level) > _ORDER.index(before)
    is_open = alert is not None and alert.state != "closed"
    if rises and not is_open and source == PROFILE and _ORDER.index(level) < _ORDER.index(policy.profile_opens):
        return alert, None
    if not rises and alert is not None and not _may_lower(alert, source, at, policy):
        return alert, None
    heard = {"level": level, "source": source, "heard_at": at}
    if rises:
        heard |= {"reasons": _weighty(risk), "branch": branch(risk), "state": "open", "by": ""}
        heard |= {"due_at": _due(level, at, policy)}
    if alert is None or alert.state == "closed":
        if rises:
            opened = Alert(customer_id=customer_id, level=level, state="open", opened_at=at, due_at=None)
            return _told("opened", _with(opened, team=policy.levels[level].team, **heard), at)
        return (None, None) if level is RiskLevel.NONE else (_with(alert, **heard), None)
    if level is RiskLevel.NONE:
        _, change = _told("closed", _with(alert, **heard, state="closed", due_at=None), at)
        return None, change
    if rises:
        return _told("raised", _with(alert, **heard, team=_team(alert.escalations, level, policy)), at)
    return _told("lowered", _with(alert, **heard), at)


def _may_lower(alert: Alert, source: str, at: datetime, policy: AlertPolicy) -> bool:
    if alert.source == source or alert.heard_at is None:
        return True
    return at >= alert.heard_at + timedelta(days=policy.hold_days)


def _weighty(risk: ChurnRisk, most: int = 3) -> tuple[str, ...]:
    speaks = [one for one in risk.reasons if one.contribution > 0 and one.name != "base_rate"]
    return tuple(one.name for one in sorted(speaks, key=lambda one: -one.contribution)[:most])


def joined(alert: Alert | None, other: Alert, customer_id: str, at: datetime) -> Step:
    """After the customer turned out to be that of another alert, too: the more severe one goes on, under their id."""
    taken = msgspec.structs.replace(other, customer_id=customer_id)
    if alert is None or alert.state == "closed":
        return _told("opened", taken, at)
    if _ORDER.index(other.level) <= _ORDER.index(alert.level):
        return alert, None
    return _told("raised", _with(taken, opened_at=alert.opened_at), at)


def passed(alert: Alert | None, at: datetime, policy: AlertPolicy) -> Step:
    """After time went by: escalated where nobody took it on, once for each time that went by since."""
    if alert is None or alert.state != "open" or alert.due_at is None or at < alert.due_at:
        return alert, None
    steps = alert.escalations + 1
    due = None if steps >= len(policy.escalate_to) else _due(alert.level, alert.due_at, policy)
    team = _team(steps, alert.level, policy)
    return _told("escalated", _with(alert, escalations=steps, due_at=due, team=team), alert.due_at)


def acknowledged(alert: Alert | None, by: str, at: datetime) -> Step:
    """After a person took it on; the first one has it."""
    if alert is None or alert.state != "open":
        return alert, None
    return _told("acknowledged", _with(alert, state="acknowledged", by=by, due_at=None), at)


def closed(alert: Alert | None, by: str, at: datetime) -> Step:
    """After a person closed it."""
    if alert is None or alert.state == "closed":
        return alert, None
    return _told("closed", _with(alert, state="closed", by=by, due_at=None), at)


def _due(level: RiskLevel, at: datetime, policy: AlertPolicy) -> datetime:
    return policy.hours.after(at, policy.levels[level].minutes)


def _team(escalations: int, level: RiskLevel, policy: AlertPolicy) -> str:
    """That of the level, or the last to whom it was escalated."""
    above = policy.escalate_to[:escalations]
    return above[-1] if above else policy.levels[level].team


def _with(alert: Alert | None, **changes: object) -> Alert:
    assert alert is not None
    return msgspec.structs.replace(alert, **changes)


def _told(
    kind: Literal["opened", "raised", "lowered", "escalated", "acknowledged", "closed"], alert: Alert, at: datetime
) -> tuple[Alert, AlertChange]:
    return alert, AlertChange(kind=kind, at=at, alert=alert)
