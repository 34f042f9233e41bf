"""
The plain way: our voice detector cuts utterances, and faster-whisper serves them in their order.

Behind one lock, all cores on one utterance; or as a pool, one core on each. No socket, no broker, finals only: what
remains is the waiting.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
from faster_whisper import WhisperModel

from audio.cutter import Cutter, Speech
from audio.endpoint import EndpointPolicy
from audio.recording import records
from audio.types import RECORD_MS, SAMPLE_RATE, Channel, Pcm
from audio.vad import SileroVad
from benchmarks.paced import Dial, Line, System, Text
from benchmarks.peers import weights
from models.asr import BEAM


def started(workers: int) -> System:
    """
    One model for all calls.

    Args:
        workers: Utterances at once; 1 for the lock, with the threads that faster-whisper takes by itself.
    """

    @asynccontextmanager
    async def start(calls: int) -> AsyncIterator[Dial]:  # noqa: ARG001 - of the interface
        model = WhisperModel(
            str(weights()), device="cpu", compute_type="int8", cpu_threads=int(workers > 1), num_workers=workers
        )
        yield _dialling(model, workers)

    return start


def _dialling(model: WhisperModel, workers: int) -> Dial:
    turn, vad = asyncio.Semaphore(workers), SileroVad()

    def transcribe(pcm: Pcm, language: str) -> str:
        segments, _ = model.transcribe(pcm / np.float32(32768), language=language, beam_size=BEAM)
        return "".join(segment.text for segment in segments).strip()

    noise = np.random.default_rng(0).normal(0, 500, 2 * SAMPLE_RATE).astype(np.int16)
    with ThreadPoolExecutor(workers) as threads:
        # The first utterance of each worker takes longer, as with us.
        list(threads.map(lambda _: transcribe(noise, "en"), range(2 * workers)))

    async def understand(line: Line, channel: Channel, speech: Speech) -> None:
        async with turn:
            text = await asyncio.to_thread(transcribe, speech.pcm, line.language)
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

    return dial
