"""Our top-level names are ours alone in the environment."""

from importlib.metadata import packages_distributions

import pytest


@pytest.mark.parametrize("name", ["stream", "audio", "models", "agent_assist"])
def test_no_other_distribution_brings_our_name(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"warmline"}
