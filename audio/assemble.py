"""From the tracks of a stream to records of 200 ms on a fixed grid."""

from audio.codecs import SILENCE
from audio.types import RECORD_MS, AudioRecord, Channel, Encoding


class RecordAssembler:
    """
    Line up two channels by their timestamps.

    What is missing inside becomes silence, up to ``max_fill_s``; a longer hole is left out, and the sequence numbers
    jump. A channel that falls behind the other by more than ``max_lag_s`` goes on with silence; what then comes too late
    is dropped.

    Args:
        first_ms: Where this stream continues the call; rounded up to the grid.
    """

    def __init__(
        self,
        call_id: str,
        encoding: Encoding,
        rate: int,
        *,
        first_ms: int = 0,
        max_fill_s: float = 30.0,
        max_lag_s: float = 1.0,
    ) -> None:
        self._call_id = call_id
        self._encoding = encoding
        self._rate = rate
        self._step = rate * RECORD_MS // 1000
        self._first = -(-first_ms // RECORD_MS) * self._step
        self._seq = self._first // self._step
        """Of the next record."""
        self._fill = int(max_fill_s * rate)
        self._lag = int(max_lag_s * rate)
        self._tracks = {Channel.CUSTOMER: bytearray(), Channel.AGENT: bytearray()}
        self._seen: set[Channel] = set()
        self._end = self._first
        self.dropped = 0
        """Samples that came too late."""

    @property
    def end(self) -> int:
        """End of all that was taken, in samples since the call began."""
        return self._end

    @property
    def end_ms(self) -> int:
        return self.end * 1000 // self._rate

    def _samples(self, track: bytearray) -> int:
        return len(track) // self._encoding.sample_bytes

    def push(self, channel: Channel, at: int, payload: bytes) -> list[AudioRecord]:
        """
        Take audio of one channel.

        Args:
            at: Its first sample since the stream began.
        """
        width = self._encoding.sample_bytes
        self._seen.add(channel)
        track = self._tracks[channel]
        written = self._seq * self._step + self._samples(track)
        hole = self._first + at - written
        told: list[AudioRecord] = []
        if hole < 0:
            late = min(-hole * width, len(payload))
            self.dropped += late // width
            payload = payload[late:]
            if not payload:
                return []
        elif hole > self._fill:
            told += self.flush()
            begin = self._first + at
            self._seq = begin // self._step
            track += SILENCE[self._encoding] * (begin - self._seq * self._step)
        elif hole:
            track += SILENCE[self._encoding] * hole
        track += payload
        self._end = max(self._end, self._seq * self._step + self._samples(track))
        return told + self._full()

    def _full(self) -> list[AudioRecord]:
        told: list[AudioRecord] = []
        while self._tracks and self._ready():
            told.append(self._record(self._step))
        return told

    def _ready(self) -> bool:
        lengths = [self._samples(self._tracks[channel]) for channel in self._seen]
        return min(lengths) >= self._step or max(lengths) >= self._step + self._lag

    def _record(self, length: int) -> AudioRecord:
        """Cut the next record; a channel that is behind gets silence up to ``length`` samples."""
        width = self._encoding.sample_bytes
        payload: dict[Channel, bytes] = {}
        for channel, track in self._tracks.items():
            part = bytes(track[: length * width])
            if channel in self._seen and length == self._step:
                part += SILENCE[self._encoding] * (length - len(part) // width)
            payload[channel] = part
            del track[: length * width]
        record = AudioRecord(
            call_id=self._call_id,
            seq=self._seq,
            offset=self._seq * self._step,
            rate=self._rate,
            encoding=self._encoding,
            customer=payload[Channel.CUSTOMER],
            agent=payload[Channel.AGENT],
        )
        self._seq += 1
        return record

    def flush(self) -> list[AudioRecord]:
        """The rest; the last record may be short."""
        told: list[AudioRecord] = []
        while (rest := max(map(self._samples, self._tracks.values()))) > 0:
            told.append(self._record(min(rest, self._step)))
        return told
