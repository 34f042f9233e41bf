"""From the tracks of a stream to records of 200 ms on a fixed grid."""

from collections.abc import Iterable

from audio.codecs import SILENCE
from audio.types import RECORD_MS, AudioRecord, Channel, Encoding


class RecordAssembler:
    """
    Line up two channels by the positions of their audio.

    A hole in a channel becomes silence, up to ``max_fill_s``; a longer one is left out, and the sequence numbers jump.
    A channel that falls behind the other by more than ``max_lag_s`` goes on with silence; what then comes too late is
    dropped. A channel that is never heard stays empty.

    Args:
        channels: Announced; the first record waits for them. A channel that was not is awaited once it is heard.
        first_sample: Where this stream continues the call, at ``rate``; rounded up to the grid.
    """

    def __init__(
        self,
        call_id: str,
        encoding: Encoding,
        rate: int,
        *,
        channels: Iterable[Channel] = (),
        first_sample: int = 0,
        max_fill_s: float = 30.0,
        max_lag_s: float = 1.0,
    ) -> None:
        self._call_id = call_id
        self._encoding = encoding
        self._rate = rate
        self._step = rate * RECORD_MS // 1000
        self._seq = -(-first_sample // self._step)
        """Of the next record."""
        self._first = self._seq * self._step
        self._fill = int(max_fill_s * rate)
        self._lag = int(max_lag_s * rate)
        self._tracks = {Channel.CUSTOMER: bytearray(), Channel.AGENT: bytearray()}
        """What is heard and not yet in a record; both begin where the next record does."""
        self._heard: set[Channel] = set()
        self._awaited = set(channels)
        self._end = self._first
        self.dropped = 0
        """Samples that came too late."""
        self.filled = 0
        """Samples of silence put where audio was missing."""
        self.jumps = 0
        """Holes that were too long to fill."""

    @property
    def end(self) -> int:
        """End of all that was taken, in samples since the call began."""
        return self._end

    @property
    def end_ms(self) -> int:
        return self._end * 1000 // self._rate

    def push(self, channel: Channel, at: int, payload: bytes) -> list[AudioRecord]:
        """
        Take audio of one channel.

        Args:
            at: Its first sample since the stream (not the call) began, 0 or more.
            payload: Whole samples of the encoding.
        """
        width = self._encoding.sample_bytes
        assert at >= 0
        assert len(payload) % width == 0
        self._heard.add(channel)
        self._awaited.add(channel)
        track = self._tracks[channel]
        told: list[AudioRecord] = []
        hole = self._first + at - self._written(track)
        if hole > self._fill:
            self.jumps += 1
            told += self.flush()
            self._seq = (self._first + at) // self._step
            hole = self._first + at - self._written(track)
        if hole < 0:
            late = min(-hole, len(payload) // width)
            self.dropped += late
            payload = payload[late * width :]
        elif hole > 0:
            self._silence(track, hole)
        if payload:
            track += payload
            self._end = max(self._end, self._written(track))
        return told + self._full()

    def flush(self) -> list[AudioRecord]:
        """What is left; the last record may be short, in one channel or both."""
        told: list[AudioRecord] = []
        while (rest := max(map(self._samples, self._tracks.values()))) > 0:
            if rest > self._step:
                self._level(self._step)
            told.append(self._record())
        return told

    def _samples(self, track: bytearray) -> int:
        return len(track) // self._encoding.sample_bytes

    def _written(self, track: bytearray) -> int:
        return self._seq * self._step + self._samples(track)

    def _silence(self, track: bytearray, samples: int) -> None:
        track += SILENCE[self._encoding] * samples
        self.filled += samples

    def _full(self) -> list[AudioRecord]:
        told: list[AudioRecord] = []
        while (longest := max(map(self._samples, self._tracks.values()))) >= self._step:
            behind = {channel for channel in self._awaited if self._samples(self._tracks[channel]) < self._step}
            if behind and longest < self._step + self._lag:
                break
            # Not waited for again before it is heard again: a dead channel must not delay the other for ever.
            self._awaited -= behind
            self._level(self._step)
            told.append(self._record())
        return told

    def _level(self, length: int) -> None:
        """Bring each channel that was ever heard to at least ``length`` samples."""
        for channel in self._heard:
            missing = length - self._samples(self._tracks[channel])
            if missing > 0:
                self._silence(self._tracks[channel], missing)

    def _record(self) -> AudioRecord:
        size = self._step * self._encoding.sample_bytes
        payload = {channel: bytes(track[:size]) for channel, track in self._tracks.items()}
        for track in self._tracks.values():
            del track[:size]
        seq, self._seq = self._seq, self._seq + 1
        return AudioRecord(
            call_id=self._call_id,
            seq=seq,
            offset=seq * self._step,
            rate=self._rate,
            encoding=self._encoding,
            customer=payload[Channel.CUSTOMER],
            agent=payload[Channel.AGENT],
        )
