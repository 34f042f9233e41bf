"""Articles before anybody asks."""

import pytest

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex, SearchPolicy
from agent_assist.knowledge.proactive import Proactive, ProactivePolicy
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import Node
from audio.types import Channel
from models.types import Utterance


def said(text: str, channel: Channel = Channel.CUSTOMER, end_ms: int = 1_000) -> Utterance:
    return Utterance(
        id=f"c:{text}",
        channel=channel,
        number=0,
        start_ms=0,
        end_ms=end_ms,
        text=text,
        language="zh" if "一" <= text[0] <= "鿿" else "en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )


@pytest.fixture
def index(base: KnowledgeBase, vectors: Vectors, catalogue: list[Node]) -> KnowledgeIndex:
    base.draft(catalogue)
    base.publish(vectors=vectors)
    return KnowledgeIndex(base, vectors)


@pytest.fixture
def call(index: KnowledgeIndex) -> Proactive:
    return Proactive(index, "c")


def test_a_code_that_is_said_brings_its_solution_once(call: Proactive) -> None:
    (found,) = call.push(said("我的净化器报错 E 一二三"))
    assert (found.id, found.reason, found.trigger) == ("c:article:solution:filter", "code", ("E 一二三",))
    assert (found.version, found.score, found.revision) == (1, 1.0, 1)
    assert [found.passage[mark.start : mark.end] for mark in found.marks] == ["净化器报错"]
    assert call.push(said("就是净化器报错 E 一二三")) == []


def test_a_question_brings_an_article_and_small_talk_and_the_agent_bring_none(call: Proactive) -> None:
    assert call.push(said("好的谢谢你")) == []
    assert call.push(said("退款多久到账", Channel.AGENT)) == []
    assert [one.key for one in call.push(said("退款多久到账"))] == ["refund"]
    assert call.push(said("那退款多久到账呢")) == []


def test_a_worker_that_takes_the_call_over_shows_nothing_again(index: KnowledgeIndex) -> None:
    first, then = said("退款多久到账"), said("我的净化器报错 E 一二三", end_ms=9_000)
    whole = Proactive(index, "c")
    shown = [*whole.push(first), *whole.push(then)]
    (before,) = Proactive(index, "c").push(first)
    taken_over = Proactive(index, "c", shown={before.id: before.at_ms})
    assert [before, *taken_over.push(first), *taken_over.push(then)] == shown


def test_a_minute_of_the_call_shows_so_many_and_the_next_one_more(index: KnowledgeIndex) -> None:
    call = Proactive(index, "c", policy=ProactivePolicy(most_a_minute=1))
    assert len(call.push(said("退款多久到账"))) == 1
    assert call.push(said("我的净化器报错 E 一二三", end_ms=60_999)) == []
    assert [one.key for one in call.push(said("我的净化器报错 E 一二三", end_ms=61_000))] == ["filter"]


def test_what_was_withdrawn_is_shown_to_nobody_from_then_on(base: KnowledgeBase, call: Proactive) -> None:
    base.withdraw(["article:refund"])
    assert call.push(said("退款多久到账")) == []


def test_a_stricter_bound_for_what_nobody_asked_shows_less(base: KnowledgeBase, index: KnowledgeIndex) -> None:
    strict = KnowledgeIndex(base, index.vectors, SearchPolicy(unasked=1.0))
    assert Proactive(strict, "c").push(said("退款多久到账")) == []
    assert [hit.key for hit in strict.search("退款多久到账").hits] == ["refund"]
