"""
Care for agents: how much anger of customers they were exposed to, when a short break is due, and the load of a team.

All of it is taken from the customer's side of a call: the agent's voice and words are never looked at. What is told of
a team is a sum over several agents; it is not for decisions about one of them.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from agent_assist.advice.phrases import Text, compile_phrase, negated
from agent_assist.advice.spoken import spoken
from agent_assist.types import Exposure
from audio.types import Channel
from models.types import EmotionLabel, Utterance

_ABUSE: Final = tuple(
    compile_phrase(phrase)
    for phrase in (
        "(傻逼|傻叉|煞笔|他妈的|妈的|你妈|操你|混蛋|王八蛋|脑残|白痴|死全家|狗东西|不要脸|有病吧|神经病)",
        "(你|你们|你们这|你们都|你这)*(废物|蠢货|蠢猪|骗子|垃圾|猪|去死|滚)",
        "(给我滚|滚蛋|滚开|去死吧|闭嘴)",
        "(fuck|fucking|fucked|bullshit|asshole|arsehole|bitch|bastard|motherfucker|dickhead|wanker)",
        "(you|you are|you lot are|you people are|you guys are) [all|such|so|bloody|complete|total|absolute|just] "
        "[a|an|bunch of] (idiot|idiots|moron|morons|stupid|useless|liar|liars|scum|crook|crooks|dumb|pathetic)",
        "(shut up|go to hell|piss off|screw you|damn you|drop dead)",
    )
)


class CarePolicy(NamedTuple):
    """When something is told; all of it is ours, and the operator's to change."""

    agitation: float = 0.60
    """From which an utterance counts, as for the alert of the default playbook."""
    confidence: float = 0.50
    """Of an angry emotion."""
    hard_ms: int = 60_000
    """Of anger or abuse, from which a call is hard ..."""
    hard_abuse: int = 2
    """... and utterances of abuse, likewise."""
    prompts_an_hour: int = 1
    prompts_a_shift: int = 4
    shift_gap: timedelta = timedelta(hours=4)
    """Without a call, after which another shift begins."""
    least_agents: int = 5
    least_hours: float = 8.0
    """Of calls; of a team that is smaller nothing is told."""
    heavy: float = 3.0
    """Minutes of exposure in an hour of calls, from which a team's load is heavy."""


DEFAULT: Final = CarePolicy()


class Strain(NamedTuple):
    """How hard a call that is over was for its agent."""

    call_id: str
    agent_id: str
    started_at: datetime
    """UTC."""
    duration_ms: int
    exposure_ms: int
    hard: bool

    @property
    def end(self) -> datetime:
        return self.started_at + timedelta(milliseconds=self.duration_ms)


def break_text(language: str) -> str:
    """What the agent is told after a hard call; nobody else is."""
    if language == "zh":
        return "刚才的通话不容易，建议休息几分钟再接下一通。"
    return "That was a hard call. Take a few minutes before the next one."


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent was exposed to since they came on shift."""

    begun: datetime | None = None
    until: datetime | None = None
    """End of the last call."""
    calls: int = 0
    hard: int = 0
    exposure_ms: int = 0
    prompts: tuple[datetime, ...] = ()
    seen: frozenset[str] = frozenset()
    """Calls of the shift."""

    def push(self, call: Strain, policy: CarePolicy = DEFAULT) -> tuple["Shift", bool]:
        """
        With one more call that is over, and whether a break is due after it; one seen before changes nothing.

        Args:
            call: Of the same agent, in the order in which calls end.
        """
        if call.call_id in self.seen:
            return self, False
        fresh = self.until is None or call.started_at - self.until > policy.shift_gap
        before = Shift(begun=call.started_at) if fresh else self
        shift = msgspec.structs.replace(
            before,
            until=call.end if before.until is None else max(before.until, call.end),
            calls=before.calls + 1,
            hard=before.hard + call.hard,
            exposure_ms=before.exposure_ms + call.exposure_ms,
            seen=before.seen | {call.call_id},
        )
        lately = [at for at in before.prompts if call.end - at < timedelta(hours=1)]
        full = len(lately) >= policy.prompts_an_hour or len(before.prompts) >= policy.prompts_a_shift
        if not call.hard or full:
            return shift, False
        return msgspec.structs.replace(shift, prompts=(*shift.prompts, call.end)), True


class TeamLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The load of a team; says nothing of any one agent."""

    agents: int
    hours: float
    """Of calls."""
    minutes_an_hour: float
    """Of exposure."""
    hard_share: float
    """Of calls."""
    heavy: bool


def exposure(utterances: Iterable[Utterance], policy: CarePolicy = DEFAULT) -> Exposure:
    """What the customer's utterances of a call exposed the agent to; those of the agent are left out."""
    of_customer = [one for one in utterances if one.channel is Channel.CUSTOMER]
    abusive = {one.id for one in of_customer if is_abusive(one.text)}
    hard = [one for one in of_customer if one.id in abusive or _angry(one, policy)]
    spent_ms = sum(one.end_ms - one.start_ms for one in hard)
    return Exposure(
        ms=spent_ms,
        abusive=len(abusive),
        utterance_ids=tuple(one.id for one in sorted(hard, key=lambda one: one.start_ms)),
        hard=spent_ms >= policy.hard_ms or len(abusive) >= policy.hard_abuse,
    )


def is_abusive(text: str) -> bool:
    """Whether words of abuse are in it, not denied."""
    said = Text.of(spoken(text))
    return any(not negated(said, found) for phrase in _ABUSE for found in phrase.find(said))


def team_load(calls: Collection[Strain], policy: CarePolicy = DEFAULT) -> TeamLoad | None:
    """
    The load of a team over calls that are over.

    Returns:
        None for fewer agents or hours than the policy asks for: too few to hide who it was.
    """
    agents = {call.agent_id for call in calls}
    hours = sum(call.duration_ms for call in calls) / 3_600_000
    if len(agents) < policy.least_agents or hours < policy.least_hours:
        return None
    rate = sum(call.exposure_ms for call in calls) / 60_000 / hours
    return TeamLoad(
        agents=len(agents),
        hours=round(hours, 2),
        minutes_an_hour=round(rate, 2),
        hard_share=round(sum(call.hard for call in calls) / len(calls), 3),
        heavy=rate >= policy.heavy,
    )


def _angry(said: Utterance, policy: CarePolicy) -> bool:
    emotion = said.emotion
    if emotion is None:
        return False
    if emotion.agitation is not None and emotion.agitation >= policy.agitation:
        return True
    return emotion.label is EmotionLabel.ANGRY and emotion.confidence >= policy.confidence
