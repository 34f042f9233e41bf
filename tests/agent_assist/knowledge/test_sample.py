"""The sample base."""

from pathlib import Path

import agent_assist.knowledge
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.reading import read
from agent_assist.knowledge.types import Node

SAMPLE = Path(agent_assist.knowledge.__file__).parent / "sample" / "articles.jsonl"


def test_the_sample_base_is_whole_and_answers_what_the_sample_calls_ask(base: KnowledgeBase) -> None:
    found = list(read(SAMPLE, SAMPLE.name))
    assert all(isinstance(one, Node) for one in found)
    base.draft(one for one in found if isinstance(one, Node))
    base.publish()
    index = KnowledgeIndex(base)
    assert index.search("净化器报错E一零五").hits[0].key == "E-105"
    assert index.search("I would like to cancel my plan").hits[0].key == "cancel-plan"
    assert index.search("我的包裹延误了一直没有收到").hits[0].key == "late-parcel"
