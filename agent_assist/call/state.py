"""What is known of a call while it runs: a fold of its events, small enough to be saved with each of them."""

from datetime import datetime
from typing import Final

import msgspec

from agent_assist.advice.digest import Digest
from agent_assist.call.course import Course
from agent_assist.call.fields import known_of
from agent_assist.call.measures import Talk
from agent_assist.call.mood import Mood
from agent_assist.call.recollect import Recollecting
from agent_assist.customer.caller import Caller, given_of, in_force
from agent_assist.types import CallEnded, CallStarted, Card, CustomerKnown, Degraded, Event, Webhook
from agent_assist.types import Final as FinalEvent
from audio.types import Channel
from models.churn import CallFeatures, Standing
from models.curve import PUBLIC, Swings
from models.types import ChurnRisk, EmotionLabel, Utterance

_RECENT: Final = 10
_TEXT: Final = 200
"""Characters of a past utterance, its last, that rules can look back on."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A past utterance, as far as rules look back."""

    id: str
    channel: Channel
    start_ms: int
    end_ms: int
    text: str
    language: str
    emotion: EmotionLabel | None


class Agitation(msgspec.Struct, frozen=True, kw_only=True):
    """How long the customer has been agitated, with hysteresis."""

    utterances: int = 0
    """In a row at or above the upper level."""
    speech_ms: int = 0
    armed: bool = True
    """False from an alert until the level has fallen below the lower one."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Something is to be said."""

    since_ms: int
    utterance_id: str
    """Of the utterance that it should follow."""
    trigger: tuple[str, ...] = ()


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence gives that may turn out to be none: an utterance of the other speaker may have begun in it."""

    rule: str
    keys: tuple[str, ...]
    gives: Card | Webhook
    channel: Channel
    """Who spoke after it."""
    start_ms: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An offer's card, held back while the customer is upset."""

    card: Card
    until_ms: int


class Provisional(msgspec.Struct, frozen=True, kw_only=True):
    """A card that is shown before its evidence is final."""

    rule: str
    channel: Channel | None
    """Of the utterance that decides it; None where something was not said."""
    start_ms: int


class Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rules remember of a call beside what has fired; each by the rule's id, where it is no list."""

    hits: dict[str, tuple[int, ...]] = {}
    """Ends of the utterances that met a rule which asks for several, or which looks when the call is over."""
    heard: dict[str, tuple[str, ...]] = {}
    """The utterance and the words of the last of those, for rules that look when the call is over."""
    said: dict[str, int] = {}
    """When what was to be said since the start was said, or was decided not to have been."""
    waits: dict[str, Wait] = {}
    silences: tuple[Silence, ...] = ()
    provisional: dict[str, Provisional] = {}
    """By the card's id."""
    shown: tuple[int, ...] = ()
    """When the cards of the last minute were shown."""
    held: tuple[Held, ...] = ()
    offers: int = 0
    """Shown."""
    upset: bool = False
    """No offers just now."""


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """One call; changed by ``fold`` and by the rules' memory only."""

    call_id: str
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    attributes: dict[str, str] = {}
    """Those that the telephone side told, and what is known of the customer by now."""
    given: dict[str, str] = {}
    """The former alone."""
    standing: Standing | None = None
    """Of the customer by their profile, from which the risk goes on."""
    known_at: datetime | None = None
    """When what is known of the customer was looked at; None where nothing is known."""
    counted: tuple[str, ...] = ()
    """Signals of this call that are in it."""
    customer_next: int = 0
    """Number of the next utterance expected on each channel: what was seen before changes nothing."""
    agent_next: int = 0
    zh: int = 0
    """Customer utterances in each language."""
    en: int = 0
    talk: Talk = Talk()
    recent: tuple[Said, ...] = ()
    """The last utterances, in the order in which they came."""
    mood: Mood = Mood()
    agitation: Agitation = Agitation()
    fired: dict[str, int] = {}
    """Key of a rule to the end of the utterance with which it last fired, in ms."""
    digest: Digest = Digest()
    memory: Memory = Memory()
    course: Course = Course()
    reached_ms: int = 0
    """The latest end of an utterance: the time of the call, as far as finals tell."""
    silence_ms: int = 0
    """Before the last utterance nobody was heard for so long."""
    recollecting: Recollecting = Recollecting()
    """Of whom the agent asks what; kept by the assistant."""
    features: CallFeatures = CallFeatures()
    risk: ChurnRisk | None = None
    end_ms: int | None = None
    """Set when the call has ended."""

    @property
    def language(self) -> str:
        """Of the cards: what the customer speaks most, else what the agent does, else what ``attributes`` tell."""
        if self.zh or self.en:
            return "zh" if self.zh >= self.en else "en"
        given = self.attributes.get("language", "")[:2].lower()
        known = (*(said.language for said in reversed(self.recent)), given)
        return next((language for language in known if language in ("zh", "en")), "en")


def is_new(state: CallState, utterance: Utterance) -> bool:
    """Whether a final has not been seen yet."""
    agent = utterance.channel is Channel.AGENT
    return utterance.number >= (state.agent_next if agent else state.customer_next)


def fold(state: CallState | None, event: Event) -> CallState:
    """The state after one more event; an event seen before changes nothing."""
    if state is None:
        state = CallState(call_id=event.call_id)
    match event:
        case CallStarted():
            return _begin(state, event)
        case CustomerKnown():
            if state.known_at is None:
                # As when nobody was known at ring, or in a state that was saved before there were callers.
                state = msgspec.structs.replace(state, given=state.attributes)
            return _know(state, event.caller)
        case FinalEvent():
            return hear(state, event.utterance) if is_new(state, event.utterance) else state
        case CallEnded():
            return msgspec.structs.replace(state, end_ms=event.duration_ms)
        case Degraded():
            return msgspec.structs.replace(state, talk=state.talk.degraded(event))
        case _:
            return state


def _begin(state: CallState, event: CallStarted) -> CallState:
    given = given_of(event.attributes, event.caller)
    if state.given == given and state.known_at is not None:
        # It comes again; what has become known since holds.
        return state
    # When a recording was made is not known.
    digest = state.digest if event.protocol == "recording" else state.digest.begin(event.at)
    known = known_of(event.attributes, event.customer_name)
    state = msgspec.structs.replace(
        state,
        customer_id=event.customer_id,
        customer_name=event.customer_name,
        agent_id=event.agent_id,
        queue=event.queue,
        attributes=event.attributes,
        given=given,
        digest=digest,
        recollecting=msgspec.structs.replace(state.recollecting, known=known),
    )
    return state if event.caller is None else _know(state, event.caller)


def _know(state: CallState, caller: Caller) -> CallState:
    """With what is known of the customer; an older look changes nothing."""
    if state.known_at is not None and caller.at <= state.known_at:
        return state
    attributes = in_force(state.given, caller)
    name = state.customer_name or caller.name or None
    known = known_of(attributes, name)
    return msgspec.structs.replace(
        state,
        customer_id=state.customer_id or caller.customer_id,
        customer_name=name,
        attributes=attributes,
        standing=caller.standing,
        known_at=caller.at,
        counted=caller.said,
        recollecting=msgspec.structs.replace(state.recollecting, known=known),
    )


def hear(state: CallState, utterance: Utterance) -> CallState:
    """The state after one more utterance."""
    said = Said(
        id=utterance.id,
        channel=utterance.channel,
        start_ms=utterance.start_ms,
        end_ms=utterance.end_ms,
        text=utterance.text[-_TEXT:],
        language=utterance.language,
        emotion=None if utterance.emotion is None else utterance.emotion.label,
    )
    state = msgspec.structs.replace(
        state,
        talk=state.talk.add(utterance),
        recent=(*state.recent, said)[-_RECENT:],
        mood=state.mood.add(utterance),
        digest=state.digest.push(utterance),
        reached_ms=max(state.reached_ms, utterance.end_ms),
        silence_ms=max(0, utterance.start_ms - state.reached_ms),
    )
    if utterance.channel is Channel.AGENT:
        return msgspec.structs.replace(state, agent_next=utterance.number + 1)
    return msgspec.structs.replace(
        state,
        customer_next=utterance.number + 1,
        zh=state.zh + (utterance.language == "zh"),
        en=state.en + (utterance.language == "en"),
        features=_features(state.features, utterance, state.mood.curve.swings),
    )


def _features(features: CallFeatures, utterance: Utterance, swings: Swings | None) -> CallFeatures:
    """What the voice and the sentiment say; the words are added by the rules."""
    emotion = utterance.emotion
    agitation = None if emotion is None else emotion.agitation
    valence = None if emotion is None else emotion.valence
    return msgspec.structs.replace(
        features,
        customer_utterances=features.customer_utterances + 1,
        customer_talk_ms=features.customer_talk_ms + utterance.end_ms - utterance.start_ms,
        last_agitation=features.last_agitation if agitation is None else agitation,
        max_agitation=max((a for a in (features.max_agitation, agitation) if a is not None), default=None),
        last_valence=features.last_valence if valence is None else valence,
        valence_trend=None if swings is None or swings.shift is None else _within(swings.shift / PUBLIC),
        valence_range=None if swings is None else _within(swings.range / PUBLIC),
    )


def _within(change: float) -> float:
    """A change of valence, free of what rounding has added to the largest."""
    return min(2.0, max(-2.0, change))
