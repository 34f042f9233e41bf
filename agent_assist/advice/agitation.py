"""When a customer has been agitated for long enough to tell: a level with hysteresis."""

from agent_assist.advice.conditions import AgitationLevel
from agent_assist.call.state import Agitation
from models.types import Utterance


def track(level: AgitationLevel, agitation: Agitation, utterance: Utterance) -> Agitation:
    """
    The customer's agitation after one more utterance of theirs.

    An utterance whose agitation is not known breaks no row and adds to none.
    """
    known = None if utterance.emotion is None else utterance.emotion.agitation
    if known is None:
        return agitation
    if known >= level.at:
        return Agitation(
            utterances=agitation.utterances + 1,
            speech_ms=agitation.speech_ms + utterance.end_ms - utterance.start_ms,
            armed=agitation.armed,
        )
    return Agitation(armed=agitation.armed or known < level.rearm)


def agitated(level: AgitationLevel, agitation: Agitation) -> bool:
    """Whether it is time for an alert; the one who gives it disarms."""
    return agitation.armed and (agitation.utterances >= level.utterances or agitation.speech_ms >= level.speech_ms)
