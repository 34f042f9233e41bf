"""Whether a text says no more than its sources: every number, date, name, amount and promise stands in them."""

import re
from collections.abc import Sequence
from typing import Final

from agent_assist.advice.clauses import clauses, sentences
from models.numerals import mandarin_number
from models.written import written

_COVERED: Final = 0.5
"""Share of what a sentence says that one of the sources must say, by words or pairs of characters: ours."""
_PROMISE_COVERED: Final = 0.6
_COUNTED: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_TENS: Final = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_LARGE: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "twice": 2, "double": 2, "half": 0}
_ENGLISH: Final = {word: n for n, word in enumerate(_COUNTED)} | _TENS | _LARGE
_NUMBER: Final = re.compile(
    rf"(?P<digits>\d+(?:[.,]\d+)*)|(?P<zh>[零〇一二两三四五六七八九十百千万亿半]+)|\b(?P<en>{'|'.join(_ENGLISH)})\b",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"[ -]?(?P<unit>%|percent|per cent|元|块|折|万|天|日|号|个?工作日|个?小时|分钟|个?月|年|周|点|次|美元|欧元|[$€£¥]"
    r"|(?:business |working )?days?|hours?|minutes?|weeks?|months?|years?|dollars?|euros?|pounds?|yuan"
    r"|o'?clock|a\.?m|p\.?m)",
    re.IGNORECASE,
)
_CURRENCY: Final = re.compile(r"[$€£¥]")
_DATE: Final = re.compile(
    r"大后天|后天|明天|今天|昨天|明早|今晚|明晚|下周|本周|这周|月底|(?:周|星期|礼拜)[一二三四五六日天末]|上午|中午|下午|晚上"
    r"|\b(?:today|tonight|tomorrow|yesterday|morning|noon|afternoon|evening|week|month"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october"
    r"|november|december)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"\b[A-Z][\w'’-]*")
_TITLE: Final = re.compile(r"[㐀-鿿](?:先生|女士|小姐|经理|主管|专员|老师|总监|公司|银行|集团|平台|商城|快递|保险)")
_PLAIN: Final = (
    "a an and after agent all also as at before both but by caller company customer during finally first for from he "
    "her his however i if in issue it its later mood next no not on one outcome overall she since so step still "
    "summary the their then there they this to we when while with you"
)
_OPENERS: Final = frozenset(_PLAIN.split())
"""With which a sentence may begin, as names do."""
_COMMITS: Final = re.compile(
    r"承诺|保证|答应|同意|(?<![不机社])会(?![员议])|将"
    r"|\b(?:will|promis\w*|guarantee\w*|commit\w*|agree\w*|going to|is to|are to|'ll)\b",
    re.IGNORECASE,
)
_NEGATION: Final = re.compile(r"[不没未无]|\b(?:not|no|never|none|without|refus\w*)\b|n't\b", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?:|www\.|\S@\S|[\w-]+\.(?:com|net|org|cn|io)\b", re.IGNORECASE)


def unsupported(text: str, sources: Sequence[str], language: str) -> str:
    """
    What of a text no source bears out, in a few words; empty where there is nothing.

    Args:
        text: To be checked.
        sources: What may be said, each a sentence or an utterance.
        language: "zh" or "en".
    """
    known = "\n".join(sources)
    for check in (_addresses, _numbers, _dates, _names):
        if found := check(text, known, language):
            return found
    for sentence in sentences(text):
        parts = [part for part in clauses(sentence) if _COMMITS.search(part)]
        for part in parts:
            if (promised := _promise(part, sources)) is not None:
                return f"a promise that was not made: {promised[:60]}"
        if (support := _support(sentence, sources)) < _COVERED:
            return f"a sentence that nothing supports ({support:.0%}): {sentence[:60]}"
    return ""


def _addresses(text: str, known: str, _: str) -> str:
    found = next((found.group() for found in _ADDRESS.finditer(text) if found.group() not in known), None)
    return "" if found is None else "an address that was not given"


def _numbers(text: str, known: str, language: str) -> str:
    there = _amounts(known) | _amounts(written(known, language))
    bare = {number for number, _ in there}
    for number, unit in sorted(_amounts(text)):
        if number not in bare or (unit and (number, unit) not in there):
            return f"a number that was not named: {number}{unit}"
    return ""


def _amounts(text: str) -> set[tuple[str, str]]:
    """Numbers with what follows them; a lone "one" or 一 is none."""
    found: set[tuple[str, str]] = set()
    for match in _NUMBER.finditer(text):
        number: str
        if match["digits"]:
            number = str(match["digits"]).replace(",", "")
        elif match["zh"]:
            number = mandarin_number(match["zh"]) or match["zh"]
        else:
            number = str(_ENGLISH[match["en"].lower()])
        unit = _UNIT.match(text, match.end())
        money = _CURRENCY.search(text[max(0, match.start() - 1) : match.start()])
        name = money.group() if money else "" if unit is None else unit["unit"]
        if match.group().lower() not in {"one", "一"} or name:
            found.add((number, _unit(name)))
    return found


def _unit(name: str) -> str:
    name = re.sub(r"[ .']|^个", "", name.lower())
    name = {"percent": "%", "块": "元", "yuan": "元", "¥": "元", "$": "dollar", "€": "euro", "£": "pound"}.get(
        name, name
    )
    return name.removesuffix("s")


def _dates(text: str, known: str, _: str) -> str:
    there = {found.group().lower() for found in _DATE.finditer(known)}
    found = next((found.group() for found in _DATE.finditer(text) if found.group().lower() not in there), None)
    return "" if found is None else f"a time that was not named: {found}"


def _names(text: str, known: str, _: str) -> str:
    there = {word.lower() for word in re.findall(r"[\w'’-]+", known)}
    for match in _NAME.finditer(text):
        name = re.sub(r"['’]s$", "", match.group()).lower()
        if name not in there and name not in _OPENERS:
            return f"a name that was not named: {match.group()}"
    found = next((found.group() for found in _TITLE.finditer(text) if found.group() not in known), None)
    return "" if found is None else f"a name that was not named: {found}"


def _promise(part: str, sources: Sequence[str]) -> str | None:
    """The clause, where no source promises that, or where it denies what the source says, or says what that denies."""
    best = max(sources, key=lambda source: _share(part, source), default="")
    if _share(part, best) < _PROMISE_COVERED or not _COMMITS.search(best):
        return part
    return part if (_NEGATION.search(part) is None) is not (_NEGATION.search(best) is None) else None


def _support(sentence: str, sources: Sequence[str]) -> float:
    """What the sources that fit best say of a sentence, together."""
    return _share(sentence, "\n".join(sorted(sources, key=lambda source: -_share(sentence, source))[:3]))


def _share(text: str, source: str) -> float:
    said, there = _content(text), _content(source)
    return len(said & there) / len(said) if said else 1.0


def _content(text: str) -> set[str]:
    """Pairs of characters, and words by their beginning."""
    pairs = {run[i : i + 2] for run in re.findall(r"[㐀-鿿]+", text) for i in range(len(run) - 1)}
    return pairs | {word[:5].lower() for word in re.findall(r"[A-Za-z]{4,}", text)}
