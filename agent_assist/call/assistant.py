"""One event in, the new state and all that follows from it out: state, rules, risk and measures together."""

from datetime import UTC, tzinfo

import msgspec

from agent_assist.advice.digest import Digest
from agent_assist.advice.following import Following
from agent_assist.advice.holding import Heard
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.rules import Advice, Rules
from agent_assist.advice.sense import Sense
from agent_assist.advice.summary import synopsis
from agent_assist.call.recollect import hint
from agent_assist.call.state import CallState, fold, is_new
from agent_assist.types import (
    Assist,
    CallEnded,
    CallMeasures,
    CallRisk,
    CallStarted,
    CustomerKnown,
    Degraded,
    Event,
    Final,
    Partial,
)
from audio.types import Channel
from models.churn import CallFeatures, risk, spoken_of
from models.types import ChurnRisk, RiskLevel

_NOTICEABLE = 0.01
"""Change of the score that is told."""


class Assistant:
    """
    Holds the rules and nothing of any call.

    Args:
        playbook: What is to be advised.
        sense: What its sentences mean; without it rules that ask for that cannot be run.
        zone: Of the business, in which promises are due.
    """

    def __init__(self, playbook: Playbook, *, sense: Sense | None = None, zone: tzinfo = UTC) -> None:
        self._rules = Rules(playbook, sense)
        self._following = Following(playbook.flows, playbook.source)
        self._zone = zone

    @property
    def foretells(self) -> bool:
        """Whether partials can tell anything."""
        return self._rules.foretells

    def step(self, state: CallState | None, event: Event) -> tuple[CallState, list[Assist | Degraded]]:
        """
        Take in the next event of a call.

        Returns:
            The state, and what is to be told. The same event again, or one that was seen before, tells nothing new.
        """
        before = state
        state = fold(state, event)
        match event:
            case CallStarted():
                return self._started(state)
            case CustomerKnown():
                is_news = before is None or before.known_at != state.known_at
                return self._known(state) if is_news and state.end_ms is None else (state, [])
            case Final():
                if before is not None and not is_new(before, event.utterance):
                    return state, []
                state, told = self._said(state, event)
                if state.digest.says_more_than(Digest() if before is None else before.digest):
                    told.append(synopsis(state.call_id, state.digest, event.utterance.end_ms, zone=self._zone))
                return state, told
            case Partial():
                advice = self._rules.foretell(state, event)
                return advice.state, [*advice.told]
            case CallEnded():
                if before is not None and before.end_ms is not None:
                    return before, []
                return self._ended(state, event.duration_ms)
            case _:
                return state, []

    def _started(self, state: CallState) -> tuple[CallState, list[Assist | Degraded]]:
        if state.reached_ms or state.course.flow:
            return state, []
        state, failed = self._following.begin(state)
        state, risen = _rated(state)
        advice = self._rules.begin(state)
        state = advice.state
        return state, [*self._flow(None, state, 0), *risen, *_told(advice, 0), *_failed(state, failed, 0)]

    def _known(self, state: CallState) -> tuple[CallState, list[Assist | Degraded]]:
        """What follows at once from what has become known of the customer; rules see it with what is said next."""
        state, risen = _rated(state)
        advice = self._rules.begin(state, since="known")
        return advice.state, [*risen, *_told(advice, state.reached_ms)]

    def _said(self, state: CallState, event: Final) -> tuple[CallState, list[Assist | Degraded]]:
        utterance = event.utterance
        known = state.standing

        def judge(features: CallFeatures) -> ChurnRisk:
            return risk(features, profile_known=False, known=known)

        before = state
        advice = self._rules.evaluate(state, utterance, judge)
        at_ms = utterance.end_ms
        told = _told(advice, at_ms)
        assert advice.evidence is not None, "rules look at every utterance"
        state, failed = self._following.hear(advice.state, Heard(utterance, advice.evidence, advice.risk))
        told += [*self._flow(before, state, at_ms), *_failed(state, failed, at_ms)]
        recollecting, needless = state.recollecting.push(utterance)
        state = msgspec.structs.replace(state, recollecting=recollecting)
        if needless:
            told.append(hint(state.call_id, utterance, needless, state.language))
        if utterance.channel is Channel.CUSTOMER:
            now = advice.risk
            if now is not None and _differs(state.risk, now):
                state = msgspec.structs.replace(state, risk=now)
                told.append(CallRisk(call_id=state.call_id, customer_id=state.customer_id, at_ms=at_ms, risk=now))
            state = msgspec.structs.replace(state, mood=state.mood.about(spoken_of(state.features)))
            mood = state.mood.told(state.call_id)
            # Of an utterance whose emotion was not looked for nothing new is told.
            if mood is not None and mood.point.utterance_id == utterance.id:
                told.append(mood)
        told.append(CallMeasures(call_id=state.call_id, at_ms=at_ms, measures=state.talk.measures()))
        return state, told

    def _ended(self, state: CallState, duration_ms: int) -> tuple[CallState, list[Assist | Degraded]]:
        advice = self._rules.end(state, duration_ms)
        measures = state.talk.measures(duration_ms)
        told = _told(advice, duration_ms)
        told.append(CallMeasures(call_id=state.call_id, at_ms=duration_ms, measures=measures))
        told += self._flow(None, state, duration_ms)
        told.append(synopsis(state.call_id, state.digest, duration_ms, zone=self._zone, over=True))
        return advice.state, told

    def _flow(self, before: CallState | None, now: CallState, at_ms: int) -> list[Assist | Degraded]:
        """How far the call has come, where that changed, or is told in another language now."""
        if before is not None and before.course is now.course and before.language == now.language:
            return []
        flow = self._following.view(now, at_ms)
        return [] if flow is None else [flow]


def _told(advice: Advice, at_ms: int) -> list[Assist | Degraded]:
    """What the rules tell, and which of them could not be run."""
    return [*advice.told, *_failed(advice.state, advice.failed, at_ms)]


def _failed(state: CallState, failed: dict[str, str], at_ms: int) -> list[Degraded]:
    return [
        Degraded(
            call_id=state.call_id,
            at_ms=at_ms,
            stage="rule",
            reason=f"the rule {rule} could not be run ({error})",
        )
        for rule, error in failed.items()
    ]


def _rated(state: CallState) -> tuple[CallState, list[Assist | Degraded]]:
    """With the risk that follows from the customer's standing, and what is told of it."""
    now = risk(state.features, profile_known=False, known=state.standing)
    # Of whom nothing is known nothing is told before they speak.
    is_known = state.risk is not None or now.level is not RiskLevel.UNKNOWN
    if not is_known or not _differs(state.risk, now):
        return state, []
    told = CallRisk(call_id=state.call_id, customer_id=state.customer_id, at_ms=state.reached_ms, risk=now)
    return msgspec.structs.replace(state, risk=now), [told]


def _differs(before: ChurnRisk | None, now: ChurnRisk) -> bool:
    if before is None or before.level is not now.level or before.score is None or now.score is None:
        return before != now
    return abs(before.score - now.score) >= _NOTICEABLE
