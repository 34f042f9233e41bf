"""A call's records to blocks of sound on a fixed grid: the same ones, wherever reading began."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audio.codecs import decode
from audio.errors import PayloadError
from audio.types import AudioRecord, Channel

BLOCK_S: Final = 30

Stereo = npt.NDArray[np.int16]
"""Shape (n, 2), the customer first."""


class Block(NamedTuple):
    """Thirty seconds of a call, or what there is of them."""

    number: int
    """From 0: begins ``number * BLOCK_S`` seconds after the call did."""
    rate: int
    pcm: Stereo
    begin: int = 0
    """What lies before is not known here: reading began in the middle of the block."""


class Recorder:
    """
    Fill the blocks of one call.

    What is missing is silence; what comes twice is written twice. Memory is bounded by one block.
    """

    def __init__(self) -> None:
        self._rate = 0
        self._number = 0
        self._pcm: Stereo = np.zeros((0, 2), np.int16)
        self._begin = 0
        self._end = 0
        """What is known of this block, in samples since its begin."""

    def push(self, record: AudioRecord) -> list[Block]:
        """
        Take the next record.

        Returns:
            The block that ended before it, if any. Blocks of which nothing came are left out.

        Raises:
            PayloadError: If the rate is another than before, or a payload is none of its encoding.
        """
        if self._rate == 0:
            self._open(record.rate, record.offset // (record.rate * BLOCK_S))
        elif record.rate != self._rate:
            raise PayloadError(
                f"{self._rate} Hz as before", f"{record.rate} Hz", f"call={record.call_id}, seq={record.seq}"
            )
        size = self._rate * BLOCK_S
        heard = [decode(record.encoding, record.payload(channel)) for channel in (Channel.CUSTOMER, Channel.AGENT)]
        length = max(map(len, heard))
        pcm = np.zeros((length, 2), np.int16)
        for column, samples in enumerate(heard):
            pcm[: len(samples), column] = samples
        ended: list[Block] = []
        at = record.offset
        while len(pcm):
            number, start = divmod(at, size)
            if number > self._number:
                ended += self.flush()
                self._open(self._rate, number)
            part = pcm[: size - start]
            # A record from before the open block was written with its block.
            if number == self._number:
                self._pcm[start : start + len(part)] = part
                self._begin = min(self._begin, start) if self._end else start
                self._end = max(self._end, start + len(part))
            pcm, at = pcm[len(part) :], at + len(part)
        return ended

    def flush(self) -> list[Block]:
        """What there is of the open block, as at the end of the call."""
        if self._end == 0:
            return []
        block = Block(self._number, self._rate, self._pcm[: self._end].copy(), self._begin)
        self._end = 0
        return [block]

    @property
    def held_from(self) -> int | None:
        """First sample of the open block, at the call's rate; None where nothing is held."""
        return self._number * self._rate * BLOCK_S if self._end else None

    def _open(self, rate: int, number: int) -> None:
        self._rate, self._number, self._end = rate, number, 0
        self._pcm = np.zeros((rate * BLOCK_S, 2), np.int16)
