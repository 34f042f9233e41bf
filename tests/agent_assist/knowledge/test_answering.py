"""What speaks for an answer is measured by the base itself."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_assist.knowledge.answering import Signs, Surroundings, chance
from agent_assist.knowledge.base import KnowledgeBase, Piece, Published
from agent_assist.knowledge.index import KnowledgeIndex, SearchPolicy
from agent_assist.knowledge.passages import Passage
from agent_assist.knowledge.segment import Segment
from agent_assist.knowledge.space import Strangers, Vectors
from agent_assist.knowledge.types import Node, NodeKind, Stored

Make = Callable[..., Node]
_SIGN = st.floats(-3, 5)


@given(
    signs=st.builds(Signs, _SIGN, _SIGN, st.sampled_from([0.0, 1.0]), st.floats(0, 1), st.floats(-1, 1)),
    more=st.floats(0.01, 3),
)
def test_each_sign_speaks_for_an_answer(signs: Signs, more: float) -> None:
    assert 0 <= chance(signs) <= 1
    for name in Signs._fields:
        assert chance(signs._replace(**{name: getattr(signs, name) + more})) >= chance(signs)


def cone(texts: Sequence[str], closeness: float) -> npt.NDArray[np.float32]:
    """Texts on "topic n" at right angles to those on others, but for what all have in common."""
    found = np.zeros((len(texts), 65), dtype=np.float32)
    for row, text in enumerate(texts):
        found[row, 0] = closeness
        topic = text.split()[1]
        found[row, 1 + int(topic)] = 1.0
        found[row, 41 + sum(map(ord, text)) % 24] = 0.4
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def signs_of(base: KnowledgeBase, closeness: float, question: str) -> Signs:
    space = Vectors(f"cone {closeness}", lambda texts: cone(texts, closeness), strangers=Strangers(0.5, 0.1))
    base.reindex(space)
    found = KnowledgeIndex(base, space).signs(question)
    assert found is not None
    return found[1]


def test_a_narrower_cone_makes_strangers_no_nearer(base: KnowledgeBase, article: Make) -> None:
    base.draft(article(f"a{n}", f"topic {n % 30} text {n}") for n in range(300))
    base.publish()
    known = [signs_of(base, closeness, "topic 7 asked").near for closeness in (0.5, 3.0)]
    strange = [signs_of(base, closeness, "topic 35 asked").near for closeness in (0.5, 3.0)]
    assert min(known) > max(strange) + 0.5


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_the_surroundings_do_not_depend_on_the_order_in_which_articles_came(data: st.DataObject) -> None:
    texts = [f"topic {n % 9} text {n}" for n in range(60)]
    published = [
        Published(
            Stored(node=Node(kind=NodeKind.ARTICLE, key=str(n), title=text, language="en"), version=1),
            (Piece(Passage("", 0, 0), vector.astype(np.float16)),),
        )
        for n, (text, vector) in enumerate(zip(texts, cone(texts, 1.0), strict=True))
    ]
    order = data.draw(st.permutations(published))
    cut = data.draw(st.integers(1, 59))
    space = Vectors("cone", lambda some: cone(some, 1.0))
    question = cone(["topic 3 asked"], 1.0)[0]
    found = []
    for parts in ([published], [order[:cut], order[cut:]]):
        segments = [Segment(part) for part in parts]
        around = Surroundings(segments, space)
        nearest = around.nearest("en", [segment.cosines(question) for segment in segments])
        (segment, at) = next((s, row) for s in segments for row in s.of_node("article:3"))
        found.append(around.stand_out(segment, at, float(segment.cosines(question)[at]), nearest))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_question_on_nothing_in_the_base_is_not_answered_and_one_on_something_is(
    base: KnowledgeBase, article: Make
) -> None:
    space = Vectors("cone", lambda texts: cone(texts, 3.0), strangers=Strangers(0.5, 0.1))
    base.draft(article(f"a{n}", f"topic {n % 30} text {n}") for n in range(300))
    base.publish(vectors=space)
    index = KnowledgeIndex(base, space)
    assert index.search("topic 7 asked").hits
    assert index.search("other 35 asked").hits == ()
    assert KnowledgeIndex(base, space, SearchPolicy(enough=0.0)).search("other 35 asked").hits
