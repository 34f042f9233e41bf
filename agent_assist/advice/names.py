"""Names of competitors, as recognisers hear them: unknown words come out as known ones that sound alike."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent_assist.advice.spoken import STOP, Spoken, Token, sounds, words
from models.sound import letter_distance, syllable_distance

_SYLLABLES: Final = 0.2
"""Cost for each syllable of a Chinese name up to which it is still that name."""
_LETTERS: Final = 0.15
"""Cost for each letter of a name in letters, likewise."""
_SHORT: Final = 5
"""Letters below which a name has to be heard as it is written."""
_TITLES: Final = ("先生", "女士", "小姐", "太太", "老师", "总")
_ENGLISH_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "sir", "madam"})
_DOUBLE: Final = frozenset(
    {"欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "夏侯"}
)


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
            costs = [syllable_distance(token.sound, sound) for token, sound in zip(window, alias.sounds, strict=True)]
            # At least half of the syllables are right: a chain of small differences is another word.
            if sum(costs) <= _SYLLABLES * size and sum(cost == 0 for cost in costs) * 2 >= size:
                found.append((sum(costs) / size + 0.01, Named(alias.name, start, start + size)))
    return found


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
            if abs(len(heard) - len(wanted)) <= limit and (cost := letter_distance(heard, wanted)) <= limit:
                found.append((cost / len(wanted), Named(alias.name, start, start + size)))
    return found


def forms(name: str) -> tuple[str, ...]:
    """How a customer of this name may be called."""
    name = name.strip()
    if any("㐀" <= letter <= "鿿" for letter in name):
        bare = next((name.removesuffix(title) for title in _TITLES if name.endswith(title)), name)
        family = bare[:2] if bare[:2] in _DOUBLE else bare[:1]
        whole = (bare,) if len(bare) > 1 else ()
        return (*whole, *(family + title for title in _TITLES)) if family else ()
    parts = [part for part in name.replace(".", " ").split() if part.lower() not in _ENGLISH_TITLES]
    # An initial is no name that anybody is called by.
    return tuple(dict.fromkeys(part for part in (parts[:1] + parts[-1:]) if len(part) > 1))
