"""
How a customer likes to be served, as their contacts show: channel, hours, language, what they contact us about.

Only what they did counts, and only contacts that they began. What an attribute says comes before what is shown, so
that an agent can correct it. Nothing is concluded from a name, a birthday or any other attribute, and nothing but the
wording of a region from the region.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal, TypeVar

import msgspec

from agent_assist.customer.events import Interaction
from agent_assist.customer.facts import Facts

T = TypeVar("T")

OVERRIDES: Final = {
    "channel": "prefers_channel",
    "part_of_day": "prefers_time",
    "language": "prefers_language",
    "issue": "prefers_issue",
}
"""Attributes of the customer by which a person sets what is preferred."""

_PARTS: Final = (("night", 0), ("morning", 6), ("midday", 11), ("afternoon", 14), ("evening", 18), ("night", 22))
"""Parts of a day and the hour at which each begins."""


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """What is preferred, and why that is believed."""

    value: str
    source: Literal["said", "shown"]
    """Said: set by a person or the customer; shown: by what they did."""
    support: int = 0
    """Contacts that show it; 0 of what was said."""
    of: int = 0
    """Contacts that could have shown something else."""
    evidence: tuple[str, ...] = ()
    """Ids of the latest interactions that show it, the latest last."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Of one customer; None where nothing is preferred clearly."""

    channel: Preference | None = None
    part_of_day: Preference | None = None
    """"night", "morning", "midday", "afternoon" or "evening", where the customer is."""
    language: Preference | None = None
    """BCP 47."""
    issues: tuple[Preference, ...] = ()
    """What they contact us about, the most frequent first."""


class PreferencePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When something counts as preferred: settings."""

    days: int = 365
    """Older contacts do not count."""
    support: int = 3
    share: float = 0.6
    """Of the contacts, at least: more than half, so that there is one at most."""
    issues: int = 3
    evidence: int = 5

    def __post_init__(self) -> None:
        if not 0.5 < self.share <= 1:
            raise ValueError(f"expected share above 0.5 and at most 1, got {self.share}")


def preferences(
    of: Facts,
    at: datetime,
    zone: tzinfo,
    policy: PreferencePolicy = PreferencePolicy(),  # noqa: B008, frozen
) -> Preferences:
    """
    What is preferred at a time.

    Args:
        zone: Where the customer is: of it are the hours.
    """
    since = at - timedelta(days=policy.days)
    began = [one for one in of.interactions if one.direction == "in" and since <= one.at <= at]
    issues = Counter(one.issue for one in began if one.issue)
    said = {name: of.attributes.get(key, "").strip() for name, key in OVERRIDES.items()}
    told = said["language"] or of.language
    return Preferences(
        channel=_said(said["channel"]) or _shown([(one.channel, one) for one in began], policy),
        part_of_day=_said(said["part_of_day"])
        or _shown([(part_of_day(one.at.astimezone(zone).hour), one) for one in began], policy),
        language=_said(told),
        issues=(
            *filter(None, [_said(said["issue"])]),
            *(
                _because(issue, [one for one in began if one.issue == issue], sum(issues.values()), policy)
                for issue, times in sorted(issues.items(), key=lambda pair: (-pair[1], pair[0]))
                if times > 1 and issue != said["issue"]
            ),
        )[: policy.issues],
    )


def part_of_day(hour: int) -> str:
    """Of an hour 0 ... 23."""
    return next(name for name, begin in reversed(_PARTS) if hour >= begin)


def in_words_of(variants: Mapping[str, T], region: str) -> T:
    """
    The wording for a region, a text or one in each language; that under ``""`` where there is none for it.

    Args:
        variants: By region, as in ``{"": ..., "CN": ..., "CN-GD": ...}``; parts of a region are parted by hyphens,
            and the longest beginning of the customer's region that stands here is taken.
    """
    parts = region.split("-") if region else []
    for end in range(len(parts), 0, -1):
        found = variants.get("-".join(parts[:end]))
        if found is not None:
            return found
    return variants[""]


def _said(value: str) -> Preference | None:
    return Preference(value=value, source="said") if value else None


def _shown(seen: Iterable[tuple[str, Interaction]], policy: PreferencePolicy) -> Preference | None:
    """What most of them show, if it is clear."""
    pairs = list(seen)
    counts = Counter(value for value, _ in pairs)
    for value, times in counts.most_common(1):
        if times >= policy.support and times >= policy.share * len(pairs):
            return _because(value, [one for other, one in pairs if other == value], len(pairs), policy)
    return None


def _because(value: str, showing: list[Interaction], of: int, policy: PreferencePolicy) -> Preference:
    latest = sorted(showing, key=lambda one: (one.at, one.interaction_id))[-policy.evidence :]
    return Preference(
        value=value,
        source="shown",
        support=len(showing),
        of=of,
        evidence=tuple(one.interaction_id for one in latest),
    )
