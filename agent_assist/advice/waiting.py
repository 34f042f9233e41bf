"""
What was not said: by the call's own time, which its events tell.

A time that is over is not yet decided: the speaker may be in the middle of an utterance that began in it. It is when
they are heard to have said something else since, or could not still be speaking. Until then a card is provisional.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from agent_assist.advice.conditions import Opening
from agent_assist.advice.matching import Case, Ready, said
from agent_assist.call.state import Memory, Wait
from models.types import Utterance

LONGEST_MS: Final = 30_000
"""No utterance is longer."""
_START: Final = Wait(since_ms=0, utterance_id="")


class Missed(NamedTuple):
    """Something was not said in its time."""

    ready: Ready
    wait: Wait
    at_ms: int
    evidence: str
    """For the card's id."""


def listen(ready: Ready, case: Case, memory: Memory) -> Memory:
    """Take in what an utterance says: it ends the rule's wait, or begins one."""
    utterance, rule = case.utterance, ready.rule
    asked = rule.not_said
    assert utterance is not None
    assert asked is not None
    running = memory.waits.get(rule.id)
    by_speaker = utterance.channel is rule.speaker
    if asked.after is None:
        in_time = asked.within_ms is None or utterance.start_ms < asked.within_ms
        if rule.id not in memory.said and by_speaker and in_time and said(ready, case):
            return msgspec.structs.replace(memory, said={**memory.said, rule.id: utterance.end_ms})
    elif running is not None:
        in_time = asked.within_ms is None or utterance.start_ms < running.since_ms + asked.within_ms
        if by_speaker and in_time and utterance.end_ms > running.since_ms and said(ready, case):
            return _without(memory, rule.id)
    elif opened := _opened(asked.after, case, utterance):
        wait = Wait(since_ms=utterance.end_ms, utterance_id=utterance.id, trigger=opened)
        return msgspec.structs.replace(memory, waits={**memory.waits, rule.id: wait})
    return memory


def _opened(opening: Opening, case: Case, utterance: Utterance) -> tuple[str, ...]:
    """The words that begin a time, if this utterance does."""
    evidence = case.evidence
    assert evidence is not None
    if utterance.channel is not opening.speaker:
        return ()
    found = evidence.find(opening.phrases)
    if found:
        return (evidence.heard(found[0]),)
    wants = any(intent in utterance.intents for intent in opening.intents)
    return (utterance.text.strip()[:80],) if wants else ()


def overdue(ready: Ready, memory: Memory, now_ms: int) -> Missed | None:
    """What should have been said by now and was not, as far as is known."""
    asked, wait = ready.rule.not_said, _open(ready, memory)
    assert asked is not None
    if asked.within_ms is None or wait is None or wait.since_ms + asked.within_ms > now_ms:
        return None
    return Missed(ready, wait, wait.since_ms + asked.within_ms, wait.utterance_id or "start")


def _open(ready: Ready, memory: Memory) -> Wait | None:
    rule = ready.rule
    assert rule.not_said is not None
    if rule.not_said.after is not None:
        return memory.waits.get(rule.id)
    return None if rule.id in memory.said else _START


def open_ids(rules: Iterable[Ready], memory: Memory, call_id: str) -> set[str]:
    """Of the cards that may yet come of what is waited for."""
    waits = ((ready.rule.id, _open(ready, memory)) for ready in rules)
    return {f"{call_id}:{rule}:{wait.utterance_id or 'start'}" for rule, wait in waits if wait is not None}


def is_certain(missed: Missed, utterance: Utterance, reached_ms: int) -> bool:
    """Whether after this utterance nothing can come any more that was said in time."""
    spoke = utterance.channel is missed.ready.rule.speaker and utterance.end_ms >= missed.at_ms
    return spoke or reached_ms >= missed.at_ms + LONGEST_MS


def at_end(ready: Ready, memory: Memory, duration_ms: int) -> Missed | None:
    """What was not said when the call is over; where the time was not over, nothing was missed."""
    asked, wait = ready.rule.not_said, _open(ready, memory)
    assert asked is not None
    if asked.within_ms is not None:
        return overdue(ready, memory, duration_ms)
    return None if wait is None else Missed(ready, wait, duration_ms, wait.utterance_id or "end")


def settle(memory: Memory, missed: Missed) -> Memory:
    """Remember that it has been decided."""
    return _decided(missed.ready, memory, missed.at_ms)


def forgo(ready: Ready, memory: Memory) -> Memory:
    """Wait no longer for what may have been said."""
    wait = _open(ready, memory)
    return memory if wait is None else _decided(ready, memory, wait.since_ms)


def _decided(ready: Ready, memory: Memory, at_ms: int) -> Memory:
    rule = ready.rule
    if rule.id in memory.waits:
        return _without(memory, rule.id)
    return msgspec.structs.replace(memory, said={**memory.said, rule.id: at_ms})


def _without(memory: Memory, rule: str) -> Memory:
    return msgspec.structs.replace(memory, waits={name: wait for name, wait in memory.waits.items() if name != rule})
