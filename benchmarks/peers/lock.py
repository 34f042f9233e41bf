"""
The plain way: our voice detector cuts utterances, and one lock around faster-whisper serves them in their order.

No socket, no broker, finals only: what remains is the waiting for the lock.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from faster_whisper import WhisperModel

from audio.cutter import Cutter, Speech
from audio.endpoint import EndpointPolicy
from audio.recording import records
from audio.types import RECORD_MS, SAMPLE_RATE, Channel
from audio.vad import SileroVad
from benchmarks.paced import Dial, Line, Text
from benchmarks.peers import weights
from models.asr import BEAM


@asynccontextmanager
async def started(calls: int) -> AsyncIterator[Dial]:  # noqa: ARG001 - of the interface
    """One model for all calls."""
    model = WhisperModel(str(weights()), device="cpu", compute_type="int8")
    turn, vad = asyncio.Lock(), SileroVad()

    def transcribe(speech: Speech, language: str) -> str:
        segments, _ = model.transcribe(speech.pcm / np.float32(32768), language=language, beam_size=BEAM)
        return "".join(segment.text for segment in segments).strip()

    async def understand(line: Line, channel: Channel, speech: Speech) -> None:
        async with turn:
            text = await asyncio.to_thread(transcribe, speech, line.language)
        start_ms, end_ms = (at * 1000 // SAMPLE_RATE for at in (speech.start, speech.end))
        line.say(time.time(), {f"{channel}:{start_ms}": Text(channel, start_ms, end_ms, text, True)})

    async def dial(line: Line) -> None:
        line.began = time.time()
        cutters = {
            channel: Cutter(line.recording.encoding, line.recording.rate, vad, EndpointPolicy()) for channel in Channel
        }
        async with asyncio.TaskGroup() as group:
            for record in records(line.recording, line.id):
                await asyncio.sleep(max(0.0, line.began + (record.seq + 1) * RECORD_MS / 1000 - time.time()))
                for channel, cutter in cutters.items():
                    for speech in cutter.push(record.payload(channel)):
                        group.create_task(understand(line, channel, speech))
            for channel, cutter in cutters.items():
                for speech in cutter.flush():
                    group.create_task(understand(line, channel, speech))

    yield dial
