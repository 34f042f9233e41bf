"""What the phrases of the default playbook alone tell of an utterance: the product without a model of intents."""

from typing import Final

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import Rule, load
from audio.types import Channel
from models.intent import Intent

_SIGNALS: Final = {
    "cancel": Intent.CANCEL,
    "refund": Intent.REFUND,
    "complaint": Intent.COMPLAINT,
    "competitor": Intent.COMPETITOR,
    "price": Intent.PRICE,
    "repeat_contact": Intent.REPEATED_CONTACT,
    "satisfied": Intent.THANKS,
}
"""The playbook's word for each intent that it knows; of the others it knows nothing."""
KNOWN: Final = frozenset(_SIGNALS.values())


class Phrases:
    """The rules and signals of the playbook, each utterance by itself."""

    def __init__(self) -> None:
        self._playbook = load()
        names = {competitor.name: competitor.aliases for competitor in self._playbook.competitors}
        self._lexicon = Lexicon(names)

    def __call__(self, text: str) -> frozenset[Intent]:
        """The intents of a customer's utterance."""
        evidence = Evidence.of(text, self._lexicon)
        said = {rule.signal for rule in self._playbook.rules if rule.signal is not None and _matches(rule, evidence)}
        for signal, phrases in self._playbook.signals.items():
            if evidence.outside(evidence.find(phrases), self._playbook.unless.get(signal, {})):
                said.add(signal)
        return frozenset(_SIGNALS[signal] for signal in said if signal in _SIGNALS)


def _matches(rule: Rule, evidence: Evidence) -> bool:
    if rule.speaker is not Channel.CUSTOMER or evidence.find(rule.unless, denied=True):
        return False
    return bool(evidence.outside(evidence.find(rule.phrases), rule.not_within))
