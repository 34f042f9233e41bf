"""Articles beside the stream: the same whoever looks, and no call touches another."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.store.calls import CallStore
from agent_assist.types import Article, CallEnded, CallStarted, Event, Final
from audio.types import Channel
from models.errors import WeightsMissing
from models.types import Utterance
from stream.lookup import Lookup
from stream.wire import encode

QUESTION = "How do I reset the router?"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    url = f"sqlite:///{tmp_path / 'calls.db'}"
    store = CallStore(url)
    store.upgrade()
    store.close()
    base = KnowledgeBase(url)
    yield base
    base.close()


def publish(base: KnowledgeBase, body: str) -> None:
    base.draft([Node(kind=NodeKind.ARTICLE, key="router", title="How to reset the router", language="en", body=body)])
    base.publish()


def final(number: int, text: str, call: str = "c") -> Final:
    said = Utterance(
        id=f"{call}:customer:{number * 5_000}",
        channel=Channel.CUSTOMER,
        number=number,
        start_ms=number * 5_000,
        end_ms=number * 5_000 + 2_000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )
    return Final(call_id=call, utterance=said)


def told(lookup: Lookup, *events: Event) -> list[Article]:
    return [article for event in events for article in lookup.take(encode(event))]


CALL: list[Event] = [
    CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="test"),
    final(0, "hello"),
    final(1, QUESTION),
    final(2, QUESTION),
    CallEnded(call_id="c", duration_ms=20_000, reason="hangup"),
]


def test_each_call_is_shown_an_article_once(base: KnowledgeBase) -> None:
    publish(base, "Hold the button for ten seconds to reset the router.")
    lookup = Lookup(KnowledgeIndex(base), lambda _: {})
    assert [one.id for one in told(lookup, *CALL)] == ["c:article:article:router"]
    assert [one.id for one in told(lookup, final(0, QUESTION, "d"))] == ["d:article:article:router"]


@pytest.mark.parametrize("handed_over", range(len(CALL)))
def test_who_takes_a_call_over_shows_nothing_else(base: KnowledgeBase, tmp_path: Path, handed_over: int) -> None:
    publish(base, "Hold the button for ten seconds to reset the router.")
    store = CallStore(f"sqlite:///{tmp_path / 'calls.db'}")
    whole = told(Lookup(KnowledgeIndex(base), lambda _: {}), *CALL)
    first = told(Lookup(KnowledgeIndex(base), store.articles_shown), *CALL[:handed_over])
    store.write(first, {})
    then = told(Lookup(KnowledgeIndex(base), store.articles_shown), *CALL[handed_over:])
    store.close()
    assert first + then == whole


def test_what_is_published_during_a_call_is_shown_in_it(base: KnowledgeBase) -> None:
    lookup = Lookup(KnowledgeIndex(base), lambda _: {})
    assert told(lookup, final(0, QUESTION)) == []
    publish(base, "Hold the button for ten seconds to reset the router.")
    (found,) = told(lookup, final(1, QUESTION))
    assert (found.version, found.passage) == (1, "Hold the button for ten seconds to reset the router.")


def test_weights_that_are_missing_cost_the_articles_alone_and_nothing_where_there_is_no_knowledge(
    base: KnowledgeBase,
) -> None:
    def embed(_: object) -> object:
        raise WeightsMissing("e5", "a directory", "install it")

    lookup = Lookup(KnowledgeIndex(base, Vectors("e5", embed)), lambda _: {})  # type: ignore[arg-type]
    assert told(lookup, final(0, QUESTION)) == []
    publish(base, "Hold the button.")
    assert told(lookup, final(1, QUESTION)) == []


def test_what_cannot_be_read_shows_nothing(base: KnowledgeBase) -> None:
    assert Lookup(KnowledgeIndex(base), lambda _: {}).take(b"nonsense") == []
