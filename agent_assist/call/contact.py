"""What a call adds to what is known of its customer."""

from datetime import UTC, timedelta, tzinfo
from typing import Final, get_args

from agent_assist.advice.rule import Signal
from agent_assist.advice.summary import synopsis
from agent_assist.call.state import CallState
from agent_assist.customer.events import Interaction

_SIGNALS: Final[tuple[Signal, ...]] = get_args(Signal)


def signals(state: CallState) -> tuple[str, ...]:
    """What the customer of a call has given to understand: "complaint", "cancel" ..."""
    return tuple(name for name in _SIGNALS if getattr(state.features, name).count)


def contact(state: CallState, duration_ms: int, zone: tzinfo = UTC) -> Interaction | None:
    """
    The call as a contact of its customer, under one id however often it is made.

    Args:
        state: At the end of the call.

    Returns:
        None where it is not known whose it was, or when it began.
    """
    began, features = state.digest.started_at, state.features
    if state.customer_id is None or began is None:
        return None
    told = synopsis(state.call_id, state.digest, duration_ms, zone=zone, over=True)
    raised = features.unresolved or features.saved.count or features.satisfied.count or state.digest.issues
    return Interaction(
        event_id=f"call:{state.call_id}",
        customer_id=state.customer_id,
        at=began + timedelta(milliseconds=duration_ms),
        interaction_id=state.call_id,
        channel="phone",
        direction="out" if state.attributes.get("direction") == "out" else "in",
        issue=state.attributes.get("issue", ""),
        text=told.text,
        call_id=state.call_id,
        agent_id=state.agent_id,
        complaint=features.complaint.count > 0,
        solved=not features.unresolved if raised else None,
        valence=features.last_valence,
        agitation=features.max_agitation,
        signals=signals(state),
    )
