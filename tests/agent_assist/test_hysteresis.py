"""The alert for an agitated customer, on traces of agitation."""

import pytest

from agent_assist.advice.playbook import load
from agent_assist.call.assistant import Assistant
from agent_assist.types import CardKind, Final
from audio.types import Channel
from models.types import Emotion, EmotionLabel, Utterance

ASSISTANT = Assistant(load())


def alerts(trace: list[tuple[float | None, int]]) -> list[int]:
    """Positions in a trace of (agitation, ms of speech) at which the alert fires."""
    state, now, fired = None, 0, []
    for number, (agitation, ms) in enumerate(trace):
        emotion = Emotion(label=EmotionLabel.UNKNOWN, valence=None, arousal=None, agitation=agitation, confidence=0.0)
        utterance = Utterance(
            id=f"c:customer:{now}",
            channel=Channel.CUSTOMER,
            number=number,
            start_ms=now,
            end_ms=now + ms,
            text="这个东西",
            language="zh",
            confidence=1.0,
            words=(),
            sentiment=None,
            emotion=emotion,
            loudness_dbfs=None,
        )
        now += ms + 1500
        state, told = ASSISTANT.step(state, Final(call_id="c", utterance=utterance))
        for each in told:
            if getattr(each, "rule", "") == "soothe_and_escalate":
                assert each.kind is CardKind.ALERT  # type: ignore[union-attr]
                assert each.text == "优先安抚+升级处理"  # type: ignore[union-attr]
                fired.append(number)
    return fired


S = 3000


@pytest.mark.parametrize(
    ("trace", "expected", "why"),
    [
        ([(0.60, S), (0.60, S)], [1], "two in a row, at the level itself"),
        ([(0.599, S)] * 9, [], "never at the level"),
        ([(0.9, S), (0.1, S), (0.9, S), (0.1, S)], [], "short spikes"),
        ([(0.9, 5999)], [], "one that is too short"),
        ([(0.9, 6000)], [0], "one of six seconds"),
        ([(0.7, S)] * 8, [1], "once for one episode"),
        ([(0.7, S)] * 3 + [(0.5, S)] + [(0.7, S)] * 3, [1], "not again before it fell below the lower level"),
        ([(0.7, S)] * 3 + [(0.40, S)] + [(0.7, S)] * 3, [1], "not below, but at the lower level"),
        ([(0.7, S)] * 3 + [(0.39, S)] + [(0.7, S)] * 3, [1, 5], "again after it fell below"),
        ([(0.7, S), (None, S), (0.7, S)], [2], "an unknown one in between does not break the row"),
        ([(None, 9000)] * 3, [], "unknown is not agitated"),
        ([(0.7, S), (0.5, S), (0.7, S)], [], "in a row is without another between"),
    ],
)
def test_the_alert_fires_once_an_episode(trace: list[tuple[float | None, int]], expected: list[int], why: str) -> None:
    assert alerts(trace) == expected, why
