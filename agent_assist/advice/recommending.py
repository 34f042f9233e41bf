"""Which solution, product or service fits a call just now: ranked, each with its reason."""

from collections.abc import Collection
from typing import Final, NamedTuple

from agent_assist.advice.cards import Decided, in_language
from agent_assist.advice.conditions import FILLS
from agent_assist.advice.holding import Heard, Holding, Profiles, holding
from agent_assist.advice.recommendation import Candidate, Recommendations
from agent_assist.call.course import Why
from agent_assist.call.state import CallState
from agent_assist.types import Card, CardKind
from audio.types import Channel

_TELLS: Final[dict[Why, float]] = {
    "words": 0.8,
    "intent": 0.7,
    "rule": 0.7,
    "profile": 0.4,
    "risk": 0.4,
    "emotion": 0.3,
}
"""How much each says for a candidate, 0 ... 1: ours, set by judgement."""


class Ranked(NamedTuple):
    candidate: Candidate
    score: float
    """0 ... 1."""
    for_it: tuple[Holding, ...]
    """What speaks for it, the most telling first; never empty."""


class Recommender:
    """Candidates made ready; keeps nothing of any call."""

    def __init__(self, recommendations: Recommendations, source: str) -> None:
        self._all = recommendations.candidates
        self._at_most = recommendations.at_most
        self._source = source
        self._profiles = Profiles(source for each in self._all for source in (each.only, each.when.profile))

    def rank(self, state: CallState, heard: Heard, fired: Collection[str], failed: dict[str, str]) -> list[Ranked]:
        """All that fit and were not shown yet, the best first; those that are equal by their id."""
        if heard.utterance.channel is Channel.AGENT:
            return []
        found = [
            _weighed(each, reasons)
            for each in self._all
            if each.rule not in state.fired and (reasons := self._reasons(each, state, heard, fired, failed))
        ]
        return sorted(found, key=lambda ranked: (-ranked.score, ranked.candidate.id))

    def _reasons(
        self, candidate: Candidate, state: CallState, heard: Heard, fired: Collection[str], failed: dict[str, str]
    ) -> list[Holding]:
        if candidate.languages and state.language not in candidate.languages:
            return []
        if any(step not in state.course.done for step in candidate.after_steps):
            return []
        name, when = candidate.rule, candidate.when
        if candidate.only is not None and not self._profiles.hold(candidate.only, state, name, failed):
            return []
        reasons = holding(when, state, heard, fired)
        if when.profile is not None and self._profiles.hold(when.profile, state, name, failed):
            reasons.append(Holding("profile"))
        return reasons

    def decide(self, state: CallState, heard: Heard, fired: Collection[str], failed: dict[str, str]) -> list[Decided]:
        """The cards of the best; they are offers, and may be held back like those."""
        best = self.rank(state, heard, fired, failed)[: self._at_most]
        return [self._card(ranked, state, heard) for ranked in best]

    def _card(self, ranked: Ranked, state: CallState, heard: Heard) -> Decided:
        candidate, language = ranked.candidate, state.language
        words = next((each.words for each in ranked.for_it if each.words), "")
        fills = dict.fromkeys(FILLS, "") | {"words": words, "customer_name": state.customer_name or ""}
        card = Card(
            id=f"{state.call_id}:{candidate.rule}:{heard.utterance.id}",
            call_id=state.call_id,
            rule=candidate.rule,
            kind=CardKind.CARD,
            title=in_language(candidate.title, language).format_map(fills),
            text=in_language(candidate.text, language).format_map(fills),
            at_ms=heard.utterance.end_ms,
            utterance_id=heard.utterance.id,
            priority=candidate.priority,
            language=language,
            reason=in_language(candidate.reason, language).format_map(fills),
            trigger=(words,) if words else (),
            source=self._source,
            offer=True,
        )
        return Decided(None, (candidate.rule,), card, candidate.topics)


def _weighed(candidate: Candidate, reasons: list[Holding]) -> Ranked:
    """
    Each reason takes its own share of the doubt that is left, so that no number of weak ones makes certain.

    Source: J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2 (noisy-or).
    """
    doubt = 1.0
    for each in reasons:
        doubt *= 1 - _TELLS[each.why]
    return Ranked(candidate, candidate.weight * (1 - doubt), tuple(sorted(reasons, key=lambda r: -_TELLS[r.why])))
