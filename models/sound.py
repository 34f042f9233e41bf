"""How alike words sound, by their letters or their pinyin."""

from functools import lru_cache
from math import inf
from typing import Final

from jellyfish import metaphone
from pypinyin import lazy_pinyin

_VOWELS: Final = frozenset("aeiouy")
_ALIKE: Final = frozenset(map(frozenset, ("bp", "dt", "gk", "vf", "zs", "mn", "ck", "cs", "gj", "vb", "qk")))


def pinyin(characters: str) -> list[str]:
    """
    How a run of Chinese characters is read, without tones: what 还 sounds like depends on its neighbours.

    Returns:
        One syllable for each character; a character that nobody knows to read stands for itself.
    """
    read = lazy_pinyin(characters)
    if len(read) != len(characters):  # Rare characters without a reading come in one piece.
        read = [lazy_pinyin(character)[0] for character in characters]
    return read


_SHORT_WORD: Final = 4
"""Letters below which a code would be that of many words."""
_SHORT_CODE: Final = 3
"""The same of the code's own letters: "three" and "there" have two."""


@lru_cache(maxsize=65_536)
def word_sound(word: str) -> str:
    """
    How an English word sounds: "council" as "cancel".

    Args:
        word: Lower case.

    Returns:
        A code in capitals; words that are short or have a short code, numbers and words of other letters stand for
        themselves.

    Source: Philips: Hanging on the Metaphone, Computer Language 7(12), 1990.
    """
    if len(word) < _SHORT_WORD or not (word.isascii() and word.isalpha()):
        return word
    code = metaphone(word)
    return code if len(code) >= _SHORT_CODE else word


@lru_cache(maxsize=65_536)
def syllable_distance(one: str, other: str) -> float:
    """How differently two syllables of pinyin sound, 0 ... 1: half for the initial, half for the final."""
    (initial, final), (other_initial, other_final) = _halves(one), _halves(other)
    alike = _INITIALS.get(initial, initial) == _INITIALS.get(other_initial, other_initial)
    cost = 0.0 if initial == other_initial else 0.25 if alike else 0.5
    return cost + 0.5 * min(1.0, letter_distance(final, other_final) / max(len(final), len(other_final), 1))


_INITIALS: Final[dict[str, int | str]] = {
    initial: group
    for group, initials in enumerate((("z", "zh"), ("c", "ch"), ("s", "sh"), ("n", "l", "r"), ("f", "h"), ("j", "q")))
    for initial in initials
}
"""Initials that many speakers, or the telephone, do not tell apart."""


def _halves(syllable: str) -> tuple[str, str]:
    size = 2 if syllable[:2] in {"zh", "ch", "sh"} else 1 if syllable[:1] in "bpmfdtnlgkhjqxrzcsyw" else 0
    final = syllable[size:]
    return syllable[:size], final[:-1] if final.endswith("ng") else final


def letters(word: str) -> int:
    """The letters of a word as a set of bits, those that may sound alike being one."""
    bits = 0
    for letter in word:
        bits |= 1 << _FOLDED.get(letter, ord(letter) % 64)
    return bits


_GROUPS: Final = ("aeiouy", "bpvf", "dt", "gkczsjq", "mn")
_FOLDED: Final = {letter: bit for bit, group in enumerate(_GROUPS) for letter in group}
"""Every pair of ``_ALIKE`` lies within one group."""


def at_least(one: int, other: int) -> int:
    """What ``letter_distance`` is at least, by the ``letters`` of both: a quick look."""
    return max((one & ~other).bit_count(), (other & ~one).bit_count())


def letter_distance(one: str, other: str, most: float = inf) -> float:
    """
    How differently two words sound, by their letters.

    Args:
        most: What is further than this need not be told exactly, only that it is.

    Returns:
        Cost of the cheapest edit, 1 a letter; half for a vowel in place of another and for consonants that differ
        in voice only.

    Source: Levenshtein's distance, with the substitution costs above.
    """
    row = [float(i) for i in range(len(other) + 1)]
    for i, a in enumerate(one, start=1):
        above, row = row, [float(i)]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (0.0 if a == b else _letter(a, b))))
        if min(row) > most:
            return inf
    return row[-1]


@lru_cache(maxsize=4_096)
def _letter(a: str, b: str) -> float:
    return 0.5 if {a, b} <= _VOWELS or frozenset((a, b)) in _ALIKE else 1.0
