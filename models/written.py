"""
From recognised words to what a person would write.

``plain`` settles script and punctuation; ``written`` puts digits for numbers where people do. A change of digits stands
only where ``models.textnorm`` finds the same words before and after: what is written scores as what was said.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, zip_longest
from typing import Final, NamedTuple

from models.numerals import DECIMAL, NUMERAL, english_number, is_clock, is_vague, mandarin_number
from models.script import simplified
from models.textnorm import normalise

_HAN: Final = "\u3400-\u9fff"
_DIGITS: Final = "零〇一二三四五六七八九幺"
_NUMERAL: Final = f"{_DIGITS}两十百千万亿"


class Edit(NamedTuple):
    """A stretch of a text and what is written for it."""

    start: int
    end: int
    text: str


def plain(text: str, language: str) -> str:
    """As it was recognised, in Simplified Chinese or English with tidy spaces and punctuation."""
    text = re.sub(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]", lambda wide: chr(ord(wide[0]) - 0xFEE0), text)
    text = text.replace("\ufffd", "")
    if language != "zh":
        return re.sub(r"\s+", " ", text).strip()
    text = simplified(text)
    # No spaces but between Latin words; full-width punctuation after Chinese.
    text = re.sub(r"(?<![A-Za-z0-9,.?!%])\s+|\s+(?![A-Za-z0-9])", "", text)
    for half, full in (",", "，"), ("?", "？"), ("!", "！"), (";", "；"), (":", "："):
        text = re.sub(rf"(?<=[\u4e00-\u9fff]){re.escape(half)}", full, text)
    text = re.sub(r"(?<=[\u4e00-\u9fff])\.(?![A-Za-z])", "。", text)
    return text + "。" if re.search(r"[\u4e00-\u9fff]$", text) else text


def written(text: str, language: str) -> str:
    """
    With digits for phone and order numbers, amounts, percentages, dates, times and quantities of 10 and more.

    Idioms, vague words and small counts stay words. The same text comes out when it is given again.

    Args:
        text: What ``plain`` gives.
        language: "zh" or "en".
    """
    said, before = normalise(text), None
    # What one rule writes can be what an earlier one looks for.
    while text != before:
        before = text
        for rule in _MANDARIN if language == "zh" else _ENGLISH:
            fixed = [found.span() for found in _IDIOMS.finditer(text)]
            for start, end, digits in reversed(list(rule(text))):
                changed = text[:start] + digits + text[end:]
                free = all(end <= first or start >= last for first, last in fixed)
                if free and changed != text and normalise(changed) == said:
                    text = changed
    return text


_Rule = Callable[[str], Iterator[Edit]]

_IDIOMS: Final = re.compile(
    "三七二十一|二百五|三六九等|九九八十一|百分百|三十六计|七十二变|八九不离十|五十步笑百步|双十一|"
    f"十堰|五十铃|十三陵|(?<![{_NUMERAL}])十(?:分(?!钟)|足|全十美|有八九|之八九|万火急|万八千里|字)|十一(?=国庆|长假|黄金周|假期)|"
    "(?:[统唯专单周]|星期|礼拜)[一二三四五六]|一点一(?=[样起直定些下般切个])"
)
"""Numerals that count nothing, or end where a number begins: 周二|十点."""
_RUN: Final = re.compile(rf"(?:{NUMERAL})+")
_CLOCK: Final = re.compile(
    rf"(?<![{_NUMERAL}])(?P<hour>[{_NUMERAL}]{{1,3}})点"
    rf"(?:(?P<half>半|钟|整|一刻|三刻)|(?P<minute>[零〇]?[一二三四五六七八九十]{{1,3}})(?P<sign>分)?|(?![{_NUMERAL}几多]))"
)
_DATE: Final = re.compile(rf"(?<![{_NUMERAL}])(?P<number>[{_DIGITS}十]{{1,4}})(?P<unit>年|月|日|号)")
_PERCENT: Final = re.compile(
    rf"百分之(?P<whole>[{_NUMERAL}]++)(?:点(?P<rest>[{_DIGITS}]++))?(?!几|[到至][{_NUMERAL}\d])"
)
_DECIMAL: Final = re.compile(rf"(?P<whole>[{_NUMERAL}]+){DECIMAL}(?!点)")
_MONEY: Final = re.compile(rf"(?P<number>(?:{NUMERAL})+)(?=元(?![论化次素])|块钱|美元|美金|欧元|人民币|港币|日元|英镑)")


_MEASURES: Final = frozenset("倍元块万亿米吨克斤折美欧")


def _digits(run: str) -> str:
    """One digit for each numeral."""
    return "".join(mandarin_number(numeral) or numeral for numeral in run)


def _mandarin_percents(text: str) -> Iterator[Edit]:
    for found in _PERCENT.finditer(text):
        if (whole := mandarin_number(found["whole"])) is not None:
            rest = f".{_digits(found['rest'])}" if found["rest"] else ""
            yield Edit(*found.span(), f"{whole}{rest}%")


def _mandarin_dates(text: str) -> Iterator[Edit]:
    for found in _DATE.finditer(text):
        run, unit = found["number"], found["unit"]
        number = mandarin_number(run)
        if number is None or (unit != "年" and not 0 < int(number) <= (12 if unit == "月" else 31)):
            continue
        # A year is said digit by digit; 三年 and 十年 are spans of time.
        if unit == "年" and ("十" in run or len(run) not in (2, 4)):
            continue
        # 二三年 and 一二月 are vague.
        if len(run) == 2 and "十" not in run and _follow(number):
            continue
        # 三日 alone may be a name or a span, after a month it is a date.
        if unit == "日" and len(run) == 1 and text[found.start() - 1 : found.start()] != "月":
            continue
        yield Edit(*found.span(), number + unit)


def _mandarin_times(text: str) -> Iterator[Edit]:
    for found in _CLOCK.finditer(text):
        hour = mandarin_number(found["hour"])
        if hour is None or is_vague(found["hour"]) or int(hour) > 24:
            continue
        if found["half"] or (found["minute"] is None and int(hour) >= 10):
            yield Edit(*found.span("hour"), hour)
            continue
        spoken = found["minute"] or ""
        minute = mandarin_number(spoken) if spoken else None
        # 三点五 is a decimal; 三点五十, 三点零五分 and 早上三点零五 are times.
        timed = "十" in spoken or found["sign"] or is_clock(text[: found.start()], spoken)
        if minute is None or int(minute) > 59 or not timed:
            continue
        yield Edit(*found.span(), f"{hour}点{minute}{found['sign'] or ''}")


def _mandarin_decimals(text: str) -> Iterator[Edit]:
    for found in _DECIMAL.finditer(text):
        spoken, _, rest = found[0].partition("点")
        whole = mandarin_number(spoken)
        # 三点零五 may be a time as well.
        doubtful = len(rest) == 2 and rest[0] in "零〇" and whole is not None and int(whole) in range(1, 25)
        if whole is not None and (not doubtful or text[found.end() : found.end() + 1] in _MEASURES):
            yield Edit(*found.span(), f"{whole}.{_digits(rest)}")


def _mandarin_amounts(text: str) -> Iterator[Edit]:
    for found in _MONEY.finditer(text):
        if (number := mandarin_number(found["number"])) is not None and not _is_bare(found["number"]):
            yield Edit(*found.span(), _rounded(number))


def _mandarin_quantities(text: str) -> Iterator[Edit]:
    for found in _RUN.finditer(text):
        start, end = found.span()
        run, before, after = found[0], text[start - 1 : start], text[end : end + 1]
        # 几十 and 十几 are vague; beside a point it is part of another number.
        if before in ("几", "数", "点") or after in ("几", "来", "点") or text.startswith("分之", end):
            continue
        if re.search(rf"百分之[{_NUMERAL}]+[到至]$", text[:start]):
            continue
        number = mandarin_number(run)
        if number is None or _is_bare(run) or is_vague(run):
            continue
        if all(numeral in _DIGITS for numeral in run):
            # 七八个 is vague; three digits and more are read out; 九零后 is a year.
            if len(run) >= 3 or (after == "后" and run[1:] == "零"):
                yield Edit(start, end, number)
        elif int(number) >= 10:
            yield Edit(start, end, _rounded(number))


def _follow(number: str) -> bool:
    """Whether its two digits follow each other: 七八 is seven or eight."""
    return int(number[1]) == int(number[0]) + 1


def _is_bare(run: str) -> bool:
    """Whether it begins with a unit other than 十: 百, 千 and 万 alone are parts of words."""
    return run[0] in "百千万亿"


def _rounded(number: str) -> str:
    """With 万 and 亿 where nothing stands behind them."""
    if not number.isdecimal() or not int(number) or int(number) % 10_000:
        return number
    large, small = divmod(int(number) // 10_000, 10_000)
    return (f"{large}亿" if large else "") + (f"{small}万" if small else "")


_MANDARIN: Final[tuple[_Rule, ...]] = (
    _mandarin_percents,
    _mandarin_times,
    _mandarin_dates,
    _mandarin_decimals,
    _mandarin_amounts,
    _mandarin_quantities,
)

_WORD: Final = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?|\d(?:[\d,.]*\d)?")
_UNITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UNIT: Final = rf"\b(?:(?:double|triple)[ -])?(?:{'|'.join(_UNITS)}|\d)\b"
_READ_OUT: Final = re.compile(
    rf"(?<!hundred )(?<!hundred-)(?<!thousand ){_UNIT}(?:(?:,? |-)(?:{_UNIT}|oh\b))+", re.IGNORECASE
)
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_CLOCKS: Final = frozenset({"at", "by", "until", "till", "before", "after", "around"})
_HALVES: Final = frozenset({"am", "pm"})
_GO_ON: Final = re.compile(
    "and|or|but|so|that|which|when|because|if|to|for|in|on|at|with|the|this|i|we|you|he|she|it|they|was|is|were|are|"
    "today|tomorrow|yesterday|until|till"
)
"""After a time or a year, and never between a number and what it counts."""
_DATED: Final = re.compile(
    rf"\b(?:in|since|year|of|until|till|before|after|from|{'|'.join(_MONTHS)}),? $|"
    rf"(?:{'|'.join(_MONTHS)})\b[^.?!]{{0,25}}, $"
)
_TOLL_FREE: Final = re.compile(
    rf"\b(?P<one>one[ -])?eight[ -]hundred[ -](?P<rest>{_UNIT}(?:[ -](?:{_UNIT}|oh\b))+)", re.IGNORECASE
)
_CURRENCIES: Final = {"dollars": "$", "euros": "€"}
_GROUPS: Final = {7: (3, 4), 10: (3, 3, 4), 11: (1, 3, 3, 4)}
"""How telephone numbers are parted."""


class _Number(NamedTuple):
    """A number among the words of a text."""

    digits: str
    ordinal: bool
    start: int
    end: int
    before: str
    """The words beside it, in the case of the text; empty at a sign."""
    after: str
    after_end: int
    """Place behind the word after it."""


def _numbers(text: str) -> Iterator[_Number]:
    """The numbers of a text; one that begins with "a" is vague and left out."""
    found = list(_WORD.finditer(text))
    words = [word[0].lower() for word in found]

    def beside(at: int, other: int) -> str:
        if not 0 <= min(at, other) <= max(at, other) < len(found):
            return ""
        between = text[found[min(at, other)].end() : found[max(at, other)].start()]
        return found[other][0] if between in (" ", "-") else ""

    at = 0
    while at < len(found):
        reach = at + 1
        while beside(reach - 1, reach):
            reach += 1
        digits, used = english_number(words[at:reach])
        last = at + used
        if used and len(digits) == 1 and words[last : last + 1] == ["point"] and beside(last - 1, last):
            rest = last + 1
            while rest < reach and words[rest] in _UNITS:
                rest += 1
            if rest > last + 1:
                digits[0] += "." + "".join(str(_UNITS.index(word)) for word in words[last + 1 : rest])
                last = rest
        if used and words[at] != "a":
            end = found[last - 1].end()
            after_end = found[last].end() if beside(last - 1, last) else end
            yield _Number(
                digits[0],
                len(digits) > 1,
                found[at].start(),
                end,
                beside(at, at - 1),
                beside(last - 1, last),
                after_end,
            )
        at = max(last, at + 1)


def _alone(numbers: Iterable[_Number]) -> Iterator[_Number]:
    """Those with no other beside them: "twenty one fifty" may be a price, a year, a time or two numbers."""
    found = list(numbers)
    for before, number, after in zip([None, *found], found, [*found[1:], None], strict=False):
        first = before is None or number.start > before.end + 1
        if first and (after is None or after.start > number.end + 1):
            yield number


def _goes_on(text: str, end: int) -> bool:
    """Whether a clause ends there, or goes on with anything but a noun."""
    following = re.match(r"[ -]([A-Za-z$€]+)", text[end:])
    return following is None or _GO_ON.fullmatch(following[1].lower()) is not None


def _read_out(spoken: str) -> str:
    digits, times = "", 1
    for word in re.findall(r"[a-z]+|\d", spoken.lower()):
        times = {"double": 2, "triple": 3}.get(word, times)
        if word not in ("double", "triple"):
            digits += (word if word.isdecimal() else "0" if word == "oh" else str(_UNITS.index(word))) * times
            times = 1
    return digits


def _english_toll_free(text: str) -> Iterator[Edit]:
    for found in _TOLL_FREE.finditer(text):
        digits = _read_out(found["rest"])
        if len(digits) == 7:
            yield Edit(*found.span(), f"{'1-' if found['one'] else ''}800-{digits[:3]}-{digits[3:]}")


def _english_read_out(text: str) -> Iterator[Edit]:
    """Digits that are read out one by one."""
    for found in _READ_OUT.finditer(text):
        digits = _read_out(found[0])
        # With commas between them, a few are rather a list; "three oh five pm" is a time.
        if len(digits) < (5 if "," in found[0] else 3):
            continue
        before = re.search(r"([a-z]+) $", text[: found.start()].lower())
        half = re.match(r" (?:[ap]m\b|[ap]\.m\.)", text[found.end() :], re.IGNORECASE)
        clock = before is not None and before[1] in _CLOCKS and _goes_on(text, found.end())
        if len(digits) == 3 and digits[1] == "0" and digits[0] != "0" and (half or clock):
            yield Edit(*found.span(), f"{digits[0]}:{digits[1:]}")
            continue
        sizes = _GROUPS.get(len(digits), (len(digits),))
        ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
        yield Edit(*found.span(), "-".join(digits[end - size : end] for end, size in zip(ends, sizes, strict=True)))


def _english_percents(text: str) -> Iterator[Edit]:
    for number in _alone(_numbers(text)):
        if not number.ordinal and number.after.lower() == "percent":
            yield Edit(number.start, number.after_end, f"{number.digits}%")


def _english_amounts(text: str) -> Iterator[Edit]:
    for number in _alone(_numbers(text)):
        sign = _CURRENCIES.get(number.after.lower())
        if not number.ordinal and sign is not None and "million" not in _grouped(number.digits):
            yield Edit(number.start, number.after_end, sign + _grouped(number.digits))


def _english_times(text: str) -> Iterator[Edit]:
    numbers = [number for number in _numbers(text) if not number.ordinal and number.digits.isdecimal()]
    minute = None
    for number, following in zip_longest(numbers, numbers[1:]):
        hour = int(number.digits)
        # Twelve in "one twelve pm" is no hour of its own.
        if number is minute or not 0 < hour <= 12:
            continue
        if number.after.lower() in (*_HALVES, "o'clock") or re.match(r" [ap]\.m\.", text[number.end :]):
            yield Edit(number.start, number.end, number.digits)
        elif following is not None and text[number.end : following.start] == " " and 10 <= int(following.digits) < 60:
            half = following.after.lower() in _HALVES or re.match(r" [ap]\.m\.", text[following.end :])
            if half or (number.before.lower() in _CLOCKS and _goes_on(text, following.end)):
                minute = following
                yield Edit(number.start, following.end, f"{number.digits}:{following.digits}")


def _english_years(text: str) -> Iterator[Edit]:
    numbers = [number for number in _numbers(text) if not number.ordinal and number.digits.isdecimal()]
    for century, year in pairwise(numbers):
        both = 17 <= int(century.digits) <= 20 and 10 <= int(year.digits) <= 99
        beside = text[century.end : year.start] == " "
        if both and beside and _DATED.search(text[: century.start]) and _goes_on(text, year.end):
            yield Edit(century.start, year.end, century.digits + year.digits)


def _english_ordinals(text: str) -> Iterator[Edit]:
    for number in _alone(_numbers(text)):
        dated = number.before in _MONTHS or re.match(rf" of (?:{'|'.join(_MONTHS)})\b", text[number.end :])
        # A thirty second call has no number.
        timed = text[number.start : number.end].lower().endswith("second")
        if number.ordinal and (dated or (int(number.digits) >= 10 and not timed)):
            yield Edit(number.start, number.end, number.digits + _ending(int(number.digits)))


def _ending(number: int) -> str:
    return "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _english_quantities(text: str) -> Iterator[Edit]:
    for number in _alone(_numbers(text)):
        if text[number.start].isdigit() and text[number.start : number.end].isdecimal():
            continue
        if not number.ordinal and ("." in number.digits or (number.digits.isdecimal() and int(number.digits) >= 10)):
            yield Edit(number.start, number.end, _grouped(number.digits))


def _grouped(digits: str) -> str:
    """With a comma at thousands; millions as a word."""
    if not digits.isdecimal() or int(digits) < 10_000:
        return digits
    number = int(digits)
    if number >= 1_000_000 and number % 100_000 == 0:
        return f"{number / 1_000_000:g} million"
    return f"{number:,}"


_ENGLISH: Final[tuple[_Rule, ...]] = (
    _english_toll_free,
    _english_read_out,
    _english_percents,
    _english_amounts,
    _english_times,
    _english_years,
    _english_ordinals,
    _english_quantities,
)
