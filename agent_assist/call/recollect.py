"""
Basic information that is collected once more: what the agent asks for and the company knows already.

A field is known from the customer's profile, since the customer has said it in this call, or since they say that they
have told it before. The time is that from the beginning of the question to the end of the answer.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from agent_assist.call.fields import REQUIRED, Field, fields_asked, fields_given, says_told_before, shown
from agent_assist.call.measures import is_assent
from agent_assist.types import Hint, KnownFrom, Recollected, Recollection
from audio.types import Channel
from models.types import Utterance

NOTHING: Final = Recollection(asked=(), ms=0, share=None)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """The question that is open, with its answer so far."""

    id: str
    start_ms: int
    end_ms: int
    fields: tuple[Field, ...]
    known: dict[Field, KnownFrom] = {}
    """Those that were known when it was asked, or that the answer says are, each with how."""
    answers: tuple[str, ...] = ()


class Recollecting(msgspec.Struct, frozen=True, kw_only=True):
    """
    A call so far; small enough to be kept with its state.

    ``known`` and ``required`` are the fields that the profile has and those that must be verified anyhow.
    """

    known: frozenset[Field] = frozenset()
    required: frozenset[Field] = REQUIRED
    given: frozenset[Field] = frozenset()
    """Said by the customer in this call."""
    question: Question | None = None
    asked: tuple[Recollected, ...] = ()

    def push(self, utterance: Utterance) -> tuple["Recollecting", tuple[Field, ...]]:
        """
        Take in the next utterance, in the order of finals.

        Returns:
            The call to go on with, and what the agent who just asked for it need not ask; an answer tells it where it
            says so.
        """
        if is_assent(utterance.text) and utterance.channel is Channel.AGENT:
            return self, ()
        return self._ask(utterance) if utterance.channel is Channel.AGENT else self._answer(utterance)

    def _ask(self, said: Utterance) -> tuple["Recollecting", tuple[Field, ...]]:
        fields = fields_asked(said.text)
        closed = self._close()
        if not fields:
            return closed, ()
        known: dict[Field, KnownFrom] = {field: "call" for field in fields if field in closed.given}
        known |= {field: "profile" for field in fields if field in closed.known}
        question = Question(id=said.id, start_ms=said.start_ms, end_ms=said.end_ms, fields=fields, known=known)
        return msgspec.structs.replace(closed, question=question), closed._needless(known)

    def _answer(self, said: Utterance) -> tuple["Recollecting", tuple[Field, ...]]:
        question = self.question
        asked = () if question is None else question.fields
        given = self.given | fields_given(said.text, asked)
        if question is None or said.start_ms < question.start_ms:
            return msgspec.structs.replace(self, given=given), ()
        told: dict[Field, KnownFrom] = {}
        if says_told_before(said):
            told = {field: "told" for field in asked if field not in question.known}
        question = msgspec.structs.replace(
            question,
            end_ms=max(question.end_ms, said.end_ms),
            answers=(*question.answers, said.id),
            known=question.known | told,
        )
        return msgspec.structs.replace(self, given=given, question=question), self._needless(told)

    def _needless(self, known: Iterable[Field]) -> tuple[Field, ...]:
        return tuple(field for field in Field if field in known and field not in self.required)

    def _close(self) -> "Recollecting":
        """With the open question as far as it counts: a question for what is not known is none of ours."""
        question = self.question
        if question is None:
            return self
        closed = msgspec.structs.replace(self, question=None)
        again = [field for field in Field if field in question.known and field not in self.required]
        if not again:
            return closed
        spent_ms = (question.end_ms - question.start_ms) * len(again) // len(question.fields)
        known: dict[str, KnownFrom] = {}
        for field in again:
            known[field.value] = question.known[field]
        one = Recollected(
            question_id=question.id,
            answer_ids=question.answers,
            start_ms=question.start_ms,
            end_ms=question.end_ms,
            ms=spent_ms,
            fields=tuple(field.value for field in question.fields),
            known=known,
        )
        return msgspec.structs.replace(closed, asked=(*closed.asked, one))

    def told(self, duration_ms: int) -> Recollection:
        """All of the call up to now."""
        asked = self._close().asked
        spent_ms = sum(one.ms for one in asked)
        return Recollection(asked=asked, ms=spent_ms, share=round(spent_ms / duration_ms, 4) if duration_ms else None)


def hint(call_id: str, said: Utterance, fields: Collection[Field], language: str) -> Hint:
    """
    What the agent is told.

    Args:
        language: Of the cards, "zh" or "en".
    """
    begin = "已知:" if language == "zh" else "already known: "
    return Hint(
        id=f"{call_id}:hint:{said.id}",
        call_id=call_id,
        at_ms=said.end_ms,
        utterance_id=said.id,
        fields=tuple(field.value for field in fields),
        text=begin + shown(fields, language),
        language=language,
    )


def recollection(
    utterances: Iterable[Utterance],
    duration_ms: int,
    *,
    known: Collection[Field] = (),
    required: Collection[Field] = REQUIRED,
) -> Recollection:
    """
    What was collected once more in a whole call.

    Args:
        utterances: In any order.
        known: From the customer's profile, see ``agent_assist.call.fields.known_of``.
        required: To be verified anyhow: no hint, and no time.
    """
    call = Recollecting(known=frozenset(known), required=frozenset(required))
    for utterance in sorted(utterances, key=lambda one: (one.start_ms, one.channel)):
        call, _ = call.push(utterance)
    return call.told(duration_ms)
