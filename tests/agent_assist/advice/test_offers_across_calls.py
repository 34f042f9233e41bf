"""Offers over all calls of a customer: what was refused is not offered again soon, and not more than enough."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.playbook import Playbook
from agent_assist.advice.showing import refused_before
from agent_assist.call.before import OFFERS, OfferBefore, offers_before, written
from agent_assist.types import Card, Withheld

RULES = """
- &one {id: plan, kind: card, offer: true, topics: [plan], priority: 500, title: {en: t}, reason: {en: r}, phrases: {en: [expensive]}}
- {<<: *one, id: other_plan, topics: [plan, contract]}
- {<<: *one, id: insurance, topics: [insurance]}
"""  # noqa: E501 - one line each
PLAYBOOK = msgspec.convert(
    {
        "name": "t",
        "version": "1",
        "rules": yaml.safe_load(RULES),
        "offers": {"refused_days": 90, "per_customer": 3, "customer_days": 30},
    },
    Playbook,
)
BEFORE = st.builds(
    OfferBefore, st.sampled_from(["plan", "other_plan", "insurance"]), st.integers(0, 400), st.booleans()
)


def why(rule: str, *before: OfferBefore, offered: int = 0) -> str | None:
    return refused_before(PLAYBOOK, rule, PLAYBOOK.topics(rule), before, offered)


@pytest.mark.parametrize(("days", "told"), [(0, "refused"), (89, "refused"), (90, None), (300, None)])
def test_what_was_refused_is_not_offered_for_so_many_days(days: int, told: str | None) -> None:
    assert why("plan", OfferBefore("plan", days, True)) == told


def test_nor_is_another_offer_about_the_same_topic_but_one_about_another_is() -> None:
    assert why("other_plan", OfferBefore("plan", 5, True)) == "refused"
    assert why("insurance", OfferBefore("plan", 5, True)) is None
    assert why("insurance", OfferBefore("gone_from_the_playbook", 5, True)) is None


@pytest.mark.parametrize(("shown", "offered", "told"), [(2, 0, None), (3, 0, "enough"), (2, 1, "enough"), (0, 2, None)])
def test_enough_over_all_calls_is_enough(shown: int, offered: int, told: str | None) -> None:
    before = [OfferBefore("insurance", 29, False)] * shown + [OfferBefore("insurance", 30, False)] * 9
    assert why("plan", *before, offered=offered) == told


@given(st.lists(BEFORE, max_size=8), st.integers(0, 3))
def test_whoever_refused_is_not_offered_it_whatever_else_they_were_offered(
    before: list[OfferBefore], offered: int
) -> None:
    if any(each.refused and each.days < 90 and each.rule == "plan" for each in before):
        assert why("plan", *before, offered=offered) == "refused"
    if why("plan", *before, offered=offered) is None:
        assert sum(each.days < 30 for each in before) + offered < 3


@given(st.lists(BEFORE, max_size=8))
def test_the_attribute_says_what_was_written(before: list[OfferBefore]) -> None:
    assert offers_before({OFFERS: written(before)}) == before


@given(st.text())
def test_an_attribute_that_cannot_be_read_says_nothing_wrong(text: str) -> None:
    assert all(each.days >= 0 for each in offers_before({OFFERS: text}))


def test_a_call_withholds_what_the_customer_refused_before(play: Any) -> None:
    told = play(RULES, "C: too expensive", given={OFFERS: "plan:3:refused"})
    assert [(each.rule, each.why) for each in told if isinstance(each, Withheld)] == [
        ("plan", "refused"),
        ("other_plan", "refused"),
    ]
    assert [each.rule for each in told if isinstance(each, Card)] == ["insurance"]


def test_days_are_not_negative() -> None:
    with pytest.raises(msgspec.ValidationError, match="refused_days"):
        msgspec.convert({"name": "t", "version": "1", "rules": [], "offers": {"refused_days": -1}}, Playbook)
