"""A playbook against the events of a call: what is advised, and what the rules remember."""

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from agent_assist.advice import waiting
from agent_assist.advice.agitation import track
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.foretelling import Foretold, Told, foretell, settle, unheard
from agent_assist.advice.holding import Heard
from agent_assist.advice.matching import Case, Ready
from agent_assist.advice.names import Lexicon
from agent_assist.advice.phrases import Index
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.recommending import Recommender
from agent_assist.advice.retaining import talk_track
from agent_assist.advice.rule import Clues
from agent_assist.advice.rule import Signal as SignalName
from agent_assist.advice.sense import Sense
from agent_assist.advice.showing import feel, show, withhold
from agent_assist.advice.trying import Round
from agent_assist.call.state import CallState, Said, hear
from agent_assist.types import Partial
from audio.types import Channel
from models.churn import CallFeatures, Signal
from models.types import ChurnRisk, EmotionLabel, Utterance

_CUT_MS: Final = 1_200
"""Pause up to which a sentence may go on; endpointing cuts at half a second."""
_SURE: Final = 0.5
"""Confidence from which a satisfied voice counts as words of satisfaction do."""
_ISSUES: Final = frozenset({"cancel", "refund", "complaint", "repeat_contact"})
"""What leaves a call unresolved until the customer is content."""
_SIGNALS: Final[tuple[SignalName, ...]] = get_args(SignalName)

Judge = Callable[[CallFeatures], ChurnRisk]


class Advice(NamedTuple):
    """What the rules make of an event."""

    state: CallState
    told: list[Told]
    failed: dict[str, str]
    """Rules that could not be run, each with the kind of error: not the same as rules that did not match."""
    risk: ChurnRisk | None = None
    evidence: Evidence | None = None
    """Of the utterance, for who looks at it next."""


class Listening:
    """The rules that look at what is said on a channel, and a quick look at which of them need not be tried."""

    def __init__(self, rules: list[Ready]) -> None:
        self._rules = rules
        self._always: list[int] = []
        self._named: list[int] = []
        self._phrases: dict[str, list[int]] = {}
        self._intents: dict[str, list[int]] = {}
        self._emotions: dict[str, list[int]] = {}
        for place, one in enumerate(rules):
            clues = one.rule.clues
            if clues is None:
                self._always.append(place)
                continue
            self._named += [place] if clues.names else []
            kinds = ((clues.phrases, self._phrases), (clues.intents, self._intents), (clues.emotions, self._emotions))
            for given, known in kinds:
                for clue in given:
                    known.setdefault(clue, []).append(place)

    def heard(self, evidence: Evidence, utterance: Utterance) -> list[Ready]:
        """In their order, those that may be met; the others need what is not there."""
        places = set(self._always)
        if evidence.names:
            places.update(self._named)
        for phrase in evidence.standing & self._phrases.keys():
            places.update(self._phrases[phrase])
        for intent in utterance.intents:
            places.update(self._intents.get(intent, ()))
        if utterance.emotion is not None:
            places.update(self._emotions.get(utterance.emotion.label, ()))
        return [self._rules[place] for place in sorted(places)]


class Rules:
    """
    A playbook made ready; keeps nothing of any call.

    Args:
        sense: What its sentences mean; without it rules that ask for that cannot be run.
    """

    def __init__(self, playbook: Playbook, sense: Sense | None = None) -> None:
        playbook = playbook.ranked()
        self._playbook = playbook
        self._sense = sense
        competitors = {competitor.name: competitor for competitor in playbook.competitors}
        self._lexicon = Lexicon({competitor.name: competitor.aliases for competitor in playbook.competitors})
        self._level = next((rule.agitation for rule in playbook.rules if rule.agitation is not None), None)
        ready = [Ready.of(rule, competitors) for rule in playbook.rules]
        self._awaited = [one for one in ready if one.rule.not_said is not None]
        self._after = [one for one in ready if one.rule.after and one.rule.not_said is None]
        self._after_of = _listening(one for one in self._after if one.rule.listens)
        live = [one for one in ready if not one.rule.after and one.rule.not_said is None]
        self._live = _listening(one for one in live if one.rule.risk is None)
        self._risky = _listening(one for one in live if one.rule.risk is not None)
        silent = [one for one in live if one.rule.is_silence and not one.rule.listens]
        self._silent = _by_channel(silent)
        self._silent_at_end = [one for one in silent if one.rule.speaker is None]
        self._early = _by_channel(one for one in live if one.rule.early)
        self._index = Index(phrase for one in ready for phrase in (one.rule.clues or Clues()).phrases)
        self._recommender = Recommender(playbook.recommendations, playbook.source)
        self.foretells = bool(self._awaited or silent or any(self._early.values()))
        """Whether what is being said can tell anything before it is final."""

    def begin(self, state: CallState, since: Literal["start", "known"] = "start") -> Advice:
        """What is advised when a call is answered, or becomes known to be whose, by what is known but not said."""
        decided = talk_track(self._playbook.retention, state, since, state.risk, self._playbook.source)
        state, shown = show(self._playbook, state, decided, state.reached_ms)
        return Advice(state, [*shown], {})

    def evaluate(self, state: CallState, utterance: Utterance, judge: Judge) -> Advice:
        """
        Try all rules on an utterance that the state has just taken in.

        Args:
            judge: The churn risk by what is known of the call.

        Returns:
            Each card once: what a rule has fired for is remembered in the state.
        """
        evidence = Evidence.of(utterance.text, self._lexicon, before=_before(state, utterance), index=self._index)
        of_customer = utterance.channel is Channel.CUSTOMER
        if of_customer:
            state = self._feel(state, utterance)
        case = Case(state, state.reached_ms, state.silence_ms, utterance, evidence, sense=self._sense)
        this = Round(self._playbook.source, case)
        this.end_silences()
        for ready in self._live[utterance.channel].heard(evidence, utterance):
            this.attempt(this.live, ready)
        risk = state.risk
        if of_customer:
            this.state = _heed(this.state, this.signals | self._signals(evidence, utterance))
            risk = judge(this.state.features)
        case.state, case.risk = this.state, risk
        for ready in self._risky[utterance.channel].heard(evidence, utterance):
            this.attempt(this.live, ready)
        this.decided += talk_track(self._playbook.retention, this.state, utterance, risk, self._playbook.source)
        this.decided += self._recommender.decide(this.state, Heard(utterance, evidence, risk), this.fired, this.failed)
        for ready in self._after_of[utterance.channel].heard(evidence, utterance):
            this.attempt(this.collect, ready)
        for ready in self._awaited:
            this.attempt(this.wait, ready)
        state, told = self._tell(this, state.reached_ms)
        left = unheard(state)
        left |= {one.gives.id for one in state.memory.silences}
        left |= waiting.open_ids(self._awaited, state.memory, state.call_id)
        state, withdrawn = settle(state, told, left, state.reached_ms)
        return Advice(state, [*told, *withdrawn], this.failed, risk, evidence)

    def foretell(self, state: CallState, partial: Partial) -> Advice:
        """
        Try the rules that warn early on what is being said; nothing of it counts until it is final.

        Returns:
            The very state, where nothing is told.
        """
        late = any(said.channel is partial.channel and said.start_ms >= partial.start_ms for said in state.recent)
        if not self.foretells or late or state.end_ms is not None:
            return Advice(state, [], {})
        now_ms = max(state.reached_ms, partial.end_ms)
        if not partial.text:
            state, withdrawn = settle(state, (), _of_others(state, partial), now_ms)
            return Advice(state, withdrawn, {})
        utterance = _so_far(state, partial)
        evidence = Evidence.of(utterance.text, self._lexicon, before=_before(state, utterance))
        ahead = hear(state, utterance)
        this = Round(self._playbook.source, Case(ahead, now_ms, ahead.silence_ms, utterance, evidence, risk=state.risk))
        for ready in self._early[partial.channel]:
            this.attempt(this.live, ready)
        for ready in self._silent[partial.channel]:
            this.attempt(this.live, ready)
        for ready in self._awaited:
            this.attempt(lambda one: this.wait_ahead(one, partial), ready)
        perhaps = [Foretold(one, partial.channel, partial.start_ms) for one in this.decided] + this.perhaps
        return Advice(*foretell(self._playbook, state, perhaps, now_ms), {})

    def end(self, state: CallState, duration_ms: int) -> Advice:
        """Try the rules that look at the end of the call, or at the whole of it."""
        silence_ms = max(0, duration_ms - state.reached_ms)
        this = Round(self._playbook.source, Case(state, duration_ms, silence_ms, risk=state.risk, ended=True))
        this.end_silences()
        for ready in self._silent_at_end:
            this.attempt(this.last_silence, ready)
        for ready in self._after:
            this.attempt(this.whole, ready)
        for ready in self._awaited:
            this.attempt(this.unsaid, ready)
        state, told = self._tell(this, duration_ms)
        state, withheld = withhold(state, duration_ms)
        state, withdrawn = settle(state, told, (), duration_ms)
        return Advice(state, [*told, *withheld, *withdrawn], this.failed, state.risk)

    def _tell(self, this: Round, now_ms: int) -> tuple[CallState, list[Told]]:
        state, shown = show(self._playbook, this.state, this.decided, now_ms)
        state, foretold = foretell(self._playbook, state, this.perhaps, now_ms)
        return state, [*shown, *foretold]

    def _feel(self, state: CallState, utterance: Utterance) -> CallState:
        memory = feel(self._playbook.offers, state.memory, utterance)
        agitation = state.agitation if self._level is None else track(self._level, state.agitation, utterance)
        return msgspec.structs.replace(state, memory=memory, agitation=agitation)

    def _signals(self, evidence: Evidence, utterance: Utterance) -> set[SignalName]:
        """Which signals an utterance of the customer gives, beside those of the rules."""
        found: set[SignalName] = {
            signal
            for signal, phrases in self._playbook.signals.items()
            if evidence.outside(evidence.find(phrases), self._playbook.unless.get(signal, {}))
        }
        if _sounds_satisfied(utterance):
            found.add("satisfied")
        return found


def _by_channel(rules: Iterable[Ready]) -> dict[Channel, list[Ready]]:
    """For each channel, the rules that look at what is said on it."""
    found = list(rules)
    return {channel: [one for one in found if one.rule.speaker in (None, channel)] for channel in Channel}


def _listening(rules: Iterable[Ready]) -> dict[Channel, Listening]:
    return {channel: Listening(found) for channel, found in _by_channel(rules).items()}


def _so_far(state: CallState, partial: Partial) -> Utterance:
    """What is being said, as far as it stands."""
    agent = partial.channel is Channel.AGENT
    return Utterance(
        id=partial.utterance_id,
        channel=partial.channel,
        number=state.agent_next if agent else state.customer_next,
        start_ms=partial.start_ms,
        end_ms=partial.end_ms,
        text=partial.text[: partial.committed],
        language=partial.language,
        confidence=0.0,
        words=(),
        sentiment=None,
        emotion=None if agent else partial.emotion,
        loudness_dbfs=None,
    )


def _of_others(state: CallState, partial: Partial) -> set[str]:
    """Ids of what is provisional, but for what waits for this utterance."""
    return {
        name
        for name, one in state.memory.provisional.items()
        if one.channel is not partial.channel or one.start_ms != partial.start_ms
    }


def _sounds_satisfied(utterance: Utterance) -> bool:
    emotion = utterance.emotion
    return emotion is not None and emotion.label is EmotionLabel.SATISFIED and emotion.confidence >= _SURE


def _before(state: CallState, utterance: Utterance) -> str:
    """What the speaker said directly before, where the sentence may go on."""
    own = [said for said in state.recent if said.channel is utterance.channel and said.id != utterance.id]
    last: Said | None = own[-1] if own else None
    return last.text if last is not None and utterance.start_ms - last.end_ms <= _CUT_MS else ""


def _heed(state: CallState, said: set[SignalName]) -> CallState:
    """Tell the churn features which signals this customer utterance gave."""
    features = state.features
    signals: dict[str, Signal] = {name: getattr(features, name).after(said=name in said) for name in _SIGNALS}
    unresolved = bool(said & _ISSUES) or (features.unresolved and not said & {"saved", "satisfied"})
    return msgspec.structs.replace(state, features=msgspec.structs.replace(features, **signals, unresolved=unresolved))
