"""What of a playbook stands in an utterance."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from agent_assist.advice.conditions import Phrases
from agent_assist.advice.names import Lexicon, Named
from agent_assist.advice.phrases import Found, Index, Text, compile_phrase, negated
from agent_assist.advice.spoken import NAME, spoken


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """An utterance, with the end of the one before it where a pause has cut a sentence in two."""

    text: Text
    names: tuple[tuple[int, Named], ...]
    """Competitors newly named, each with the token that stands for it."""
    standing: AbstractSet[str] = frozenset()
    """Of the phrases of an index those that may stand there."""
    indexed: AbstractSet[str] = frozenset()

    @classmethod
    def of(cls, said: str, lexicon: Lexicon, *, before: str = "", index: Index | None = None) -> Self:
        words = spoken(said, before)
        hits = lexicon.find(words)
        words = words.named([(hit.start, hit.end) for hit in hits])
        places = [place for place, token in enumerate(words.tokens) if token.text == NAME]
        names = [(place, hit) for place, hit in zip(places, hits, strict=True) if place >= words.fresh_from]
        text = Text.of(words)
        if index is None:
            return cls(text, tuple(names))
        return cls(text, tuple(names), index.standing(text), index.sources)

    def find(self, phrases: Phrases, *, denied: bool = False) -> list[Found]:
        """
        Where phrases of any language stand; recognisers mistake languages.

        Args:
            denied: With those that are denied.
        """
        found = [
            each
            for group in phrases.values()
            for phrase in group
            for each in self._places(phrase)
            if denied or not negated(self.text, each)
        ]
        return sorted(dict.fromkeys(found), key=lambda each: (each.start, -each.end))

    def _places(self, phrase: str) -> list[Found]:
        if phrase in self.standing:
            return compile_phrase(phrase).found(self.text)
        return [] if phrase in self.indexed else compile_phrase(phrase).find(self.text)

    def outside(self, found: Iterable[Found], phrases: Phrases) -> list[Found]:
        """Of what was found, that which does not lie within one of the phrases."""
        around = self.find(phrases, denied=True)
        return [each for each in found if not any(a.start <= each.start and each.end <= a.end for a in around)]

    def heard(self, found: Found) -> str:
        """The words as they were recognised."""
        return self.text.spoken.heard(found.start, found.end)
