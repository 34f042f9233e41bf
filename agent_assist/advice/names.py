"""Names of competitors, as recognisers hear them: unknown words come out as known ones that sound alike."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from agent_assist.advice.spoken import STOP, Spoken, Token, sounds, words

_SYLLABLES: Final = 0.2
"""Cost for each syllable of a Chinese name up to which it is still that name."""
_LETTERS: Final = 0.15
"""Cost for each letter of a name in letters, likewise."""
_SHORT: Final = 5
"""Letters below which a name has to be heard as it is written."""
_VOWELS: Final = frozenset("aeiouy")
_ALIKE: Final = frozenset(map(frozenset, ("bp", "dt", "gk", "vf", "zs", "mn", "ck", "cs", "gj", "vb", "qk")))


class Named(NamedTuple):
    """A name heard in the tokens from ``start`` up to ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class _Alias:
    name: str
    texts: tuple[str, ...]
    sounds: tuple[str, ...]
    han: bool


class Lexicon:
    """
    Names to listen for.

    Args:
        names: Each name with its other spellings.
    """

    def __init__(self, names: dict[str, tuple[str, ...]]) -> None:
        self._aliases = tuple(
            _Alias(name, tuple(words(alias)), tuple(sounds(alias)), any("㐀" <= letter <= "鿿" for letter in alias))
            for name, aliases in names.items()
            for alias in (name, *aliases)
        )

    def find(self, said: Spoken) -> list[Named]:
        """Names in the order in which they were said; of those that overlap, the one that sounds most alike."""
        candidates = [hit for alias in self._aliases for hit in (_han if alias.han else _latin)(alias, said.tokens)]
        chosen: list[Named] = []
        for _, hit in sorted(candidates, key=lambda candidate: (candidate[0], candidate[1].start)):
            if all(hit.end <= other.start or hit.start >= other.end for other in chosen):
                chosen.append(hit)
        return sorted(chosen, key=lambda hit: hit.start)


def _han(alias: _Alias, tokens: tuple[Token, ...]) -> list[tuple[float, Named]]:
    size = len(alias.texts)
    found: list[tuple[float, Named]] = []
    for start in range(len(tokens) - size + 1):
        window = tokens[start : start + size]
        if tuple(token.text for token in window) == alias.texts:
            found.append((0.0, Named(alias.name, start, start + size)))
        elif size > 2 and all(token.is_han for token in window):
            costs = [_syllable(token.sound, sound) for token, sound in zip(window, alias.sounds, strict=True)]
            # At least half of the syllables are right: a chain of small differences is another word.
            if sum(costs) <= _SYLLABLES * size and sum(cost == 0 for cost in costs) * 2 >= size:
                found.append((sum(costs) / size + 0.01, Named(alias.name, start, start + size)))
    return found


@lru_cache(maxsize=65_536)
def _syllable(one: str, other: str) -> float:
    """How differently two syllables sound, 0 ... 1: half for the initial, half for the final."""
    (initial, final), (other_initial, other_final) = _halves(one), _halves(other)
    alike = _INITIALS.get(initial, initial) == _INITIALS.get(other_initial, other_initial)
    cost = 0.0 if initial == other_initial else 0.25 if alike else 0.5
    return cost + 0.5 * min(1.0, distance(final, other_final) / max(len(final), len(other_final), 1))


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


def _latin(alias: _Alias, tokens: tuple[Token, ...]) -> list[tuple[float, Named]]:
    wanted = "".join(alias.texts)
    found: list[tuple[float, Named]] = []
    if all(token.is_han for token in tokens):
        return found
    for size in range(max(1, len(alias.texts) - 1), len(alias.texts) + 2):
        for start in range(len(tokens) - size + 1):
            window = tokens[start : start + size]
            if any(token.is_han or token.text == STOP for token in window):
                continue
            heard = "".join(token.text for token in window)
            limit = 0.0 if len(wanted) < _SHORT else _LETTERS * len(wanted)
            if abs(len(heard) - len(wanted)) <= limit and (cost := distance(heard, wanted)) <= limit:
                found.append((cost / len(wanted), Named(alias.name, start, start + size)))
    return found


def distance(one: str, other: str) -> float:
    """
    How differently two words sound, by their letters.

    Returns:
        Cost of the cheapest edit, 1 a letter; half for a vowel in place of another and for consonants that differ
        in voice only.

    Source: Levenshtein's distance, with the substitution costs above.
    """
    row = [float(i) for i in range(len(other) + 1)]
    for i, a in enumerate(one, start=1):
        above, row = row, [float(i)]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + _letter(a, b)))
    return row[-1]


def _letter(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return 0.5 if {a, b} <= _VOWELS or frozenset((a, b)) in _ALIKE else 1.0
