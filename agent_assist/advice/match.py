"""
Finding phrases in what was recognised, which is not always what was said.

English is matched by words. Chinese is matched by characters, and phrases of three and more characters by their sound,
too: a recogniser that errs mostly writes another character of the same sound. Names are matched by likeness of sound.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

import msgspec
from pypinyin import Style, lazy_pinyin

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_DIGITS: Final = str.maketrans("0123456789", "零一二三四五六七八九")
_GAP_CHARACTERS: Final = 8
_GAP_WORDS: Final = 4
_BY_SOUND: Final = 3
"""Characters of a phrase from which on its sound alone will do."""
_NAME_SYLLABLES: Final = 0.8
"""Likeness of a Chinese name of three and more syllables, its mean over them; shorter ones must sound the same."""
_NAME_LETTERS: Final = 0.85
"""Likeness of an English name, of its letters by sound."""


class Found(msgspec.Struct, frozen=True):
    """A phrase in a text."""

    text: str
    """As it was heard."""
    start: int
    """Position in the normalised text, for the order."""


def normalise(text: str) -> str:
    """
    What is compared: lower case, no punctuation, single spaces between words, none between Chinese characters.

    >>> normalise("第3次打电话了！ I'm FED up.")
    "第三次打电话了 i'm fed up"
    """
    text = re.sub(r"(?<=[\u3400-\u9fff])\d|\d(?=[\u3400-\u9fff])", lambda m: m.group().translate(_DIGITS), text)
    text = text.lower().replace("’", "'")
    text = re.sub(r"[^\w']+|_", " ", text)
    return re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", "", text).strip()


@lru_cache(maxsize=4096)
def _syllables(text: str) -> tuple[str, ...]:
    """One for each character of the text; what is not Chinese stands for itself, a space as "_"."""
    found: list[str] = []
    for part in re.findall(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", text):
        spoken = lazy_pinyin(part, style=Style.NORMAL) if _HAN.match(part) else list(part.replace(" ", "_"))
        # A character that pypinyin does not know stays in one piece with its neighbours.
        found += spoken if len(spoken) == len(part) else list(part)
    return tuple(found)


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> re.Pattern[str]:
    """``*`` stands for a few characters or words."""
    if _HAN.search(phrase):
        parts = [re.escape(normalise(part)) for part in phrase.split("*")]
        return re.compile(f".{{0,{_GAP_CHARACTERS}}}?".join(parts))
    parts = [re.escape(normalise(part)) for part in phrase.split("*")]
    gap = rf"(?:\s+\S+){{0,{_GAP_WORDS}}}?\s+"
    return re.compile(rf"(?<!\S){gap.join(part for part in parts if part)}(?!\S)")


@lru_cache(maxsize=4096)
def _sound_pattern(phrase: str) -> re.Pattern[str] | None:
    """The same over syllables; None where a phrase is too short to go by its sound."""
    if len(_HAN.findall(phrase)) < _BY_SOUND or not _HAN.search(phrase):
        return None
    parts = ["".join(f"{re.escape(s)} " for s in _syllables(normalise(part))) for part in phrase.split("*")]
    gap = rf"(?:\S+ ){{0,{_GAP_CHARACTERS}}}?"
    return re.compile(r"(?<!\S)" + gap.join(parts))


def find(text: str, phrase: str) -> Found | None:
    """
    Where a phrase stands in a text.

    Args:
        text: Normalised.
        phrase: As written in a playbook.

    >>> find(normalise("这是我第3次打电话了"), "第*次打电话")
    Found('第三次打电话', 3)
    >>> find(normalise("我们会有限处理"), "优先处理")
    Found('有限处理', 3)
    """
    match = _pattern(phrase).search(text)
    if match is not None:
        return Found(match.group(), match.start())
    sound = _sound_pattern(phrase)
    if sound is None or not _HAN.search(text):
        return None
    syllables = _syllables(text)
    heard = sound.search("".join(f"{syllable} " for syllable in syllables))
    if heard is None:
        return None
    before = heard.string[: heard.start()].count(" ")
    length = heard.group().count(" ")
    return Found(text[before : before + length], before)


def find_name(text: str, name: str) -> Found | None:
    """
    Where a name, or what sounds much like it, stands in a text.

    >>> find_name(normalise("我朋友在银鸡油下买的"), "云集优选")
    Found('银鸡油下', 4)
    >>> find_name(normalise("Blue Harper offers the same"), "Blue Harbor")
    Found('blue harper', 0)
    """
    name = normalise(name)
    if name in text and (_HAN.search(name) or re.search(rf"(?<!\S){re.escape(name)}(?!\S)", text)):
        return Found(name, text.index(name))
    candidates = _chinese_windows(text, name) if _HAN.search(name) else _english_windows(text, name)
    best, found = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
    return found if best > 0 else None


def _chinese_windows(text: str, name: str) -> Iterator[tuple[float, Found]]:
    wanted = _syllables(name)
    if len(wanted) < 2 or len(_HAN.findall(name)) != len(wanted):
        return
    heard = _syllables(text)
    least = 1.0 if len(wanted) < _BY_SOUND else _NAME_SYLLABLES
    for start in range(len(heard) - len(wanted) + 1):
        window = heard[start : start + len(wanted)]
        if len(_HAN.findall(text[start : start + len(wanted)])) != len(wanted):
            continue
        likeness = sum(_alike(a, b) for a, b in zip(window, wanted, strict=True)) / len(wanted)
        if likeness >= least:
            yield likeness, Found(text[start : start + len(wanted)], start)


_INITIAL: Final = re.compile(r"zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?")
_SAME_INITIAL: Final = ({"z", "zh"}, {"c", "ch"}, {"s", "sh"}, {"n", "l"}, {"f", "h"}, {"l", "r"})


def _alike(a: str, b: str) -> float:
    """Likeness of two syllables, 0 ... 1, half for the initial and half for the final."""
    if a == b:
        return 1.0
    first, second = _initial(a), _initial(b)
    same = first == second or any({first, second} <= pair for pair in _SAME_INITIAL)
    return 0.5 * same + 0.5 * SequenceMatcher(None, a[len(first) :], b[len(second) :]).ratio()


def _initial(syllable: str) -> str:
    match = _INITIAL.match(syllable)
    return match.group() if match is not None else ""


def _english_windows(text: str, name: str) -> Iterator[tuple[float, Found]]:
    words, wanted = text.split(), _letters(name)
    size = len(name.split())
    for length in {size, size + 1, max(1, size - 1)}:
        for start in range(len(words) - length + 1):
            window = " ".join(words[start : start + length])
            if _HAN.search(window):
                continue
            likeness = SequenceMatcher(None, _letters(window), wanted).ratio()
            if len(wanted) >= 5 and likeness >= _NAME_LETTERS:
                yield likeness, Found(window, len(" ".join(words[:start])))


@lru_cache(maxsize=4096)
def _letters(text: str) -> str:
    """Letters by their rough sound: voiced as unvoiced, vowels as one, doubles once."""
    text = text.replace(" ", "").replace("'", "").replace("ph", "f").replace("ck", "k")
    text = text.translate(str.maketrans("pdgqcvzjeiouy", "btkkkfssaaaaa"))
    return re.sub(r"(.)\1+", r"\1", text)
