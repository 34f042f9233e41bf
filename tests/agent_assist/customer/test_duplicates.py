from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.duplicates import THRESHOLD, keys, likeness, person
from agent_assist.customer.facts import Facts


def facts(**changes: Any) -> Facts:
    fields: dict[str, Any] = {"customer_id": "c", "name": "张伟", "birthday": date(1990, 2, 3), "region": "四川"}
    phone, mail = changes.pop("phone", "+8613800138000"), changes.pop("mail", "zw1990@qq.example")
    known = tuple((kind, value) for kind, value in (("email", mail), ("phone", phone)) if value)
    return Facts(**(fields | changes), identities=known)


SAME = [
    ({"name": "張偉", "mail": ""}, "same"),
    ({"name": "Zhang Wei", "mail": ""}, "sound"),
    ({"name": "Wei Zhang", "phone": ""}, "sound"),
    ({"name": "章伟", "mail": "other@163.example"}, "sound"),
    ({"phone": "+8613800138001", "mail": ""}, "same"),
    ({"phone": "+8613800130800", "mail": ""}, "same"),
    ({"phone": "", "mail": "zw1990@163.example"}, "same"),
    ({"birthday": date(1990, 3, 2), "mail": ""}, "same"),
    ({"region": "四川省", "mail": "", "phone": "+8615912345678"}, "same"),
]
APART = [
    {"name": "李娜", "birthday": date(1988, 1, 1), "mail": ""},  # one number in a family
    {"birthday": date(1977, 5, 5), "phone": "+8615912345678", "mail": "x1234@qq.example"},  # a namesake
    {"name": "李娜", "phone": "+8615912345678", "mail": ""},  # born on the same day
]


@pytest.mark.parametrize(("changes", "name"), SAME)
def test_one_person_told_twice_meets_and_is_a_candidate(changes: dict[str, Any], name: str) -> None:
    one, other = person(facts()), person(facts(customer_id="d", **changes))
    assert set(keys(one)) & set(keys(other))
    found = likeness(one, other)
    assert found.agreements["name"] == name
    assert found.weight >= THRESHOLD
    assert found.probability >= 0.8


@pytest.mark.parametrize("changes", APART)
def test_two_who_share_a_little_are_none(changes: dict[str, Any]) -> None:
    assert likeness(person(facts()), person(facts(customer_id="d", **changes))).weight < THRESHOLD


def test_of_somebody_of_whom_nothing_is_known_there_is_nothing_to_compare() -> None:
    nobody = person(Facts(customer_id="x"))
    assert list(keys(nobody)) == []
    assert likeness(nobody, person(facts())) == (0.0, {})


_SOME = st.builds(
    facts,
    name=st.sampled_from(["", "张伟", "張偉", "Zhang Wei", "王小明", "O'Neil, Shaun", "ｗａｎｇ", "阿卜杜拉·买买提"]),
    phone=st.sampled_from(["", "+8613800138000", "+8613800138001", "1"]),
    mail=st.sampled_from(["", "a@b.c", "zw1990@qq.example", "zw1990+shop@QQ.example"]),
    birthday=st.sampled_from([None, date(1990, 2, 3), date(1990, 3, 2), date(2000, 2, 29)]),
    region=st.sampled_from(["", "四川", "四川省", "London"]),
)


@given(_SOME, _SOME)
def test_likeness_is_the_same_in_both_directions(one: Facts, other: Facts) -> None:
    ours, theirs = person(one), person(other)
    assert likeness(ours, theirs) == likeness(theirs, ours)
    assert likeness(ours, ours).weight >= likeness(ours, theirs).weight - 12
