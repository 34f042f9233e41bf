"""A recording through the same pipeline as a live call, as fast as it goes."""

from collections.abc import Callable
from datetime import UTC, datetime

from agent_assist.call.assistant import Assistant
from agent_assist.call.record import record_of
from agent_assist.call.state import CallState
from agent_assist.types import Assist, CallEnded, CallRecord, CallStarted, Degraded, Event
from audio.recording import Recording, records
from audio.vad import VoiceActivity
from stream.hearing import Hearing
from stream.pipeline import CallPipeline, PipelinePolicy


def analyze(
    recording: Recording,
    call_id: str,
    *,
    hearing: Hearing,
    vad: VoiceActivity,
    assistant: Assistant,
    policy: PipelinePolicy,
    progress: Callable[[int], None] = lambda _: None,
) -> CallRecord:
    """
    Run a recording through the pipeline of a live call.

    Args:
        progress: Told the end of the audio that has been read, in milliseconds.

    Returns:
        The same finals and cards as the live path gives for the same bytes.
    """
    pipeline = CallPipeline(call_id, vad, policy)
    events: list[Event] = [CallStarted(call_id=call_id, at=datetime.now(UTC), protocol="recording")]
    for record in records(recording, call_id):
        events += pipeline.push(record)
        events += _understand(pipeline, hearing)
        progress(pipeline.duration_ms)
    events += pipeline.flush()
    events += _understand(pipeline, hearing)
    events.append(CallEnded(call_id=call_id, duration_ms=pipeline.duration_ms, reason="hangup"))
    return record_of(call_id, events, _assist(assistant, events))


def _understand(pipeline: CallPipeline, hearing: Hearing) -> list[Event]:
    events: list[Event] = []
    while (excerpt := pipeline.next()) is not None:
        [heard] = hearing.hear([excerpt])
        events += pipeline.complete(heard)
    return events


def _assist(assistant: Assistant, events: list[Event]) -> list[Assist | Degraded]:
    state: CallState | None = None
    told: list[Assist | Degraded] = []
    for event in events:
        state, new = assistant.step(state, event)
        told += new
    return told
