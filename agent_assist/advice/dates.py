"""When something is to be, as people say it in Chinese and English, against the start of a call in a time zone."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

Note = Literal["", "holidays", "vague", "no_start"]
"""Nothing; public holidays are not known; no date follows from the words; the start of the call is not known."""


class Due(NamedTuple):
    """By when."""

    words: str
    """As said."""
    at: datetime | None
    """In the zone; the end of the time named, where it is longer than a moment. None where it is not resolvable."""
    note: Note = ""


class _Said(NamedTuple):
    text: str
    start: datetime


_DAY_END: Final = time(23, 59)
_LATE: Final = re.compile(r"下午|晚上|今晚|明晚|傍晚|\b(?:afternoon|evening|tonight|night)\b|\bp\.?m\b", re.IGNORECASE)
_NIGHT: Final = re.compile(r"晚上|今晚|明晚|夜里|半夜|午夜|深夜|\b(?:tonight|night)\b", re.IGNORECASE)
_NOON: Final = re.compile(r"中午|正午|\b(?:noon|midday|lunchtime)\b", re.IGNORECASE)
_PARTS: Final = (
    (re.compile(r"早上|早晨|上午|\bmorning\b", re.IGNORECASE), time(12, 0)),
    (_NOON, time(12, 0)),
    (re.compile(r"下午|\bafternoon\b", re.IGNORECASE), time(18, 0)),
    (re.compile(r"傍晚|晚上|今晚|明晚|夜里|\b(?:evening|tonight|night)\b", re.IGNORECASE), _DAY_END),
    (
        re.compile(r"下班(?:之)?前|\b(?:close of business|end of (?:the )?(?:business )?day)\b", re.IGNORECASE),
        time(18, 0),
    ),
)
"""Parts of the day, each to its end: ours."""
_ZH: Final = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_EN: Final = {
    word: n
    for n, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
            *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
            *("nineteen", "twenty"),
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "a": 1, "an": 1, "half": 0.5}
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_N: Final = r"(?P<n>\d+|[零一二两三四五六七八九十]+|半)"
_NUMBER_EN: Final = rf"(?P<n>\d+|half an?|(?:{'|'.join(_EN)})(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)"
_MOST: Final = 1_000
"""Of any unit: more is no time that anybody promises."""
_UNITS: Final = {"分钟": "minutes", "小时": "hours", "钟头": "hours", "天": "days", "周": "weeks", "星期": "weeks"}
_CLOCK_ZH: Final = re.compile(
    r"(?P<h>\d{1,2}|[零一二两三四五六七八九十]{1,3})(?:点|时(?!间|候))(?P<m>半|\d{1,2}|[一二三四五]?十[一二三四五六七八九]?)?"
)
_CLOCK_24: Final = re.compile(r"(?<!\d)(?P<h>\d{1,2})[:：](?P<m>\d{2})(?!\d)")
_CLOCK_EN: Final = re.compile(
    rf"\b(?:at|by|before|until|around) (?P<h>\d{{1,2}}|{'|'.join(list(_EN)[1:13])})(?::(?P<m>\d{{2}}))?"
    r"(?= ?(?P<half>[ap])\.?m\b| o'?clock|[ ,.]|$)(?! (?:business|working|hours?|minutes?|days?|weeks?))",
    re.IGNORECASE,
)
_CLOCK_AP: Final = re.compile(r"\b(?P<h>\d{1,2})(?::(?P<m>\d{2}))? ?(?P<half>[ap])\.?m\b", re.IGNORECASE)
_VAGUE: Final = re.compile(
    r"尽快|尽早|马上|立刻|立即|稍后|过几天|这几天|几天之?内|回头|及时|第一时间|近期"
    r"|\b(?:soon|shortly|as soon as possible|asap|right away|immediately|straight away|in due course|in a few days"
    r"|a few days|later|at (?:the|your) earliest)\b",
    re.IGNORECASE,
)


def due(text: str, start: datetime | None, zone: tzinfo) -> Due | None:
    """
    By when something is to be.

    Args:
        text: A clause of a promise.
        start: Of the call; None where it is not known.
        zone: Of the business.

    Returns:
        None where no time is named. Days end at 23:59, mornings at 12:00, afternoons at 18:00. Working days are Monday
        to Friday.
    """
    local = None if start is None else start.astimezone(zone)
    said = _Said(text, local or datetime(2000, 1, 3, tzinfo=zone))
    found = next((one for way in _WAYS for one in way(said)), None)
    if found is None:
        vague = _VAGUE.search(text)
        return None if vague is None else Due(vague.group(), None, "vague")
    return found if local is not None else Due(found.words, None, "no_start")


def _spans(said: _Said) -> Iterator[Due]:
    """Within three working days, 24 小时之内."""
    zh = re.compile(
        rf"{_N}\s*个?(?P<half>半)?个?(?P<work>工作日|工作天)?(?P<unit>分钟|小时|钟头|天|周|星期)?(?P<half_after>半)?"
        r"(?:之内|以内|内|之后|以后|后)"
    )
    en = re.compile(
        rf"\b(?P<within>(?:within|in|over|inside)(?: the)?(?: next)? )?{_NUMBER_EN}"
        r"(?: (?:to|or) (?P<to>\w+))?(?P<half> and a half)? "
        r"(?P<work>business |working )?(?P<unit>minute|hour|day|week)s?\b(?P<half_after> and a half\b)?",
        re.IGNORECASE,
    )
    for pattern in (zh, en):
        for match in pattern.finditer(said.text):
            if pattern is en and match["within"] is None and not (match["to"] and match["work"]):
                continue
            n = _number(match.groupdict().get("to") or match["n"])
            unit = "days" if match["work"] else _UNITS.get(match["unit"] or "", f"{(match['unit'] or '').lower()}s")
            if n is None or n > _MOST or unit not in {"minutes", "hours", "days", "weeks"}:
                continue
            n += 0.5 if match["half"] or match["half_after"] else 0
            words = match.group()
            if match["work"]:
                yield Due(words, _ends(_working_days(said.start.date(), int(n)), said), "holidays")
            elif unit in {"minutes", "hours"}:
                # Hours go by as ever where the clocks are changed.
                at = said.start.astimezone(UTC) + timedelta(**{unit: n})
                yield Due(words, at.astimezone(said.start.tzinfo))
            else:
                yield Due(words, _ends(said.start.date() + timedelta(**{unit: n}), said))


_DAYS: Final = (
    (re.compile(r"大后天"), 3),
    (re.compile(r"后天|\bthe day after tomorrow\b", re.IGNORECASE), 2),
    (re.compile(r"明天|明日|明早|明晚|\btomorrow\b", re.IGNORECASE), 1),
    (re.compile(r"今天|今日|今晚|当天|\b(?:today|tonight|this (?:morning|afternoon|evening))\b", re.IGNORECASE), 0),
)


def _days(said: _Said) -> Iterator[Due]:
    """Tomorrow morning, 明天下午三点."""
    for pattern, days in _DAYS:
        if (match := pattern.search(said.text)) is not None:
            yield _on(said, match, said.start.date() + timedelta(days=days))


def _weekdays(said: _Said) -> Iterator[Due]:
    """By Friday, 下周三."""
    today = said.start.date()
    monday = today - timedelta(days=today.weekday())
    zh = re.search(r"(?P<which>下下|下|这|本)?个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末])", said.text)
    if zh is not None:
        place = {"日": 6, "天": 6, "末": 6}.get(zh["day"])
        day = monday + timedelta(days="一二三四五六".index(zh["day"]) if place is None else place)
        weeks = {"下": 1, "下下": 2}.get(zh["which"] or "", 0)
        # Without "this", a day of the week that is past is that of the next week.
        weeks += zh["which"] is None and day < today
        yield _on(said, zh, day + timedelta(weeks=weeks))
    en = re.search(rf"\b(?P<which>next |this )?(?P<day>{'|'.join(_WEEKDAYS)})\b", said.text, re.IGNORECASE)
    if en is not None:
        day = monday + timedelta(days=_WEEKDAYS.index(en["day"].lower()))
        next_week = (en["which"] or "").lower() == "next " or day < today
        yield _on(said, en, day + timedelta(weeks=int(next_week)))


def _ends_of(said: _Said) -> Iterator[Due]:
    """By the end of the week, 月底之前, next week."""
    today = said.start.date()
    sunday = today + timedelta(days=6 - today.weekday())
    month_end = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    for pattern, day in (
        (r"下(?:周|星期|礼拜)(?:之?内)?(?![一二三四五六日天末])|\bnext week\b", sunday + timedelta(weeks=1)),
        (
            r"(?:本|这)(?:周|星期|礼拜)(?:之?内)?(?![一二三四五六日天末])|\b(?:this week|end of (?:the|this) week)\b",
            sunday,
        ),
        (r"(?:本|这个?)?月底|(?:本|这个)月内|\bend of (?:the|this) month\b", month_end),
    ):
        if (match := re.search(pattern, said.text, re.IGNORECASE)) is not None:
            yield _on(said, match, day)


def _dates(said: _Said) -> Iterator[Due]:
    """12 月 3 日, 5 号, March 5th, the 5th of March."""
    today = said.start.date()
    zh = re.search(
        r"(?:(?P<m>\d{1,2}|[一二三四五六七八九十]{1,2})月份?)?(?P<d>\d{1,2}|[一二三四五六七八九十]{1,3})(?:日|号)(?!码|楼|线)",
        said.text,
    )
    en = re.search(
        rf"\b(?P<m>{'|'.join(_MONTHS)}) (?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b"
        rf"|\b(?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)(?: of)? (?P<m2>{'|'.join(_MONTHS)})\b"
        r"|\bthe (?P<d3>\d{1,2})(?:st|nd|rd|th)\b",
        said.text,
        re.IGNORECASE,
    )
    for match in (zh, en):
        if match is None:
            continue
        parts = match.groupdict()
        month = parts.get("m") or parts.get("m2")
        day = _number(parts.get("d") or parts.get("d2") or parts.get("d3") or "")
        at = _next_date(today, _month(month), int(day or 0))
        if at is not None:
            yield _on(said, match, at)


def _clocks(said: _Said) -> Iterator[Due]:
    """A time without a day is the next one."""
    match, at = _clock(said.text)
    part = next(((found, end) for pattern, end in _PARTS if (found := pattern.search(said.text))), None)
    if match is None and part is not None:
        match, at = part[0], timedelta(hours=part[1].hour, minutes=part[1].minute)
    if match is None or at is None:
        return
    moment = _moment(said.start.date(), at, said)
    yield Due(match.group().strip(), moment if moment >= said.start else moment + timedelta(days=1))


_WAYS: Final[tuple[Callable[[_Said], Iterator[Due]], ...]] = (_spans, _days, _weekdays, _ends_of, _dates, _clocks)


def _on(said: _Said, match: re.Match[str], day: date) -> Due:
    clock, at = _clock(said.text)
    words = match.group().strip()
    if clock is not None and clock.group().strip() not in words:
        words = said.text[min(match.start(), clock.start()) : max(match.end(), clock.end())].strip()
    if at is None:
        return Due(words, _ends(day, said))
    return Due(words, _moment(day, at, said))


def _moment(day: date, at: timedelta, said: _Said) -> datetime:
    """When the clock says so, which after midnight is the next day."""
    return datetime.combine(day, time(), said.start.tzinfo) + at


def _ends(day: date, said: _Said) -> datetime:
    """The end of the part of the day that is named, else of the day."""
    part = next((end for pattern, end in _PARTS if pattern.search(said.text)), _DAY_END)
    return datetime.combine(day, part, said.start.tzinfo)


def _clock(text: str) -> tuple[re.Match[str] | None, timedelta | None]:
    """A time of day, since midnight; a night goes on after it."""
    for pattern in (_CLOCK_24, _CLOCK_ZH, _CLOCK_AP, _CLOCK_EN):
        match = pattern.search(text)
        if match is None:
            continue
        hour = _number(match["h"])
        minute = 30 if match["m"] == "半" else _number(match["m"] or "0")
        if hour is None or minute is None or hour * 60 + minute > 24 * 60 or minute > 59:
            continue
        half = (match.groupdict().get("half") or "").lower()
        # "By 3" in an office is in the afternoon.
        office = pattern is _CLOCK_EN and hour < 8 and re.search("morning", text, re.IGNORECASE) is None
        return match, timedelta(hours=_hour(int(hour), half, text, office=office), minutes=int(minute))
    return None, None


def _hour(hour: int, half: str, text: str, *, office: bool) -> int:
    """
    Of the day, 0 ... 28, with the part of the day that is named.

    Args:
        half: "a", "p", or nothing.
        office: The hour is one of the afternoon, where nothing else is said.
    """
    if _NIGHT.search(text) is not None and (hour in {0, 12} or (hour < 5 and half != "p")):
        return hour % 12 + 24
    if half == "a":
        return hour % 12
    late = half == "p" or (not half and (office or _LATE.search(text) is not None))
    late = late or (hour < 4 and _NOON.search(text) is not None)
    return hour + 12 if late and hour < 12 else hour


def _number(text: str) -> float | None:
    text = text.lower().strip()
    if text.isdigit():
        return int(text)
    if text == "半" or text.startswith("half"):
        return 0.5
    if text and all(letter in _ZH or letter == "十" for letter in text):
        if "十" not in text:
            return int("".join(str(_ZH[letter]) for letter in text))
        tens, _, ones = text.partition("十")
        return (_ZH.get(tens, 1) if tens else 1) * 10 + _ZH.get(ones, 0)
    parts = re.split(r"[- ]", text)
    return sum(_EN[part] for part in parts) if text and all(part in _EN for part in parts) else None


def _month(text: str | None) -> int | None:
    if text is None:
        return None
    return _MONTHS.index(text.lower()) + 1 if text.lower() in _MONTHS else int(_number(text) or 0)


def _next_date(today: date, month: int | None, day: int) -> date | None:
    """The next such day from today on."""
    for months in range(13):
        year, number = divmod(today.year * 12 + today.month - 1 + months, 12)
        if month not in {None, number + 1}:
            continue
        try:
            found = date(year, number + 1, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _working_days(today: date, n: int) -> date:
    day = today
    while n > 0:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day
