"""
One call from audio to events, without broker, socket or clock.

``push`` takes records and finds speech; ``next`` and ``complete`` understand one utterance after the other; in
between, whoever drives decides where the heavy work of ``Hearing`` runs. Finals are a pure function of the
records in order: a second pipeline that starts from a checkpoint gives the same ones.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from agent_assist.types import Degraded, Event, Final, Keys, Partial
from audio.codecs import decode
from audio.cutter import Cutter, Speech
from audio.dtmf import Pressed
from audio.endpoint import EndpointPolicy
from audio.quality import clipped_share, rms_dbfs
from audio.types import RECORD_MS, SAMPLE_RATE, AudioRecord, Channel
from audio.vad import VoiceActivity
from models.commit import Commitment
from models.fusion import RULES, CustomerVoice, Fit, feel
from models.language import LanguageTracker
from models.types import Emotion, Utterance, Word
from models.vocabulary import Vocabularies
from stream.hearing import Excerpt, Heard

_PER_MS = SAMPLE_RATE // 1000
_MENU = 2
"""Keys of a choice in a menu: more may be a card number or a PIN."""
_CLIPPED = 0.01
"""Share of a record's samples from which it counts as clipped: ours."""
_NEXT_MENU_MS = 6_000
"""Without a key, before one may be a choice: a number may be dialled slowly."""


class ChannelCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where one channel can be taken up again."""

    resume_at: int | None = None
    """Record to prime a new chain with; None before the first restart point."""
    spoken_until: int = 0
    """End of the speech before that record, in samples at 16 kHz: what comes next does not reach back behind it."""
    number: int = 0
    """Of the next utterance."""
    language: LanguageTracker = LanguageTracker()
    voice: CustomerVoice | None = None
    """The customer's baseline; always None on the agent's channel."""
    pressed_until_ms: int | None = None
    """End of the last key."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a successor needs besides the audio from the restart points on."""

    customer: ChannelCheckpoint = ChannelCheckpoint()
    agent: ChannelCheckpoint = ChannelCheckpoint()
    ended: bool = False
    queue: str | None = None
    """Where the call came in."""
    names: tuple[str, ...] = ()
    """Of the people on it, as far as known."""

    @property
    def first_needed(self) -> int:
        """Sequence number of the first record that a successor has to read."""
        return min(self.customer.resume_at or 0, self.agent.resume_at or 0)


@dataclass(frozen=True, slots=True)
class PipelinePolicy:
    endpoint: EndpointPolicy = field(default_factory=EndpointPolicy)
    restart_every: int = 10_000 // RECORD_MS
    """Records of silence after which a channel starts afresh (10 s), so that a successor never reads back far."""
    partial_from: int = SAMPLE_RATE * 6 // 10
    """Speech before the first partial, in samples."""
    partial_every: int = SAMPLE_RATE
    """New speech before the next partial, in samples; 0 for no partials."""
    cut_from: int = 6 * SAMPLE_RATE
    """Speech of a partial from which what is committed is cut off, so that a long turn costs no more than a short."""
    keys: Literal["menu", "all", "off"] = "menu"
    """Which keys pressed are told: choices in a menu, of at most two keys, and of all others the count; all; none."""
    vocabularies: Vocabularies = field(default_factory=Vocabularies)
    fusion: Fit = RULES
    """Of the models that hear voices and read words."""


class _Restart(NamedTuple):
    resume_at: int
    spoken_until: int


@dataclass(slots=True, eq=False)
class _Side:
    """One channel."""

    channel: Channel
    durable: ChannelCheckpoint
    """As of the last restart point that has no utterance before it to be understood."""
    now: ChannelCheckpoint
    """As of the last utterance: it may be ahead of the restart point, and a successor will find it again."""
    cutter: Cutter | None = None
    origin: int = -1
    """Record with which the current chain began."""
    closed: bool = False
    """Whether the current chain has closed a segment."""
    asked: int = 0
    """Samples of the open speech that the last partial asked for covers, and whose they are."""
    asked_of: int = -1
    told_until: int = 0
    """End of the speech that the last partial told covers, in samples since the call began."""
    cut: int = 0
    """Samples from its beginning whose words are committed and which are not heard again."""
    commitment: Commitment = field(default_factory=Commitment)
    revision: int = 0
    clipped_in: int = -1
    """Minute of the call in which clipping was told last."""
    shown: dict[str, Partial] = field(default_factory=dict)
    """The last partial told of each utterance that is not understood yet."""


class CallPipeline:
    """One call; not to be used from two threads at once."""

    def __init__(
        self,
        call_id: str,
        vad: VoiceActivity,
        policy: PipelinePolicy,
        checkpoint: Checkpoint = Checkpoint(),  # noqa: B008 - frozen
    ) -> None:
        self.call_id = call_id
        self._vad = vad
        self._policy = policy
        self._sides = {
            Channel.CUSTOMER: _Side(Channel.CUSTOMER, checkpoint.customer, checkpoint.customer),
            Channel.AGENT: _Side(Channel.AGENT, checkpoint.agent, checkpoint.agent),
        }
        self._waiting: deque[tuple[_Side, Speech | Pressed | _Restart]] = deque()
        self._told: list[Event] = []
        self._next_seq: int | None = None
        self._end_ms = 0
        self.begin(checkpoint.queue, checkpoint.names)

    def begin(self, queue: str | None, names: tuple[str, ...]) -> None:
        """Note what is known of the call from its beginning on: it says which terms to listen for."""
        self._queue, self._names = queue, names
        self._vocabulary = self._policy.vocabularies.of(queue, names)

    @property
    def duration_ms(self) -> int:
        """End of the last record since the call began."""
        return self._end_ms

    @property
    def checkpoint(self) -> Checkpoint:
        """Covers every utterance that is complete."""
        return Checkpoint(
            customer=self._sides[Channel.CUSTOMER].durable,
            agent=self._sides[Channel.AGENT].durable,
            queue=self._queue,
            names=self._names,
        )

    @property
    def waiting(self) -> int:
        """Utterances that wait to be understood."""
        return sum(isinstance(item, Speech) for _, item in self._waiting)

    @property
    def backlog_ms(self) -> int:
        """Speech that waits to be understood."""
        return sum(len(item.pcm) for _, item in self._waiting if isinstance(item, Speech)) // _PER_MS

    def push(self, record: AudioRecord) -> list[Event]:
        """
        Take the next record.

        Returns:
            What is to be told at once: a gap, where records are missing, and keys pressed. A record taken before
            changes nothing.
        """
        if self._next_seq is not None and record.seq < self._next_seq:
            return []
        gap = self._next_seq is not None and record.seq > self._next_seq
        self._next_seq = record.seq + 1
        begun_ms = record.offset * 1000 // record.rate
        if gap:
            lost_ms = begun_ms - self._end_ms
            reason = f"no audio for {lost_ms} ms"
            gap_event = Degraded(call_id=self.call_id, at_ms=self._end_ms, stage="gap", reason=reason, ms=lost_ms)
            self._told.append(gap_event)
        for side in self._sides.values():
            self._push(side, record, gap)
            self._tell_clipping(side, record, begun_ms)
        longest = max(len(record.customer), len(record.agent)) // record.encoding.sample_bytes
        self._end_ms = (record.offset + longest) * 1000 // record.rate
        return self._tell()

    def _tell_clipping(self, side: _Side, record: AudioRecord, begun_ms: int) -> None:
        """Once a minute of the call: who takes the call over and tells it again tells of the same minute."""
        minute = begun_ms // 60_000
        if minute == side.clipped_in or clipped_share(decode(record.encoding, record.payload(side.channel))) < _CLIPPED:
            return
        side.clipped_in = minute
        stage, reason = f"clipping_{side.channel}", f"the {side.channel}'s sound is cut off at full scale"
        self._told.append(Degraded(call_id=self.call_id, at_ms=begun_ms, stage=stage, reason=reason))

    def _tell(self) -> list[Event]:
        told, self._told = self._told, []
        return told

    def _push(self, side: _Side, record: AudioRecord, gap: bool) -> None:
        payload = record.payload(side.channel)
        resume_at = side.durable.resume_at
        if side.cutter is None and resume_at is not None and record.seq < resume_at:
            return
        if side.cutter is not None and (gap or not payload):
            self._close(side, side.cutter, side.cutter.flush())
            side.cutter = None
        if not payload:
            if record.seq - side.origin >= self._policy.restart_every:
                side.origin = record.seq
                self._restart(side, _Restart(record.seq, 0))
            return
        if side.cutter is None:
            after = side.durable.spoken_until if record.seq == resume_at else 0
            side.cutter, side.origin, side.closed = self._chain(record, after), record.seq, False
            if record.seq == resume_at:
                side.cutter.prime(payload)
                return
        self._close(side, side.cutter, side.cutter.push(payload))
        stale = record.seq - side.origin >= self._policy.restart_every
        if not side.cutter.open and (side.closed or stale):
            spoken_until = side.cutter.spoken_until
            side.cutter, side.origin, side.closed = self._chain(record, spoken_until), record.seq, False
            side.cutter.prime(payload)
            self._restart(side, _Restart(record.seq, spoken_until))

    def _restart(self, side: _Side, restart: _Restart) -> None:
        self._waiting.append((side, restart))
        self._settle()

    def _chain(self, record: AudioRecord, after: int) -> Cutter:
        start = record.offset * SAMPLE_RATE // record.rate
        return Cutter(record.encoding, record.rate, self._vad, self._policy.endpoint, start=start, after=after)

    def _close(self, side: _Side, cutter: Cutter, speeches: list[Speech]) -> None:
        found: list[Speech | Pressed] = [*speeches, *cutter.pressed()]
        side.closed = side.closed or bool(found)
        self._waiting.extend((side, item) for item in found)
        self._settle()

    def flush(self) -> list[Event]:
        """
        End the call: what is still being said becomes the last utterance.

        Returns:
            What is to be told at once, as by ``push``.
        """
        for side in self._sides.values():
            if side.cutter is not None:
                self._close(side, side.cutter, side.cutter.flush())
                side.cutter = None
        return self._tell()

    def next(self) -> Excerpt | None:
        """The utterance to be understood next; the same one until ``complete``."""
        for side, item in self._waiting:
            if isinstance(item, Speech):
                return self._excerpt(side, item, final=True)
        return None

    def complete(self, heard: Heard) -> list[Event]:
        """
        Take in what was heard in the excerpt of ``next``.

        Returns:
            The final, or where nothing was said after all, an end to its partials; and the keys pressed after it.
        """
        side, speech = self._waiting.popleft()
        assert isinstance(speech, Speech), "complete follows next"
        shown = side.shown.pop(self._id(side, speech), None)
        if heard.hypothesis.text:
            utterance = self._utterance(side, speech, heard)
            self._told.append(Final(call_id=self.call_id, utterance=utterance))
        elif shown is not None:
            end_ms = speech.end // _PER_MS
            nothing = msgspec.structs.replace(shown, revision=shown.revision + 1, text="", committed=0, end_ms=end_ms)
            self._told.append(nothing)
        side.now = msgspec.structs.replace(side.now, number=side.now.number + 1)
        self._settle()
        return self._tell()

    def _settle(self) -> None:
        """Tell the keys, and make the restart points durable, that have no utterance before them."""
        while self._waiting:
            side, item = self._waiting[0]
            if isinstance(item, Speech):
                return
            self._waiting.popleft()
            if isinstance(item, Pressed):
                self._press(side, item)
                continue
            side.durable = side.now = msgspec.structs.replace(
                side.now, resume_at=item.resume_at, spoken_until=item.spoken_until
            )

    def _press(self, side: _Side, pressed: Pressed) -> None:
        if self._policy.keys == "off":
            return
        start_ms, end_ms, count = pressed.start // _PER_MS, pressed.end // _PER_MS, len(pressed.keys)
        last = side.now.pressed_until_ms
        # Who presses the next key soon is not at the next menu, but at the next digit of a number.
        choice = count <= _MENU and (last is None or start_ms - last > _NEXT_MENU_MS)
        side.now = msgspec.structs.replace(side.now, pressed_until_ms=end_ms)
        self._told.append(
            Keys(
                id=f"{self.call_id}:{side.channel}:keys:{start_ms}",
                call_id=self.call_id,
                channel=side.channel,
                start_ms=start_ms,
                end_ms=end_ms,
                keys=pressed.keys if choice or self._policy.keys == "all" else "",
                count=count,
            )
        )

    def _utterance(self, side: _Side, speech: Speech, heard: Heard) -> Utterance:
        hypothesis, words, now = heard.hypothesis, heard.read.words, side.now
        speech_ms = len(speech.pcm) // _PER_MS
        emotion, voice = None, now.voice
        if heard.tone is not None:
            customer = voice or CustomerVoice()
            voice, emotion = feel(customer, *heard.tone, words, self._policy.fusion, hypothesis.text, speech_ms)
        start_ms = speech.start // _PER_MS
        side.now = msgspec.structs.replace(
            now,
            language=now.language.observe(hypothesis, speech_ms),
            voice=voice,
        )
        return Utterance(
            id=self._id(side, speech),
            channel=side.channel,
            number=now.number,
            start_ms=start_ms,
            end_ms=speech.end // _PER_MS,
            text=hypothesis.text,
            language=hypothesis.language,
            confidence=hypothesis.confidence,
            words=tuple(
                Word(
                    text=word.text,
                    start_ms=start_ms + word.start_ms,
                    end_ms=start_ms + word.end_ms,
                    confidence=word.confidence,
                )
                for word in hypothesis.words
            ),
            sentiment=None if words.value is None else round(words.value, 3),
            emotion=emotion,
            loudness_dbfs=round(rms_dbfs(speech.pcm), 1),
            raw=hypothesis.raw,
            corrections=hypothesis.corrections,
            intents=heard.read.intents if side.channel is Channel.CUSTOMER else (),
            meaning=heard.meaning,
        )

    def partials(self, slower: int = 1) -> list[Excerpt]:
        """
        What is being said and has grown enough since it was asked for last.

        Args:
            slower: How many times more it has to have grown than the policy says.
        """
        found: list[Excerpt] = []
        for side in self._sides.values():
            speech = side.cutter.open_speech() if side.cutter is not None and self._is_due(side, slower) else None
            if speech is not None:
                side.asked = len(speech.pcm)
                found.append(self._excerpt(side, speech, final=False))
        return found

    def _is_due(self, side: _Side, slower: int) -> bool:
        span = side.cutter.open_span() if side.cutter is not None else None
        if span is None or not self._policy.partial_every:
            return False
        if span.start != side.asked_of:
            side.asked_of, side.asked, side.revision = span.start, 0, 0
            side.cut, side.commitment = 0, Commitment()
        new = span.end - span.start - side.asked
        return new >= slower * (self._policy.partial_every if side.asked else self._policy.partial_from)

    def _id(self, side: _Side, speech: Speech) -> str:
        return f"{self.call_id}:{side.channel}:{speech.start // _PER_MS}"

    def _excerpt(self, side: _Side, speech: Speech, *, final: bool) -> Excerpt:
        cut = 0 if final else side.cut
        voice = side.now.voice or CustomerVoice()
        return Excerpt(
            utterance_id=self._id(side, speech),
            channel=side.channel,
            speech=Speech(speech.start + cut, speech.end, speech.pcm[cut:]),
            language=side.now.language.language,
            final=final,
            timed=not final and len(speech.pcm) - cut >= self._policy.cut_from,
            vocabulary=self._vocabulary,
            baseline=voice.baseline if side.channel is Channel.CUSTOMER else None,
            recent=speech.pcm if cut else None,
        )

    def partial(self, excerpt: Excerpt, heard: Heard) -> list[Event]:
        """Take in what was heard in an excerpt of ``partials``; nothing, where that utterance has ended since."""
        side, hypothesis = self._sides[excerpt.channel], heard.hypothesis
        now = side.cutter.open_span() if side.cutter is not None else None
        # One that was asked for before a cut would tell the words before it again.
        if now is None or now.start != side.asked_of or excerpt.speech.start != side.asked_of + side.cut:
            return []
        # With several workers, an older one may come back after a newer.
        if excerpt.speech.end <= side.told_until:
            return []
        side.told_until = excerpt.speech.end
        side.commitment, shown = side.commitment.add(hypothesis.text)
        if not shown.text:
            return []
        if excerpt.timed and (found := side.commitment.cut(hypothesis.text, hypothesis.words)) is not None:
            side.commitment, at_ms = found
            side.cut += at_ms * _PER_MS
        side.revision += 1
        partial = Partial(
            call_id=self.call_id,
            utterance_id=excerpt.utterance_id,
            channel=excerpt.channel,
            revision=side.revision,
            start_ms=now.start // _PER_MS,
            end_ms=excerpt.speech.end // _PER_MS,
            text=shown.text,
            committed=shown.committed,
            language=hypothesis.language if hypothesis.text else excerpt.language or "unknown",
            emotion=self._felt(side, excerpt, heard),
        )
        side.shown[excerpt.utterance_id] = partial
        return [partial]

    def _felt(self, side: _Side, excerpt: Excerpt, heard: Heard) -> Emotion | None:
        """How the customer feels in the last seconds of what is being said; kept nowhere, the final decides."""
        if heard.tone is None:
            return None
        speech_ms = len(excerpt.speech.pcm) // _PER_MS
        customer = side.now.voice or CustomerVoice()
        return feel(customer, *heard.tone, heard.read.words, self._policy.fusion, heard.hypothesis.text, speech_ms)[1]
