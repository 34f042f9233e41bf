"""The space in which texts are compared."""

import numpy as np
import pytest

from agent_assist.knowledge.space import Vectors


def test_what_is_no_nearer_than_strangers_counts_as_nothing_and_the_same_as_one() -> None:
    space = Vectors("e5", lambda texts: np.zeros((len(texts), 2), dtype=np.float32), apart=0.75)
    near = space.nearness(np.array([0.0, 0.75, 0.875, 1.0], dtype=np.float32))
    assert near.tolist() == pytest.approx([0.0, 0.0, 0.5, 1.0])
