"""Who may give a customer how much, as a playbook writes it, and what that says to a request."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec

Period = Literal["day", "week", "month", "year"]
"""Of the calendar, in the time zone of the business; weeks begin on Monday."""
Role = Literal["agent", "senior", "supervisor", "admin"]
Verdict = Literal["granted", "pending", "refused"]
_DECIDES: Final = ("supervisor", "admin")
"""Whose authority a request that is beyond one's own may be put before."""
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:\.([0-9]+))?")
_MOST: Final = Decimal(10) ** 12


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role may give on its own."""

    role: Role
    kinds: tuple[str, ...]
    """"voucher", "refund" ...: what the operator calls them."""
    tiers: tuple[str, ...] = ()
    """Of the customer, as ``customer_tier`` of the call tells; any where none is given."""
    per_case: str
    """Decimal; on one call, all of these kinds together."""
    per_customer: str
    """Decimal; in one period, likewise. Of a customer who is not known, the call stands for them."""
    period: Period = "month"

    def __post_init__(self) -> None:
        if not self.kinds:
            raise ValueError(f"expected at least one kind that the {self.role} may give, got none")
        amount_of(self.per_case)
        amount_of(self.per_customer)


class Authority(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of all roles."""

    currency: str
    digits: int = 2
    """After the point, of amounts in that currency."""
    time_zone: str = "UTC"
    """In which periods begin."""
    grants: tuple[Grant, ...]

    def __post_init__(self) -> None:
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError(f"expected a currency as CNY, got {self.currency!r}")
        if not 0 <= self.digits <= 4:
            raise ValueError(f"expected digits from 0 to 4, got {self.digits}")
        if self.time_zone not in available_timezones():
            raise ValueError(f"expected a time zone as Asia/Shanghai, got {self.time_zone!r}")


class Given(NamedTuple):
    """What the customer was given before."""

    case: str
    """Id of the call."""
    kind: str
    amount: Decimal
    at: datetime


class Claim(NamedTuple):
    """What is asked for now."""

    case: str
    kind: str
    amount: Decimal
    at: datetime
    """UTC."""
    tier: str = ""


class Said(NamedTuple):
    """The same for both languages of the desk."""

    en: str
    zh: str


class Judged(NamedTuple):
    verdict: Verdict
    rule: Said
    """Which line of the table says so, and what it was short of."""


def amount_of(text: str, digits: int = 4) -> Decimal:
    """
    An amount of money.

    Raises:
        ValueError: If it is no decimal of at most so many digits after the point, is below zero, or above all reason.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None or len(found[1] or "") > digits or (amount := Decimal(text)) >= _MOST:
        raise ValueError(f"expected an amount as 20.00, at most {digits} digits after the point, got {text[:40]!r}")
    return amount


def begin_of(period: Period, at: datetime, zone: ZoneInfo) -> datetime:
    """When the period began in which a moment lies."""
    day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def judge(authority: Authority, role: str, claim: Claim, given: Iterable[Given]) -> Judged:
    """
    What becomes of a request.

    Args:
        given: All that the customer was given, at least since the longest period began.
    """
    known = list(given)
    own = fits(authority, role, claim, known)
    if own.verdict == "granted":
        return own
    others = [fits(authority, other, claim, known) for other in _DECIDES]
    allowed = next((each for each in others if each.verdict == "granted"), None)
    if allowed is not None:
        return Judged("pending", own.rule)
    last = [other for other in _DECIDES if any(g.role == other and claim.kind in g.kinds for g in authority.grants)]
    return Judged("refused", others[_DECIDES.index(last[-1])].rule if last else others[0].rule)


def fits(authority: Authority, role: str, claim: Claim, given: Iterable[Given]) -> Judged:
    """Whether a role may give that on its own: "granted" or "refused", by the grant that goes furthest."""
    known = list(given)
    short: Said | None = None
    for grant in authority.grants:
        if grant.role != role or claim.kind not in grant.kinds or (grant.tiers and claim.tier not in grant.tiers):
            continue
        lacking, line = _lacking(authority, grant, claim, known), _told(authority, grant)
        if lacking is None:
            return Judged("granted", line)
        short = Said(f"{line.en}: {lacking.en}", f"{line.zh}；{lacking.zh}")
    return Judged("refused", short or _nothing(role, claim))


def denied(role: str) -> Said:
    """What a decision against a request says."""
    return Said(f"{role}: denied", f"{_in_chinese(role)}：不同意")


def _nothing(role: str, claim: Claim) -> Said:
    kind = _in_chinese(claim.kind)
    if claim.tier:
        return Said(f"{role}: no {claim.kind} for {claim.tier}", f"{_in_chinese(role)}：不能给 {claim.tier} 客户{kind}")
    return Said(f"{role}: no {claim.kind}", f"{_in_chinese(role)}：不能给{kind}")


def _lacking(authority: Authority, grant: Grant, claim: Claim, given: list[Given]) -> Said | None:
    begin = begin_of(grant.period, claim.at, ZoneInfo(authority.time_zone))
    alike = [each for each in given if each.kind in grant.kinds]
    case = sum((each.amount for each in alike if each.case == claim.case), Decimal(0))
    period = sum((each.amount for each in alike if each.at >= begin), Decimal(0))
    if claim.amount + case > amount_of(grant.per_case):
        return Said(f"{case} was given on this call", f"本次通话已给 {case}")
    if claim.amount + period > amount_of(grant.per_customer):
        told = f"{period} was given to this customer this {grant.period}"
        return Said(told, f"这位客户{_PERIODS[grant.period]}已得 {period}")
    return None


def _told(authority: Authority, grant: Grant) -> Said:
    tiers = f" for {', '.join(grant.tiers)}" if grant.tiers else ""
    kinds = ", ".join(grant.kinds)
    limits = f"up to {grant.per_case} {authority.currency} a call and {grant.per_customer} a {grant.period}"
    whom = f"（{'、'.join(grant.tiers)} 客户）" if grant.tiers else ""
    gifts = "、".join(map(_in_chinese, grant.kinds))
    most = f"每次通话至多 {grant.per_case} {authority.currency}，{_EACH[grant.period]}至多 {grant.per_customer}"
    return Said(f"{grant.role}: {kinds}{tiers} {limits}", f"{_in_chinese(grant.role)}：{gifts}{whom}{most}")


_EACH: Final[dict[Period, str]] = {"day": "每天", "week": "每周", "month": "每月", "year": "每年"}
_PERIODS: Final[dict[Period, str]] = {"day": "今天", "week": "本周", "month": "本月", "year": "今年"}
_CHINESE: Final = {
    "agent": "坐席",
    "senior": "资深坐席",
    "supervisor": "主管",
    "admin": "管理员",
    "voucher": "优惠券",
    "refund": "退款",
    "credit": "抵扣",
    "discount": "折扣",
    "gift": "礼品",
}


def _in_chinese(word: str) -> str:
    """A role, or a kind where it is one of the usual ones; others are called as the operator does."""
    return _CHINESE.get(word, word)
