"""Every fault of a value is found, whatever others stand beside it."""

from typing import Annotated, Any

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.faults import Faults, line_of, shown


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    priority: Annotated[int, msgspec.Meta(ge=0)] = 0
    words: dict[str, list[str]] = {}

    def __post_init__(self) -> None:
        if self.priority and not self.words:
            raise ValueError("expected words beside a priority, got none")


def places(value: Any) -> list[str]:
    return [shown(fault.place) for fault in Faults(value, lambda one: msgspec.convert(one, list[_Rule])).found]


def test_a_fault_that_only_follows_from_another_is_not_told() -> None:
    assert places([{"id": 1}]) == ["$[0].id"]
    assert places([{"id": "a", "priority": 1, "words": {"en": [1]}}]) == ["$[0].words.en[0]"]
    assert places([{"id": "a", "priority": 1}]) == ["$[0]"]
    assert places([{"priority": -1}]) == ["$[0].priority", "$[0]"]


def test_the_value_that_was_given_is_left_as_it_is() -> None:
    value = [{"id": "b"}, 7]
    assert Faults(value, lambda one: msgspec.convert(one, list[_Rule])).sound == [{"id": "b"}]
    assert value == [{"id": "b"}, 7]


@given(st.lists(st.sets(st.sampled_from(["priority", "words", "colour"])), max_size=8))
def test_as_many_faults_are_found_as_there_are_and_at_their_places(wrong: list[set[str]]) -> None:
    bad = {"priority": "high", "words": {"en": ["a"], "zh": ["b", 3]}, "colour": "red"}
    at = {"priority": "priority", "words": "words.zh[1]", "colour": "colour"}
    value = [{"id": str(number)} | {name: bad[name] for name in names} for number, names in enumerate(wrong)]
    expected = {f"$[{number}].{at[name]}" for number, names in enumerate(wrong) for name in names}
    found = places(value)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_place_has_the_line_on_which_it_begins() -> None:
    raw = b"name: x\nrules:\n- id: a\n- id: b\n  words:\n    en: [one,\n      two]\n"
    assert yaml.safe_load(raw)["rules"][1]["words"]["en"][1] == "two"
    lines = {(): None, ("name",): 1, ("rules",): 2, ("rules", 1): 4, ("rules", 1, "words", "en", 1): 7}
    assert {place: line_of(raw, place) for place in lines} == lines
    assert line_of(raw, ("rules", 1, "none")) == 4
