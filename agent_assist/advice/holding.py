"""What of a playbook's ``when`` holds of a call, as of an utterance or of its start."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from agent_assist.advice.conditions import Phrases
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.flow import When
from agent_assist.advice.matching import known_of
from agent_assist.advice.profile import ProfileCondition
from agent_assist.call.before import risk_before
from agent_assist.call.course import Why
from agent_assist.call.state import CallState
from audio.types import Channel
from models.types import ChurnRisk, Utterance

_SHOWN: Final = 80
"""Characters of an utterance that is told as what gave rise to something, where no words of it did."""


class Heard(NamedTuple):
    """An utterance that the state has taken in, and what the rules make of it."""

    utterance: Utterance
    evidence: Evidence
    risk: ChurnRisk | None

    def words(self, phrases: Phrases) -> str:
        """The first that stands in it, as it was heard; empty where none does."""
        found = self.evidence.find(phrases)
        return self.evidence.heard(found[0]) if found else ""


class Holding(NamedTuple):
    """Something that holds, with what was heard where that decides."""

    why: Why
    words: str = ""


class Profiles:
    """
    Conditions on profiles, each compiled once.

    Args:
        sources: In CEL; None are left out.
    """

    def __init__(self, sources: Iterable[str | None]) -> None:
        self._ready = {source: ProfileCondition(source) for source in sources if source is not None}

    def hold(self, source: str, state: CallState, name: str, failed: dict[str, str]) -> bool:
        """
        Whether a condition holds.

        Args:
            name: Whose it is, for ``failed``: there the kind of error stands where it cannot be calculated.
        """
        try:
            return self._ready[source].holds(known_of(state))
        except (TypeError, RuntimeError) as error:
            failed[name] = type(error).__name__
            return False


def holding(when: When, state: CallState, heard: Heard | None, fired: Collection[str]) -> list[Holding]:
    """
    What holds but for the profile, the most telling first.

    Args:
        heard: None at the start of the call.
        fired: Ids of the rules that have fired.
    """
    found = [] if heard is None or heard.utterance.channel is Channel.AGENT else _said(when, heard)
    live = None if heard is None else heard.risk
    if when.risk is not None and (when.risk.holds(live) or when.risk.holds(risk_before(state.attributes))):
        found.append(Holding("risk"))
    if any(rule in fired for rule in when.rules):
        found.append(Holding("rule"))
    return found


def _said(when: When, heard: Heard) -> list[Holding]:
    utterance, emotion = heard.utterance, heard.utterance.emotion
    whole = utterance.text.strip()[:_SHOWN]
    found: list[Holding] = []
    if words := heard.words(when.phrases):
        found.append(Holding("words", words))
    if any(intent in utterance.intents for intent in when.intents):
        found.append(Holding("intent", whole))
    if emotion is not None and emotion.label in when.emotions and emotion.confidence >= when.least_confidence:
        found.append(Holding("emotion", whole))
    return found


def fired(state: CallState) -> set[str]:
    """Ids of the rules that have fired on a call."""
    return {key.split(":")[0] for key in state.fired}
