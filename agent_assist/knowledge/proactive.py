"""Articles for what is said in a running call, before anybody asks. No clock, no socket."""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from agent_assist.knowledge.codes import codes
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.types import Hit
from audio.types import Channel
from models.types import Utterance

_QUESTION: Final = re.compile(
    r"[?？]|怎么|如何|为什么|什么时候|多久|能不能|可不可以|吗|\b(?:how|why|when|what|where|can|could|does|do|is)\b",
    re.IGNORECASE,
)
_FAULT: Final = re.compile(
    r"报错|故障|坏了|不能用|用不了|打不开|没反应|断网|没有收到|没收到"
    r"|\b(?:broken|fault|error|not work\w*|does not work|down|crash\w*|cannot|can't)\b",
    re.IGNORECASE,
)


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """An article that may help with what was just said."""

    utterance_id: str
    hit: Hit
    reason: str
    """"code", "fault" or "question"."""
    trigger: tuple[str, ...]
    """The words that gave rise to it, as heard."""


@dataclass(frozen=True, slots=True)
class ProactivePolicy:
    enough: float = 0.6
    """Score from which on an article is shown unasked; higher than for one that was asked for."""
    shortest: int = 4
    """Characters of an utterance that may be a question."""


class Proactive:
    """Suggestions of one call: of each article at most one, of each utterance at most one."""

    def __init__(self, index: KnowledgeIndex, policy: ProactivePolicy = ProactivePolicy()) -> None:
        self._index = index
        self._policy = policy
        self._shown: set[str] = set()

    def push(self, utterance: Utterance) -> list[Suggestion]:
        """Look at a final of the customer; those of the agent give none."""
        text = utterance.text.strip()
        if utterance.channel is not Channel.CUSTOMER or len(text) < self._policy.shortest:
            return []
        reason, trigger = _reason(text)
        if reason is None:
            return []
        language = "zh" if utterance.language.startswith("zh") else "en"
        answer = self._index.search(text, language=None if reason == "code" else language, limit=3)
        for hit in answer.hits:
            topic = f"{hit.kind.value}:{hit.key}"
            if hit.score >= self._policy.enough and hit.passage:
                if topic in self._shown:
                    return []
                self._shown.add(topic)
                return [Suggestion(utterance_id=utterance.id, hit=hit, reason=reason, trigger=trigger)]
        return []

    def flush(self) -> list[Suggestion]:
        """The call has ended: nothing is held back."""
        return []


def _reason(text: str) -> tuple[str | None, tuple[str, ...]]:
    named = tuple(text[code.start : code.end] for code in codes(text) if code.certain)
    if named:
        return "code", named
    for reason, pattern in (("fault", _FAULT), ("question", _QUESTION)):
        found = pattern.search(text)
        if found is not None:
            return reason, (found.group(),)
    return None, ()
