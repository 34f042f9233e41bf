"""Articles for what is said in a running call, before anybody asks. No clock, no socket."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from agent_assist.knowledge.codes import codes
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.types import Article
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


Reason = Literal["code", "fault", "question"]
_REASONS: Final[tuple[tuple[Reason, re.Pattern[str]], ...]] = (("fault", _FAULT), ("question", _QUESTION))


@dataclass(frozen=True, slots=True)
class ProactivePolicy:
    shortest: int = 4
    """Characters of an utterance that may be a question."""
    most_a_minute: int = 3
    """Articles in a minute of the call: an agent who speaks reads no more."""


class Proactive:
    """
    Articles of one call: each at most once, of each utterance at most one, and so many in a minute of the call.

    Args:
        shown: Id of each article that the call was shown already, and when: a worker that takes a call over begins
            where the one before stopped.
    """

    def __init__(
        self,
        index: KnowledgeIndex,
        call_id: str,
        *,
        shown: Mapping[str, int] = MappingProxyType({}),
        policy: ProactivePolicy = ProactivePolicy(),
    ) -> None:
        self._index = index
        self._call_id = call_id
        self._policy = policy
        self._shown = dict(shown)

    def push(self, utterance: Utterance) -> list[Article]:
        """Look at a final of the customer; those of the agent give none. May take a search's time."""
        text = utterance.text.strip()
        if utterance.channel is not Channel.CUSTOMER or len(text) < self._policy.shortest:
            return []
        reason, trigger = _reason(text)
        if reason is None or self._is_enough(utterance.end_ms):
            return []
        language = "zh" if utterance.language.startswith("zh") else "en"
        answer = self._index.search(text, language=None if reason == "code" else language, limit=3)
        hit = next((hit for hit in answer.hits if hit.score >= self._index.policy.unasked and hit.passage), None)
        if hit is None:
            return []
        article_id = f"{self._call_id}:article:{hit.kind.value}:{hit.key}"
        if article_id in self._shown:
            return []
        self._shown[article_id] = utterance.end_ms
        return [
            Article(
                id=article_id,
                call_id=self._call_id,
                at_ms=utterance.end_ms,
                utterance_id=utterance.id,
                kind=hit.kind,
                key=hit.key,
                version=hit.version,
                title=hit.title,
                heading=hit.heading,
                passage=hit.passage,
                marks=hit.marks,
                source=hit.source,
                score=hit.score,
                reason=reason,
                trigger=trigger,
                language=hit.language,
                revision=answer.revision,
            )
        ]

    def _is_enough(self, at_ms: int) -> bool:
        lately = sum(at_ms - 60_000 < at <= at_ms for at in self._shown.values())
        return lately >= self._policy.most_a_minute


def _reason(text: str) -> tuple[Reason | None, tuple[str, ...]]:
    named = tuple(text[code.start : code.end] for code in codes(text) if code.certain)
    if named:
        return "code", named
    for reason, pattern in _REASONS:
        found = pattern.search(text)
        if found is not None:
            return reason, (found.group(),)
    return None, ()
