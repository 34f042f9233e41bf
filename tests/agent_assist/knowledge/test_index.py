"""Search over a small base."""

import multiprocessing
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex, SearchPolicy
from agent_assist.knowledge.space import Vectors
from agent_assist.knowledge.types import Node, NodeKind

Make = Callable[..., Node]


@pytest.fixture
def index(base: KnowledgeBase, vectors: Vectors, catalogue: list[Node]) -> KnowledgeIndex:
    base.draft(catalogue)
    base.publish(vectors=vectors)
    return KnowledgeIndex(base, vectors)


def keys(index: KnowledgeIndex, question: str, **more: object) -> list[str]:
    return [hit.key for hit in index.search(question, **more).hits]  # type: ignore[arg-type]


def test_a_question_of_a_product_and_a_code_leads_to_its_solution(index: KnowledgeIndex) -> None:
    for question in ("空气净化器报错代码E-123怎么解决", "净化器显示 E 一二三", "air purifier shows e one two three"):
        answer = index.search(question)
        assert answer.codes == ("E-123",)
        assert (answer.hits[0].key, answer.hits[0].why, answer.hits[0].score) == ("filter", "code", 1.0)


def test_the_same_code_of_another_product_leads_elsewhere(index: KnowledgeIndex) -> None:
    assert keys(index, "printer says E-123")[0] == "tray"
    assert "filter" not in keys(index, "printer says E-123")


def test_a_code_that_is_nearly_the_same_gives_no_answer_of_the_other(index: KnowledgeIndex) -> None:
    for question in ("空气净化器报错E-125怎么解决", "error E-1234", "报错 E 一二", "E-12"):
        answer = index.search(question)
        assert answer.hits == ()
        assert len(answer.codes) == 1
    assert keys(index, "空气净化器报错E-124怎么解决")[0] == "fan"


def test_a_question_in_other_words_is_answered_and_one_of_nothing_is_not(index: KnowledgeIndex) -> None:
    assert keys(index, "how do I terminate my plan")[0] == "cancel"
    assert keys(index, "明天天气怎么样") == []
    assert keys(index, "") == []
    assert keys(index, "！？…") == []


def test_an_answer_tells_its_source_passage_and_the_words_in_it(index: KnowledgeIndex) -> None:
    hit = index.search("退款到账要多久").hits[0]
    body = "# 时间\n\n退款会在三个工作日内到账。\n\n# 方式\n\n原路退回。"
    assert (hit.key, hit.version, hit.heading) == ("refund", 1, "时间")
    assert hit.passage == body[hit.start : hit.end]
    assert [hit.passage[mark.start : mark.end] for mark in hit.marks] == ["退款", "到账"]


def test_a_language_can_be_asked_for(index: KnowledgeIndex) -> None:
    assert keys(index, "cancel a plan", language="zh") == []
    assert keys(index, "cancel a plan", language="en") == ["cancel"]


def test_without_an_embedding_words_alone_answer(base: KnowledgeBase, catalogue: list[Node]) -> None:
    base.draft(catalogue)
    base.publish()
    assert keys(KnowledgeIndex(base), "怎么退款，多久到账")[0] == "refund"


def test_a_draft_is_not_found_before_it_is_published_and_what_it_replaced_never_after(
    index: KnowledgeIndex, base: KnowledgeBase, vectors: Vectors, article: Make
) -> None:
    base.draft([article("refund", "退款多久到账", "退款会在七个工作日内到账。")])
    assert "三个" in index.search("退款多久到账").hits[0].passage
    base.publish(["article:refund"], vectors=vectors)
    hit = index.search("退款多久到账").hits[0]
    assert (hit.version, hit.passage) == (2, "退款会在七个工作日内到账。")
    base.withdraw(["article:refund"])
    assert "refund" not in keys(index, "退款多久到账")


def _publish_elsewhere(url: str, body: str) -> None:
    other = KnowledgeBase(url)
    other.draft([Node(kind=NodeKind.ARTICLE, key="refund", title="退款多久到账", language="zh", body=body)])
    other.publish()
    other.close()


@pytest.mark.slow
def test_what_another_process_published_is_the_next_answer(url: str, base: KnowledgeBase) -> None:
    index = KnowledgeIndex(base)
    for body in ("三个工作日内到账。", "五个工作日内到账。", "七个工作日内到账。"):
        process = multiprocessing.get_context("spawn").Process(target=_publish_elsewhere, args=(url, body))
        process.start()
        process.join(60)
        assert process.exitcode == 0
        assert [hit.passage for hit in index.search("退款多久到账").hits] == [body]


def test_an_article_that_another_replaces_is_not_told(base: KnowledgeBase, article: Make) -> None:
    base.draft(
        [
            article("old", "退款多久到账", "三天。"),
            article("new", "退款多久到账", "五天。", ("replaces", "article", "old")),
        ]
    )
    base.publish()
    index = KnowledgeIndex(base)
    assert keys(index, "退款多久到账") == ["new"]
    base.withdraw(["article:new"])
    assert keys(index, "退款多久到账") == ["old"]


def test_many_small_changes_are_found_as_one_whole_build_finds_them(
    base: KnowledgeBase, vectors: Vectors, catalogue: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_assist.knowledge.index._MERGE", 4)
    grown = KnowledgeIndex(base, vectors)
    for node in catalogue:
        base.draft([node])
        base.publish(vectors=vectors)
        grown.refresh()
    whole = KnowledgeIndex(base, vectors)
    for question in ("退款多久到账", "cancel plan", "净化器报错E-124"):
        assert keys(grown, question) == keys(whole, question)


@pytest.mark.parametrize(
    "question",
    ["'; DROP TABLE knowledge_nodes; --", "(a+)+$" * 2_000, "E1-" * 5_000, "%_\\x00\0", "退款" * 100_000, "<script>"],
)
def test_hostile_questions_are_only_questions(index: KnowledgeIndex, base: KnowledgeBase, question: str) -> None:
    index.search(question)
    assert base.count() == 10


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(question=st.text(max_size=200))
def test_scores_fall_and_marks_lie_in_the_passage(index: KnowledgeIndex, question: str) -> None:
    hits = index.search(question).hits
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert 0 <= hit.score <= 1
        assert all(0 <= mark.start < mark.end <= len(hit.passage) for mark in hit.marks)


def test_a_stricter_bound_tells_no_more_and_the_score_of_what_is_told_reaches_it(
    base: KnowledgeBase, vectors: Vectors, catalogue: list[Node]
) -> None:
    base.draft(catalogue)
    base.publish(vectors=vectors)
    told = [
        KnowledgeIndex(base, vectors, SearchPolicy(enough=enough)).search("退款到账要多久").hits
        for enough in (0.0, 0.15, 0.6, 1.0)
    ]
    assert [len(hits) for hits in told] == sorted((len(hits) for hits in told), reverse=True)
    assert (told[2][0].key, told[3]) == ("refund", ())
    assert all(hit.score >= 0.6 for hit in told[2])


def test_one_of_two_that_fit_as_well_is_less_sure_than_one_alone(
    base: KnowledgeBase, vectors: Vectors, article: Make
) -> None:
    base.draft([article("one", "退款多久到账")])
    base.publish(vectors=vectors)
    index = KnowledgeIndex(base, vectors)
    alone = index.search("退款多久到账").hits[0].score
    base.draft([article("two", "退款多久到账")])
    base.publish(vectors=vectors)
    assert index.search("退款多久到账").hits[0].score < alone


def test_what_was_published_without_an_embedding_is_found_by_its_words_beside_the_others(
    base: KnowledgeBase, vectors: Vectors, article: Make
) -> None:
    base.draft([article("refund", "退款多久到账", "三个工作日。")])
    base.publish()
    base.draft([article("cancel", "Cancel a plan")])
    base.publish(vectors=vectors)
    index = KnowledgeIndex(base, vectors)
    assert keys(index, "退款多久到账") == ["refund"]
    assert keys(index, "terminate a plan") == ["cancel"]


def test_others_are_told_beside_an_answer_and_not_without_one(
    base: KnowledgeBase, vectors: Vectors, article: Make
) -> None:
    base.draft([article("one", "退款多久到账"), article("two", "退款多久到账")])
    base.publish(vectors=vectors)
    chance = KnowledgeIndex(base, vectors).search("退款多久到账").hits[0].score
    for question, enough, told in (("退款多久到账", chance, 2), ("退款多久到账", chance + 0.001, 0)):
        policy = SearchPolicy(enough=enough - 0.0001)
        assert len(KnowledgeIndex(base, vectors, policy).search(question).hits) == told


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("how do I reset the router", "reset"),
        ("why does my router blink red", "lights"),
        ("请问路由器怎么重启啊", "restart"),
        ("请问我家路由器的指示灯怎么一直闪红灯", "lamp"),
        ("what is the weather tomorrow", None),
        ("how do I cancel my plan", None),
        ("请问怎么取消套餐", None),
    ],
)
def test_a_base_of_two_articles_answers_what_they_say_and_nothing_else(
    base: KnowledgeBase, article: Make, question: str, key: str | None
) -> None:
    if question.isascii():
        base.draft([article("reset", "Reset the router", "Hold the button for ten seconds.")])
        base.draft([article("lights", "Router lights", "The router blinks red when the line is down.")])
    else:
        base.draft([article("restart", "如何重启路由器", "按住按钮十秒。")])
        base.draft([article("lamp", "路由器指示灯", "线路中断时路由器的指示灯一直闪红灯。")])
    base.publish()
    assert next(iter(keys(KnowledgeIndex(base), question)), None) == key
