"""What is done of its own accord, as the business sets it: a YAML file."""

from datetime import UTC, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from agent_assist.customer.alerts import AlertPolicy, Hours, LevelPolicy
from agent_assist.customer.trials import Staged, Trial, check
from agent_assist.customer.triggers import Kind, Policy
from agent_assist.errors import CustomerTableError
from models.types import RiskLevel

DEFAULT: Final = Path(__file__).parent / "outreach.yaml"

Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Team = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the file."""


class _Quiet(_Part, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    begin: Clock = "20:00"
    end: Clock = "09:00"


class _AfterPurchase(_Part, frozen=True, kw_only=True):
    team: Team
    days: Days = 7


class _BeforeLeaving(_Part, frozen=True, kw_only=True):
    team: Team
    days: Days = 30


class _Late(_Part, frozen=True, kw_only=True):
    team: Team
    hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 24.0


class _Product(_Part, frozen=True, kw_only=True):
    team: Team
    products: tuple[str, ...] = ()


class _Triggers(_Part, frozen=True, kw_only=True):
    usage_guide: _AfterPurchase | None = None
    retention_benefit: _BeforeLeaving | None = None
    late_order: _Late | None = None
    product_guide: _Product | None = None


class _Opening(_Part, frozen=True, kw_only=True):
    opens: Clock = "00:00"
    closes: Clock = "24:00"
    days: frozenset[Annotated[int, msgspec.Meta(ge=0, le=6)]] = frozenset(range(7))


class Core(_Part, frozen=True, kw_only=True):
    """Whose alerts are one level higher."""

    tiers: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


class _Alerts(_Part, frozen=True, kw_only=True):
    hours: _Opening = _Opening()
    core: Core = Core()
    levels: dict[RiskLevel, LevelPolicy]
    escalate_to: tuple[Team, ...] = ()
    slack: Annotated[float, msgspec.Meta(ge=0, le=0.3)] = 0.05
    hold_days: Annotated[float, msgspec.Meta(ge=0, le=365)] = 14.0
    profile_opens: Literal["watch", "elevated", "critical"] = "critical"


class _File(_Part, frozen=True, kw_only=True):
    quiet: _Quiet = _Quiet()
    make_up_days: Days = 3
    triggers: _Triggers = _Triggers()
    alerts: _Alerts
    experiments: tuple[Trial, ...] = ()
    rollouts: tuple[Staged, ...] = ()


class Outreach(NamedTuple):
    """When what is done, and by which team."""

    triggers: Policy
    teams: dict[Kind, str]
    make_up: timedelta
    """So late what is due is still done."""
    alerts: AlertPolicy
    core: Core
    trials: tuple[Trial, ...] = ()
    rollouts: tuple[Staged, ...] = ()


def load(path: Path = DEFAULT, zone: tzinfo = UTC) -> Outreach:
    """
    Read the file.

    Args:
        zone: Of the business.

    Raises:
        CustomerTableError: If it cannot be used.
    """
    try:
        file = msgspec.yaml.decode(path.read_bytes(), type=_File)
        return _outreach(file, zone)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CustomerTableError(str(path), "what is done of its own accord", str(error)) from error


def _outreach(file: _File, zone: tzinfo) -> Outreach:
    wanted, alerts = file.triggers, file.alerts
    check(file.experiments, file.rollouts)
    named: dict[Kind, _AfterPurchase | _BeforeLeaving | _Late | _Product | None] = {
        "usage_guide": wanted.usage_guide,
        "retention_benefit": wanted.retention_benefit,
        "late_order": wanted.late_order,
        "product_guide": wanted.product_guide,
    }
    teams: dict[Kind, str] = {kind: one.team for kind, one in named.items() if one is not None}
    policy = Policy(
        zone=zone,
        quiet_from=time.fromisoformat(file.quiet.begin),
        quiet_to=time.fromisoformat(file.quiet.end),
        kinds=frozenset(teams),
    )
    if wanted.usage_guide is not None:
        policy = policy._replace(guide_days=wanted.usage_guide.days)
    if wanted.retention_benefit is not None:
        policy = policy._replace(benefit_days=wanted.retention_benefit.days)
    if wanted.late_order is not None:
        policy = policy._replace(late_within=timedelta(hours=wanted.late_order.hours))
    if wanted.product_guide is not None:
        policy = policy._replace(complex_products=frozenset(wanted.product_guide.products))
    return Outreach(
        triggers=policy,
        teams=teams,
        make_up=timedelta(days=file.make_up_days),
        alerts=AlertPolicy(
            hours=_hours(alerts.hours, zone),
            levels=alerts.levels,
            escalate_to=alerts.escalate_to,
            slack=alerts.slack,
            hold_days=alerts.hold_days,
            profile_opens=RiskLevel(alerts.profile_opens),
        ),
        core=alerts.core,
        trials=file.experiments,
        rollouts=file.rollouts,
    )


def _hours(file: _Opening, zone: tzinfo) -> Hours:
    end = None if file.closes == "24:00" else time.fromisoformat(file.closes)
    return Hours(zone=zone, opens=time.fromisoformat(file.opens), closes=end, days=file.days)
