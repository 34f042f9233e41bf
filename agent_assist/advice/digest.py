"""What of a call its synopsis is drawn from: the few clauses that matter, found as they are said, in bounded space."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from agent_assist.advice import clauses as of
from agent_assist.advice.dates import due
from audio.types import Channel
from models.intent import Intent
from models.types import EmotionLabel, Utterance

_TEXT: Final = 160
"""Characters of a clause."""
_MOST: Final = 3
_PROMISES: Final = 6
_SUBSTANCE: Final = 6
"""Characters, or twice the words, from which a customer's sentence may be what they call for."""
_SERIOUS: Final = frozenset(
    {Intent.CANCEL, Intent.REFUND, Intent.COMPLAINT, Intent.TECHNICAL_FAULT, Intent.DELIVERY, Intent.COMPETITOR}
)
_SHORT: Final = 16
"""Characters, or twice the words, of a clause that says when and no more."""
_EDGE: Final = 2
"""Utterances whose mood is that of the start, and of the end."""


class Extract(msgspec.Struct, frozen=True, array_like=True):
    """Words of one utterance."""

    id: str
    start_ms: int
    text: str


class Felt(msgspec.Struct, frozen=True, array_like=True):
    """The mood of an utterance."""

    id: str
    start_ms: int
    valence: float
    label: EmotionLabel


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """A call so far; the same whatever the order of its finals, as far as no part is full."""

    started_at: datetime | None = None
    """None where it is not known, as of a recording."""
    zh: int = 0
    en: int = 0
    """Characters that the customer said in each language."""
    issues: tuple[Extract, ...] = ()
    done: tuple[Extract, ...] = ()
    promises: tuple[Extract, ...] = ()
    answers: tuple[Extract, ...] = ()
    """What the customer says to what is offered, the last few."""
    first: tuple[Felt, ...] = ()
    last: tuple[Felt, ...] = ()

    @property
    def language(self) -> str:
        """What the customer speaks most."""
        return "zh" if self.zh > 0 and self.zh >= self.en else "en"

    def begin(self, at: datetime) -> "Digest":
        """With the start of the call."""
        return msgspec.structs.replace(self, started_at=at)

    def says_more_than(self, other: "Digest") -> bool:
        """Whether a synopsis of this one says something else, but for the mood."""
        return (self.issues, self.done, self.promises, self.answers) != (
            other.issues,
            other.done,
            other.promises,
            other.answers,
        )

    def push(self, utterance: Utterance) -> "Digest":
        """With one more final."""
        return self._agent(utterance) if utterance.channel is Channel.AGENT else self._customer(utterance)

    def _agent(self, said: Utterance) -> "Digest":
        done, promises = list(self.done), list(self.promises)
        for sentence in of.sentences(said.text):
            if sentence.endswith(("?", "？")):
                continue
            parts = list(of.clauses(sentence))
            kept = _promises(parts)
            promises += [_extract(said, one) for one in kept]
            told = [part for part in parts if of.is_done(part) and not of.is_promise(part)]
            # An English sentence goes on where a Chinese one begins another.
            if told and not kept and said.language == "en":
                told = parts[parts.index(told[0]) :]
            if told:
                done.append(_extract(said, "".join(told)))
        return msgspec.structs.replace(self, done=_first(done, _MOST), promises=_last(promises, _PROMISES))

    def _customer(self, said: Utterance) -> "Digest":
        issues, answers = list(self.issues), list(self.answers)
        serious = bool(_SERIOUS & set(said.intents))
        for sentence in of.sentences(said.text):
            if of.substance(sentence) < _SUBSTANCE:
                continue
            if of.is_answer(sentence) and (self.done or self.promises) and not sentence.endswith(("?", "？")):
                answers.append(_extract(said, sentence))
            elif serious or of.PROBLEM.search(sentence):
                issues.append(_extract(said, of.GREETING.sub("", sentence)))
        zh, en = (len(said.text) if said.language == language else 0 for language in ("zh", "en"))
        felt = self._felt(said)
        return msgspec.structs.replace(
            felt, zh=self.zh + zh, en=self.en + en, issues=_first(issues, _MOST), answers=_last(answers, 2)
        )

    def _felt(self, said: Utterance) -> "Digest":
        emotion = said.emotion
        if emotion is None or emotion.valence is None:
            return self
        one = Felt(said.id, said.start_ms, emotion.valence, emotion.label)
        first = sorted((*self.first, one), key=lambda felt: felt.start_ms)[:_EDGE]
        last = sorted((*self.last, one), key=lambda felt: felt.start_ms)[-_EDGE:]
        return msgspec.structs.replace(self, first=tuple(first), last=tuple(last))


def _extract(said: Utterance, text: str) -> Extract:
    text = of.JOINS.sub("", text.strip(" ，,"))
    return Extract(said.id, said.start_ms, of.masked(text, said.language)[:_TEXT])


def _promises(parts: list[str]) -> list[str]:
    """The promises of a sentence, each with a short clause before it and the time after it that belong to it."""
    found: list[str] = []
    before = ""
    open_ended = False
    for part in parts:
        if of.is_promise(part):
            found.append(before + part)
            before, open_ended = "", due(part, None, UTC) is None
        elif open_ended and due(part, None, UTC) is not None:
            found[-1] += part
            open_ended = False
        else:
            is_short = of.substance(part) < _SHORT and not of.is_done(part)
            before = part if is_short and due(part, None, UTC) is not None else ""
    return found


def _first(extracts: list[Extract], most: int) -> tuple[Extract, ...]:
    return tuple(sorted(extracts, key=lambda one: one.start_ms)[:most])


def _last(extracts: list[Extract], most: int) -> tuple[Extract, ...]:
    return tuple(sorted(extracts, key=lambda one: one.start_ms)[-most:])
