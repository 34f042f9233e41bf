"""Articles before anybody asks."""

import pytest

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.proactive import Proactive
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import Node
from audio.types import Channel
from models.types import Utterance


def said(text: str, channel: Channel = Channel.CUSTOMER) -> Utterance:
    return Utterance(
        id=f"c:{text}",
        channel=channel,
        number=0,
        start_ms=0,
        end_ms=1_000,
        text=text,
        language="zh" if "一" <= text[0] <= "鿿" else "en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
    )


@pytest.fixture
def call(base: KnowledgeBase, vectors: Vectors, catalogue: list[Node]) -> Proactive:
    base.draft(catalogue)
    base.publish(vectors=vectors)
    return Proactive(KnowledgeIndex(base, vectors))


def test_a_code_that_is_said_brings_its_solution_once(call: Proactive) -> None:
    (found,) = call.push(said("我的净化器报错 E 一二三"))
    assert (found.hit.key, found.reason, found.trigger) == ("filter", "code", ("E 一二三",))
    assert call.push(said("就是净化器报错 E 一二三")) == []


def test_a_question_brings_an_article_and_small_talk_and_the_agent_bring_none(call: Proactive) -> None:
    assert call.push(said("好的谢谢你")) == []
    assert call.push(said("退款多久到账", Channel.AGENT)) == []
    assert [one.hit.key for one in call.push(said("退款多久到账"))] == ["refund"]
    assert call.push(said("那退款多久到账呢")) == []
    assert call.flush() == []
