"""One event, while the rules are tried on it."""

from collections.abc import Callable
from typing import Any

import msgspec

from agent_assist.advice import waiting
from agent_assist.advice.cards import Decided, Given, Occasion, decide
from agent_assist.advice.foretelling import Foretold
from agent_assist.advice.holding import fired
from agent_assist.advice.matching import Case, Match, Ready, holds, match, of_the_call, said
from agent_assist.advice.remembering import count, is_enough, is_spent, unfired
from agent_assist.advice.rule import Signal
from agent_assist.call.state import CallState, Memory, Silence
from agent_assist.errors import MeaningMissing
from agent_assist.types import Partial
from models.types import Utterance


class Round:
    """
    What the rules make of an event, one after the other.

    Args:
        source: Of the playbook, for the cards.
    """

    def __init__(self, source: str, case: Case) -> None:
        self.state: CallState = case.state
        self.case = case
        self.decided: list[Decided] = []
        self.perhaps: list[Foretold] = []
        """What is not certain yet."""
        self.failed: dict[str, str] = {}
        self.signals: set[Signal] = set()
        self._source = source

    def attempt(self, step: Callable[[Ready], None], ready: Ready) -> None:
        """Rules are the operator's data: one that cannot be run must not silence the others, nor the call."""
        try:
            step(ready)
        except Exception as error:
            self.failed[ready.rule.id] = type(error).__name__

    @property
    def fired(self) -> set[str]:
        """Ids of the rules that have fired on the call, those of this event included."""
        return fired(self.state) | {one.rule.id for one in self.decided if one.rule is not None}

    def live(self, ready: Ready) -> None:
        """A rule on the utterance."""
        rule, utterance = ready.rule, self._utterance()
        if is_spent(rule, self.state):
            return
        found = match(ready, self.case)
        if found is None:
            return
        if rule.signal is not None:
            self.signals.add(rule.signal)
        given = self._give(ready, found, Occasion(utterance.id, utterance.id, utterance.end_ms))
        if given is None or (rule.hits is not None and not self._met(ready, utterance)):
            return
        if rule.is_silence:
            self._after_silence(given, utterance)
        else:
            self.decided.append(given)

    def _met(self, ready: Ready, utterance: Utterance) -> bool:
        """Whether a rule that asks for several utterances has them; then its count begins anew."""
        rule, memory = ready.rule, self.state.memory
        times = count(rule, memory, utterance.end_ms)
        enough = is_enough(rule, times)
        self._keep(hits={**memory.hits, rule.id: () if enough else times})
        return enough

    def _after_silence(self, given: Decided, utterance: Utterance) -> None:
        """What the other speaker says may turn out to have begun in it: then it was none."""
        memory, assured = self.state.memory, given.rule
        assert assured is not None
        if any(set(one.keys) & set(given.keys) for one in memory.silences):
            return
        silence = Silence(
            rule=assured.id,
            keys=given.keys,
            gives=given.gives,
            channel=utterance.channel,
            start_ms=utterance.start_ms,
        )
        self._keep(silences=(*memory.silences, silence))
        self.perhaps.append(Foretold(given, utterance.channel, utterance.start_ms))

    def end_silences(self) -> None:
        """Settle silences by what has been said since."""
        utterance, kept = self.case.utterance, list[Silence]()
        for one in self.state.memory.silences:
            other = utterance is None or utterance.channel is not one.channel
            if other and utterance is not None and utterance.start_ms < one.start_ms:
                continue
            if other or self.state.reached_ms >= one.start_ms + waiting.LONGEST_MS:
                self.decided.append(Decided(None, one.keys, one.gives))
            else:
                kept.append(one)
        if len(kept) < len(self.state.memory.silences):
            self._keep(silences=tuple(kept))

    def collect(self, ready: Ready) -> None:
        """A rule that looks when the call is over, on an utterance."""
        rule, utterance, memory = ready.rule, self._utterance(), self.state.memory
        found = said(ready, self.case)
        if found is None or (rule.hits is not None and rule.id in memory.heard):
            return
        times = count(rule, memory, utterance.end_ms)
        self._keep(hits={**memory.hits, rule.id: times})
        if is_enough(rule, times):
            self._keep(heard={**memory.heard, rule.id: (utterance.id, *found.trigger)})

    def whole(self, ready: Ready) -> None:
        """A rule that looks when the call is over, at its end."""
        heard = self.state.memory.heard.get(ready.rule.id, ())
        if (heard or not ready.rule.listens) and holds(ready, self.case):
            utterance = heard[0] if heard else ""
            occasion = Occasion(utterance or "end", utterance, self.case.now_ms)
            self._decide(self._give(ready, of_the_call(ready.rule, self.case, heard[1:]), occasion))

    def last_silence(self, ready: Ready) -> None:
        """A rule on silence, before the end of the call."""
        if holds(ready, self.case):
            occasion = Occasion("end", "", self.case.now_ms)
            self._decide(self._give(ready, of_the_call(ready.rule, self.case, ()), occasion))

    def wait(self, ready: Ready) -> None:
        """A rule on what was not said, on an utterance."""
        utterance = self._utterance()
        try:
            self._remember(waiting.listen(ready, self.case, self.state.memory))
        except MeaningMissing:
            # Whether this said it nobody knows: then it must not count as missed.
            self._remember(waiting.forgo(ready, self.state.memory))
            raise
        missed = waiting.overdue(ready, self.state.memory, self.state.reached_ms)
        if missed is None:
            return
        given = self._missed(missed)
        if waiting.is_certain(missed, utterance, self.state.reached_ms):
            self._remember(waiting.settle(self.state.memory, missed))
            self._decide(given)
        elif given is not None:
            self.perhaps.append(Foretold(given, None, missed.at_ms))

    def wait_ahead(self, ready: Ready, partial: Partial) -> None:
        """The same while somebody speaks; who has begun in time may be saying it."""
        missed = waiting.overdue(ready, self.state.memory, self.case.now_ms)
        if missed is None or (partial.channel is ready.rule.speaker and partial.start_ms < missed.at_ms):
            return
        given = self._missed(missed)
        if given is not None:
            self.perhaps.append(Foretold(given, None, missed.at_ms))

    def unsaid(self, ready: Ready) -> None:
        """The same at the end of the call."""
        missed = waiting.at_end(ready, self.state.memory, self.case.now_ms)
        if missed is not None:
            given = self._missed(missed)
            self._remember(waiting.settle(self.state.memory, missed))
            self._decide(given)

    def _missed(self, missed: waiting.Missed) -> Decided | None:
        if not holds(missed.ready, self.case):
            return None
        found = of_the_call(missed.ready.rule, self.case, missed.wait.trigger)
        return self._give(missed.ready, found, Occasion(missed.evidence, missed.wait.utterance_id, missed.at_ms))

    def _give(self, ready: Ready, found: Match, occasion: Occasion) -> Decided | None:
        """What the rule gives, if it has not fired for this before."""
        keys = unfired(ready.rule, found, self.state, occasion.at_ms)
        return decide(Given(ready.rule, found, occasion, keys), self.state, self._source) if keys else None

    def _decide(self, given: Decided | None) -> None:
        if given is not None:
            self.decided.append(given)

    def _utterance(self) -> Utterance:
        assert self.case.utterance is not None
        return self.case.utterance

    def _keep(self, **changed: Any) -> None:
        self._remember(msgspec.structs.replace(self.state.memory, **changed))

    def _remember(self, memory: Memory) -> None:
        if memory is not self.state.memory:
            self.state = msgspec.structs.replace(self.state, memory=memory)
