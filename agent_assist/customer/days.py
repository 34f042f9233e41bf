"""
Days on which to greet a customer: birthday, anniversary of the first purchase, days of their own, festivals.

A day that a year or a month lacks is kept on the last day of that month: 29 February on the 28th, the 30th of a lunar
month on its 29th. Days of the Chinese calendar are those of its regular months, not of leap months; it is known from
1900 to 2100. Whose festivals are kept is a setting of the business, never concluded from who somebody is.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import yaml
from borax.calendars.lunardate import LCalendars, LunarDate

from agent_assist.customer.events import SpecialDate
from agent_assist.customer.facts import Facts
from agent_assist.customer.purchases import Bought
from agent_assist.errors import CustomerTableError

FESTIVALS: Final = Path(__file__).parent / "festivals.yaml"
OPT_OUT: Final = "greetings"
"""Attribute of the customer that says "no" where they do not want to be greeted."""

Calendar = Literal["cn", "west"]
Words = Mapping[Literal["zh", "en"], str]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]


class Solar(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="solar", forbid_unknown_fields=True):
    """A day of the common calendar."""

    month: Month
    day: Annotated[int, msgspec.Meta(ge=1, le=31)]


class Lunar(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="lunar", forbid_unknown_fields=True):
    """A day of the Chinese calendar."""

    month: Month
    day: Annotated[int, msgspec.Meta(ge=1, le=30)]


class NthWeekday(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="nth", forbid_unknown_fields=True):
    """As the fourth Thursday of November."""

    month: Month
    weekday: Weekday
    """1 Monday ... 7 Sunday."""
    nth: Annotated[int, msgspec.Meta(ge=1, le=4)]


class Easter(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="easter", forbid_unknown_fields=True):
    """So many days after Easter Sunday of the western churches."""

    days: int = 0


Rule = Solar | Lunar | NthWeekday | Easter


class Festival(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day of many."""

    id: str
    calendars: tuple[Calendar, ...]
    when: Rule
    names: Words
    greeting: Words


class Occasion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for a day of one customer."""

    names: Words
    greeting: Words


class Festivals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is said on special days."""

    birthday: Occasion
    anniversary: Occasion
    own: Occasion
    festivals: tuple[Festival, ...]


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which to greet the customer."""

    kind: Literal["birthday", "anniversary", "own", "festival"]
    id: str
    """Of the festival; the name of a day of their own."""
    on: date
    in_days: int
    """0: today."""
    names: Words
    greeting: Words
    years: int | None = None
    """Since the first purchase, of an anniversary."""


def touches(
    of: Facts,
    had: Bought,
    at: datetime,
    zone: tzinfo,
    *,
    calendars: frozenset[Calendar] = frozenset(),
    within: int = 7,
) -> list[Touch]:
    """
    Days from today to so many days ahead; none for a customer who does not want to be greeted or forbade offers.

    Args:
        had: What they had bought at that time.
        zone: Where the customer is: of it is today.
        calendars: Whose festivals count.
    """
    if of.attributes.get(OPT_OUT, "").strip().lower() == "no" or not of.allows("offers", otherwise=True):
        return []
    today = at.astimezone(zone).date()
    words = read_festivals()
    first = had.orders[0].ordered_at.astimezone(zone).date() if had.orders else None
    found: list[Touch] = []
    for ahead in range(within + 1):
        day = today + timedelta(days=ahead)
        found += _own(of, first, day, ahead, words)
        found += [
            Touch(kind="festival", id=one.id, on=day, in_days=ahead, names=one.names, greeting=one.greeting)
            for one in words.festivals
            if calendars & set(one.calendars) and falls(one.when, day)
        ]
    return found


def falls(rule: Rule, day: date) -> bool:
    """Whether a rule falls on a day of the common calendar."""
    match rule:
        case Solar():
            last = monthrange(day.year, day.month)[1]
            return day.month == rule.month and day.day == min(rule.day, last)
        case Lunar():
            return _falls_lunar(rule, day)
        case NthWeekday():
            return day.month == rule.month and day.isoweekday() == rule.weekday and (day.day - 1) // 7 + 1 == rule.nth
        case Easter():
            return day - timedelta(days=rule.days) == easter((day - timedelta(days=rule.days)).year)


def easter(year: int) -> date:
    """
    Easter Sunday of the western churches.

    Source: Meeus, Jones, Butcher: the anonymous Gregorian algorithm, Nature 13, 1876; Meeus: Astronomical Algorithms,
        2nd ed., 1998, chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)


@cache
def read_festivals(path: Path = FESTIVALS) -> Festivals:
    """
    What is said on special days.

    Raises:
        CustomerTableError: If it cannot be read, two festivals share an id, or words lack a language.
    """
    try:
        found = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Festivals)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise CustomerTableError(str(path), "a table of festivals", str(error)) from error
    ids = [one.id for one in found.festivals]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise CustomerTableError(str(path), "each festival once", ", ".join(sorted(twice)))
    everything: list[Occasion | Festival] = [found.birthday, found.anniversary, found.own, *found.festivals]
    for words in everything:
        if not all(words.names.get(language) and words.greeting.get(language) for language in ("zh", "en")):
            raise CustomerTableError(str(path), "names and greetings in zh and en", str(dict(words.names)))
    return found


def _own(of: Facts, first: date | None, day: date, ahead: int, words: Festivals) -> Iterator[Touch]:
    if of.birthday is not None and day >= of.birthday and falls(_solar(of.birthday), day):
        said = words.birthday
        yield Touch(kind="birthday", id="birthday", on=day, in_days=ahead, names=said.names, greeting=said.greeting)
    if first is not None and day.year > first.year and falls(_solar(first), day):
        said, years = words.anniversary, day.year - first.year
        yield Touch(
            kind="anniversary",
            id="anniversary",
            on=day,
            in_days=ahead,
            names=said.names,
            greeting=said.greeting,
            years=years,
        )
    for one in of.dates:
        if falls(_rule(one), day):
            said = words.own
            yield Touch(kind="own", id=one.name, on=day, in_days=ahead, names=said.names, greeting=said.greeting)


def _solar(day: date) -> Solar:
    return Solar(month=day.month, day=day.day)


def _rule(of: SpecialDate) -> Rule:
    return Lunar(month=of.month, day=min(of.day, 30)) if of.lunar else Solar(month=of.month, day=of.day)


def _falls_lunar(rule: Lunar, day: date) -> bool:
    if not date(1900, 1, 31) <= day <= date(2100, 12, 31):
        return False
    lunar = LunarDate.from_solar(day)
    if lunar.leap or lunar.month != rule.month:
        return False
    return bool(lunar.day == min(rule.day, LCalendars.ndays(lunar.year, lunar.month)))
