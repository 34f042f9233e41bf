"""What the rules say of a stored call, beside what was shown while it ran."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.proactive import Proactive
from agent_assist.types import Article, CallRecord, Card, Degraded, Event, Final, Hint


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A call read again."""

    call_id: str
    same: tuple[Card, ...]
    """Shown then, and shown again."""
    changed: tuple[tuple[Card, Card], ...]
    """Of the same rule and utterance, as it was shown then and as it is now."""
    missing: tuple[Card, ...]
    """Shown then, and not again."""
    added: tuple[Card, ...]
    """Not shown then."""
    failed: tuple[str, ...]
    """Rules that could not be run now."""
    missing_hints: tuple[Hint, ...] = ()
    """At what was known: shown then, and not again."""
    added_hints: tuple[Hint, ...] = ()
    """Not shown then, as in calls from before there were hints."""
    articles: "Looked | None" = None
    """None where there is no knowledge base to ask."""

    @property
    def agrees(self) -> bool:
        """Whether the same was shown; articles count as far as the knowledge is the same."""
        if self.articles is not None and not self.articles.agree:
            return False
        differing = (self.changed, self.missing, self.added, self.missing_hints, self.added_hints, self.failed)
        return not any(differing)


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """The articles of a call, looked up again."""

    knowledge: Literal["same", "changed", "unknown"]
    """Whether the base is as it was when the articles were shown; "unknown" where none was."""
    same: tuple[Article, ...]
    missing: tuple[Article, ...]
    """Shown then, and not again."""
    added: tuple[Article, ...]
    """Not shown then."""

    @property
    def agree(self) -> bool:
        """Whether the same was shown, as far as can be said."""
        return self.knowledge != "same" or not (self.missing or self.added)


class Advised(NamedTuple):
    """What follows from events."""

    cards: list[Card]
    hints: list[Hint]
    failed: list[str]
    """Rules that could not be run."""


def advised(assistant: Assistant, events: Iterable[Event]) -> Advised:
    """What is shown to the agent of a call."""
    state: CallState | None = None
    cards: list[Card] = []
    hints: list[Hint] = []
    failed: list[str] = []
    for event in events:
        state, told = assistant.step(state, event)
        for message in told:
            if isinstance(message, Card) and not message.provisional:
                cards.append(message)
            elif isinstance(message, Hint):
                hints.append(message)
            elif isinstance(message, Degraded) and message.stage == "rule":
                failed.append(message.reason)
    return Advised(cards, hints, failed)


def look_again(record: CallRecord, events: Iterable[Event], index: KnowledgeIndex) -> Looked:
    """Look the articles of a stored call up in the knowledge as it is now; takes a search for each question."""
    revision = index.refresh()
    call = Proactive(index, record.call_id)
    said = (event.utterance for event in events if isinstance(event, Final))
    again = {article.id: article for utterance in said for article in call.push(utterance)}
    then = {article.id: article for article in record.articles}
    revisions = {article.revision for article in record.articles}
    return Looked(
        knowledge="unknown" if not revisions else "same" if revisions == {revision} else "changed",
        same=tuple(article for article_id, article in again.items() if article_id in then),
        missing=tuple(article for article_id, article in then.items() if article_id not in again),
        added=tuple(article for article_id, article in again.items() if article_id not in then),
    )


def replay(
    record: CallRecord, events: Sequence[Event], assistant: Assistant, index: KnowledgeIndex | None = None
) -> Replayed:
    """
    Run a stored call through the rules as they are now.

    Args:
        events: Of the call, in the order in which they arrived; where finals of the two channels came in another order,
            other cards may follow.
        index: In which its articles are looked up again.
    """
    found = advised(assistant, events)
    then = {card.id: card for card in record.cards if not card.provisional}
    again = {card.id: card for card in found.cards}
    shared = [card_id for card_id in then if card_id in again]
    return Replayed(
        call_id=record.call_id,
        same=tuple(again[one] for one in shared if _shown(then[one]) == _shown(again[one])),
        changed=tuple((then[one], again[one]) for one in shared if _shown(then[one]) != _shown(again[one])),
        missing=tuple(card for card_id, card in then.items() if card_id not in again),
        added=tuple(card for card_id, card in again.items() if card_id not in then),
        failed=tuple(found.failed),
        missing_hints=tuple(hint for hint in record.hints if hint not in found.hints),
        added_hints=tuple(hint for hint in found.hints if hint not in record.hints),
        articles=None if index is None else look_again(record, events, index),
    )


def _shown(card: Card) -> Card:
    """What an agent sees of it: which version of the playbook it is from changes nothing."""
    return msgspec.structs.replace(card, source="")
