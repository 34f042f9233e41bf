"""Conversation measures: who talks how long, at once, fast, loud; and how long nobody does."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from agent_assist.call.pace import Paces, counted
from agent_assist.call.sound import NO_FAULTS, SoundFaults, levels
from agent_assist.types import Degraded, Measures, SpeakerMeasures
from audio.types import Channel
from models.types import Utterance

NON_TALK_MS: Final = 3_000
"""A mutual silence counts when it is longer."""
INTERRUPTION_MS: Final = 300
"""
A speaker interrupts who begins while the other speaks, overlaps for so long, and is still there when the other stops.
Assents ("mm", "嗯") neither interrupt nor are interrupted.

Source: Ferguson, Simultaneous speech, interruptions and dominance, 1977; the 300 ms are ours.
"""
_SETTLE_AT: Final = 100
"""Spans kept before those of the past are folded into totals."""
_SETTLE_MS: Final = 60_000
"""Finals come in the order of their end and are shorter than this: none will begin before it."""

_ASSENT: Final = re.compile(
    r"(?:嗯|啊|哦|噢|喔|哎|诶|唔|呃|对|是|好|行|的|了|吧|这样|明白|知道了|没错|可以"
    r"|(?:m+h*m+|h+m+|uh|huh|ah|oh|yeah|yes|yep|yup|ok|okay|right|sure|i see|got it|fine|alright|go on)(?![a-z])| )+"
)
_HOLD: Final = re.compile(
    r"稍等|稍候|(?:等|等待)(?:一下|一会|片刻)(?!儿?(?:会|再|有))|别挂|不要挂"
    r"|\b(?:please hold|hold (?:on|the line|for)|(?:put|putting|place|placing) you on (?:a brief |a short )?hold"
    r"|(?:one|just a) (?:moment|minute|second)(?! (?:ago|later))|give me a (?:moment|minute|second)"
    r"|bear with me|stay on the line)\b",
    re.IGNORECASE,
)


class Span(msgspec.Struct, frozen=True, array_like=True):
    """One utterance."""

    start_ms: int
    end_ms: int
    agent: bool
    assent: bool = False
    """Says no more than that its speaker listens."""
    hold: bool = False
    """The agent asks to wait."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What does not depend on the order of arrival."""

    talk_ms: int = 0
    overtalk_ms: int = 0
    non_talk_ms: int = 0
    customer_ms: int = 0
    agent_ms: int = 0
    customer_interruptions: int = 0
    agent_interruptions: int = 0
    end_ms: int = 0
    """Of the last speech."""
    customer_end_ms: int = -1
    agent_end_ms: int = -1
    customer_held: Span | None = None
    """The last that was more than an assent."""
    agent_held: Span | None = None
    hold_ms: int = 0
    holds: int = 0
    longest_ms: int = 0
    """The longest mutual silence."""
    on_hold: bool = False
    """The last that the agent said, assents aside, was to wait."""


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over one speaker's utterances."""

    words: int = 0
    words_ms: int = 0
    """Talk time of the utterances with words."""
    characters: int = 0
    characters_ms: int = 0
    loudness_sum: float = 0.0
    """dBFS times milliseconds."""
    loudness_ms: int = 0


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """A call's talk so far; bounded in size."""

    settled: Totals = Totals()
    spans: tuple[Span, ...] = ()
    """By start; nothing of them is in ``settled``."""
    customer: Speaker = Speaker()
    agent: Speaker = Speaker()
    paces: Paces = Paces()
    faults: SoundFaults = NO_FAULTS

    def add(self, utterance: Utterance) -> "Talk":
        """With one more utterance; finals come in the order of their end, not of their start."""
        of_agent = utterance.channel is Channel.AGENT
        hold = of_agent and asks_to_wait(utterance.text)
        span = Span(utterance.start_ms, utterance.end_ms, of_agent, is_assent(utterance.text), hold)
        spans = tuple(sorted((*self.spans, span), key=lambda s: (s.start_ms, s.end_ms, s.agent)))
        speaker = self.agent if span.agent else self.customer
        changed = {"agent" if span.agent else "customer": _add(speaker, utterance)}
        paces = self.paces.add(utterance)
        return _settle(msgspec.structs.replace(self, spans=spans, paces=paces, **changed))

    def degraded(self, event: Degraded) -> "Talk":
        """With one more fault of the sound; the same object where it is known or of another kind."""
        faults = self.faults.add(event)
        return self if faults is self.faults else msgspec.structs.replace(self, faults=faults)

    def measures(self, end_ms: int | None = None) -> Measures:
        """
        Everything up to the last utterance.

        Args:
            end_ms: Of the call, where it has ended: the silence before it counts.
        """
        spoken = sweep(self.settled, self.spans)
        silence_ms = 0 if end_ms is None else max(0, end_ms - spoken.end_ms)
        totals = _silent(spoken, silence_ms)
        now_ms = spoken.end_ms + silence_ms
        customer = _measures(self.customer, totals.customer_ms, totals.talk_ms, totals.customer_interruptions)
        agent = _measures(self.agent, totals.agent_ms, totals.talk_ms, totals.agent_interruptions)
        return Measures(
            customer=self.paces.lately(customer, now_ms, agent=False),
            agent=self.paces.lately(agent, now_ms, agent=True),
            talk_ms=totals.talk_ms,
            non_talk_ms=totals.non_talk_ms,
            overtalk_ms=totals.overtalk_ms,
            interruptions=totals.customer_interruptions + totals.agent_interruptions,
            hold_ms=totals.hold_ms,
            holds=totals.holds,
            longest_silence_ms=totals.longest_ms,
            silence_ms=silence_ms,
            speech_end_ms=spoken.end_ms,
            faults=(*self.faults.told(), *levels(customer.loudness_dbfs, agent.loudness_dbfs)),
        )


def is_assent(text: str) -> bool:
    """Whether somebody says no more than that they listen."""
    said = re.sub(r"[^\w]+", " ", text.lower()).strip()
    return _ASSENT.fullmatch(said) is not None


def asks_to_wait(text: str) -> bool:
    """Whether an agent who says this goes to look for something, or puts the customer on hold."""
    return _HOLD.search(text) is not None


def _add(speaker: Speaker, utterance: Utterance) -> Speaker:
    length = utterance.end_ms - utterance.start_ms
    words, characters = counted(utterance.text)
    loud = utterance.loudness_dbfs
    return Speaker(
        words=speaker.words + words,
        words_ms=speaker.words_ms + (0 if characters else length),
        characters=speaker.characters + characters,
        characters_ms=speaker.characters_ms + (length if characters else 0),
        loudness_sum=speaker.loudness_sum + (0.0 if loud is None else loud * length),
        loudness_ms=speaker.loudness_ms + (0 if loud is None else length),
    )


def _measures(speaker: Speaker, talk_ms: int, anybody_ms: int, interruptions: int) -> SpeakerMeasures:
    return SpeakerMeasures(
        talk_ms=talk_ms,
        talk_share=round(talk_ms / anybody_ms, 3) if anybody_ms else None,
        interruptions=interruptions,
        words_per_minute=_rate(speaker.words, speaker.words_ms),
        characters_per_minute=_rate(speaker.characters, speaker.characters_ms),
        loudness_dbfs=round(speaker.loudness_sum / speaker.loudness_ms, 1) if speaker.loudness_ms else None,
    )


def _rate(count: int, ms: int) -> float | None:
    return round(count * 60_000 / ms, 1) if ms and count else None


def sweep(before: Totals, spans: Iterable[Span]) -> Totals:
    """
    Add spans to totals, in the order of their start.

    Args:
        before: Of all that began before these.
        spans: By start.
    """
    talk, over, quiet = before.talk_ms, before.overtalk_ms, before
    own = [before.customer_ms, before.agent_ms]
    interrupted = [before.customer_interruptions, before.agent_interruptions]
    end, last = before.end_ms, [before.customer_end_ms, before.agent_end_ms]
    held = [before.customer_held, before.agent_held]
    for span in spans:
        who, other = int(span.agent), 1 - int(span.agent)
        quiet = _silent(quiet, span.start_ms - end)
        talk += max(0, span.end_ms - max(span.start_ms, end))
        # Spans of one speaker are disjoint.
        own[who] += span.end_ms - span.start_ms
        overlap = min(span.end_ms, last[other]) - span.start_ms
        over += max(0, overlap)
        last[who] = max(last[who], span.end_ms)
        if not span.assent:
            interrupted[who] += _interrupts(span, held[other])
            held[who] = span
            if span.agent and span.hold is not quiet.on_hold:
                quiet = msgspec.structs.replace(quiet, on_hold=span.hold)
        end = max(end, span.end_ms)
    return msgspec.structs.replace(
        quiet,
        talk_ms=talk,
        overtalk_ms=over,
        customer_ms=own[0],
        agent_ms=own[1],
        customer_interruptions=interrupted[0],
        agent_interruptions=interrupted[1],
        end_ms=end,
        customer_end_ms=last[0],
        agent_end_ms=last[1],
        customer_held=held[0],
        agent_held=held[1],
    )


def _silent(totals: Totals, silence_ms: int) -> Totals:
    """With a mutual silence after all that is in the totals."""
    if silence_ms <= min(NON_TALK_MS, totals.longest_ms):
        return totals
    counts = silence_ms if silence_ms > NON_TALK_MS else 0
    return msgspec.structs.replace(
        totals,
        non_talk_ms=totals.non_talk_ms + counts,
        hold_ms=totals.hold_ms + (counts if totals.on_hold else 0),
        holds=totals.holds + (counts > 0 and totals.on_hold),
        longest_ms=max(totals.longest_ms, silence_ms),
    )


def _interrupts(span: Span, other: Span | None) -> bool:
    if other is None or not other.start_ms < span.start_ms or not other.end_ms < span.end_ms:
        return False
    return other.end_ms - span.start_ms >= INTERRUPTION_MS


def _settle(talk: Talk) -> Talk:
    """Fold into the totals what begins before anything that may still come."""
    if len(talk.spans) < _SETTLE_AT:
        return talk
    before = max(span.end_ms for span in talk.spans) - _SETTLE_MS
    past = tuple(span for span in talk.spans if span.start_ms < before)
    return msgspec.structs.replace(talk, settled=sweep(talk.settled, past), spans=talk.spans[len(past) :])
