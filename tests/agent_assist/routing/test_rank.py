"""Who is named for a call, in what order and why."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.routing.policy import DEFAULT, load
from agent_assist.routing.rank import channel, complexity, lane, priority, rank
from agent_assist.routing.types import Agent, Complexity, Matter, Skill
from models.intent import Intent
from models.types import RiskLevel

POLICY = load()


def matter(**told: Any) -> Matter:
    return Matter(call_id="c", **told)


def agent(name: str, *skills: str, languages: tuple[str, ...] = ("zh",), years: float = 3, **more: Any) -> Agent:
    """A skill is "technical:4" or, certified, "technical:4+"."""
    parts = [(one.partition(":")[0], one.partition(":")[2]) for one in skills]
    known = tuple(Skill(name=what, level=int(level[0]), certified=level.endswith("+")) for what, level in parts)
    return Agent(id=name, skills=known, languages=languages, experience_years=years, **more)


def ids(told: Matter, *agents: Agent) -> list[str]:
    return [one.agent_id for one in rank(told, agents, POLICY)]


def test_a_technical_matter_goes_to_the_certified_engineer() -> None:
    told = matter(skill="technical", language="zh")
    assert ids(told, agent("a", "technical:5"), agent("b", "technical:2+"), agent("c", "billing:5")) == ["b"]


def test_a_complaint_goes_to_the_experienced() -> None:
    told = matter(complaint=True, intents=(Intent.COMPLAINT,))
    assert ids(told, agent("new", years=0.5), agent("old", years=9), agent("some", years=3)) == ["old", "some"]


def test_a_caller_is_answered_in_their_language() -> None:
    speakers = agent("a", languages=("zh-CN",)), agent("b", languages=("en",)), agent("c", languages=("zh", "en-GB"))
    assert ids(matter(language="en"), *speakers) == ["b", "c"]
    assert ids(matter(language="zh"), *speakers) == ["a", "c"]
    assert ids(matter(), *speakers) == ["a", "b", "c"]


def test_where_nobody_meets_a_need_the_best_is_named_and_says_what_they_miss() -> None:
    told = matter(language="en", skill="technical", complaint=True)
    (one,) = rank(told, [agent("a", "technical:3", languages=("en",)), agent("b", "technical:5+")], POLICY)
    assert (one.agent_id, one.unmet) == ("a", ("certified",))
    found = rank(told, [agent("b", years=0)], POLICY)
    assert [(one.agent_id, one.unmet) for one in found] == [("b", ("language", "certified", "skill", "experienced"))]


def test_the_same_good_agent_again_and_the_manager_before_them() -> None:
    agents = agent("a", "billing:5"), agent("good", "billing:3"), agent("named", "billing:1", load=0.9)
    assert ids(matter(skill="billing", good_agents=("good",)), *agents)[0] == "good"
    assert ids(matter(skill="billing", good_agents=("good",), manager="named"), *agents)[0] == "named"


def test_agents_of_a_lane_come_first_for_it_and_the_dedicated_take_nobody_else() -> None:
    agents = agent("a"), agent("vip", lanes=("core",), dedicated=True, load=0.3)
    assert ids(matter(tier="core"), *agents) == ["vip", "a"]
    assert ids(matter(), *agents) == ["a"]


def test_nobody_free_is_nobody_named() -> None:
    assert ids(matter()) == []
    assert ids(matter(), agent("a", state="busy"), agent("b", state="away")) == []


def test_of_equals_the_one_with_less_to_do_and_then_by_id() -> None:
    assert ids(matter(), agent("c"), agent("a", load=0.5), agent("b")) == ["b", "c", "a"]


AGENTS = st.lists(
    st.builds(
        Agent,
        id=st.sampled_from("abcdefgh"),
        skills=st.lists(
            st.builds(Skill, name=st.sampled_from(["technical", "billing"]), level=st.integers(1, 5),
                      certified=st.booleans()), max_size=2, unique_by=lambda one: one.name).map(tuple),
        languages=st.sets(st.sampled_from(["zh", "en"])).map(lambda some: tuple(sorted(some))),
        experience_years=st.floats(0, 20),
        load=st.floats(0, 1),
        idle_s=st.floats(0, 4_000),
        lanes=st.sets(st.sampled_from(["core", "vip"])).map(lambda some: tuple(sorted(some))),
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)  # fmt: skip
MATTERS = st.builds(
    Matter,
    call_id=st.just("c"),
    tier=st.sampled_from(["", "core", "gold"]),
    risk=st.sampled_from(RiskLevel),
    intents=st.sets(st.sampled_from(Intent)).map(lambda some: tuple(sorted(some))),
    skill=st.sampled_from(["", "technical", "billing", "logistics"]),
    complaint=st.booleans(),
    language=st.sampled_from(["", "zh", "en", "fr"]),
    complexity=st.sampled_from(Complexity),
    emotional=st.booleans(),
    manager=st.sampled_from(["", "a", "x"]),
    good_agents=st.lists(st.sampled_from("abx"), unique=True).map(tuple),
)


@given(MATTERS, AGENTS, st.randoms())
def test_reasons_add_up_somebody_is_always_named_and_their_order_in_the_roster_is_nothing(
    told: Matter, agents: list[Agent], random: Any
) -> None:
    found = rank(told, agents, POLICY)
    assert bool(found) == bool(agents)
    for one in found:
        assert one.score == pytest.approx(sum(reason.points for reason in one.reasons), abs=0.01)
        assert all(reason.text["zh"] and reason.text["en"] for reason in one.reasons)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    shuffled = list(agents)
    random.shuffle(shuffled)
    assert rank(told, shuffled, POLICY) == found
    urgent = priority(told, POLICY)
    assert urgent.head_start_s == pytest.approx(sum(reason.points for reason in urgent.reasons))
    assert 0 <= urgent.head_start_s <= POLICY.of.most_head_start_s


@given(MATTERS, AGENTS)
def test_more_load_never_moves_an_agent_up(told: Matter, agents: list[Agent]) -> None:
    for at, one in enumerate(agents):
        busier = [*agents[:at], msgspec.structs.replace(one, load=1.0), *agents[at + 1 :]]
        before = [each.agent_id for each in rank(told, agents, POLICY)]
        after = [each.agent_id for each in rank(told, busier, POLICY)]
        assert set(before) == set(after)
        if one.id in before:
            assert after.index(one.id) >= before.index(one.id)


@pytest.mark.parametrize(
    ("told", "where", "head_start"),
    [
        ({"tier": "core"}, "core", 120),
        ({"segment": "core", "complaint": True}, "core", 150),
        ({"tier": "gold"}, "vip", 90),
        ({"tags": ("high_risk_high_value",)}, "vip", 90),
        ({"risk": RiskLevel.CRITICAL}, "retention", 100),
        ({"stage": "at_risk"}, "retention", 60),
        ({}, "ordinary", 0),
        ({"intents": (Intent.REPEATED_CONTACT,)}, "ordinary", 20),
        ({"tier": "core", "risk": RiskLevel.CRITICAL, "complaint": True, "emotional": True}, "core", 180),
    ],
)
def test_lanes_and_head_starts(told: dict[str, Any], where: str, head_start: float) -> None:
    one = matter(**told)
    assert (lane(one, POLICY).id, priority(one, POLICY).head_start_s) == (where, head_start)


@pytest.mark.parametrize(
    ("intents", "emotional", "overdue", "how", "suits"),
    [
        ((Intent.PRICE,), False, False, Complexity.LOW, "self_service"),
        ((Intent.DELIVERY,), False, False, Complexity.LOW, "self_service"),
        ((Intent.DELIVERY,), False, True, Complexity.MEDIUM, "chat"),
        ((Intent.REFUND,), False, False, Complexity.MEDIUM, "chat"),
        ((Intent.REFUND, Intent.REPEATED_CONTACT), False, False, Complexity.HIGH, "phone"),
        ((Intent.TECHNICAL_FAULT,), False, False, Complexity.MEDIUM, "chat"),
        ((Intent.DELIVERY,), True, False, Complexity.MEDIUM, "phone"),
        ((Intent.COMPLAINT,), False, False, Complexity.MEDIUM, "phone"),
        ((Intent.CANCEL,), False, False, Complexity.MEDIUM, "phone"),
        ((), False, False, Complexity.LOW, "phone"),
        ((Intent.THANKS,), False, False, Complexity.LOW, "phone"),
    ],
)
def test_the_channel_follows_from_how_hard_and_how_felt_a_matter_is(
    intents: tuple[Intent, ...], emotional: bool, overdue: bool, how: Complexity, suits: str
) -> None:
    found = complexity(intents, emotional=emotional, overdue=overdue, policy=POLICY)
    row = channel(matter(intents=intents, emotional=emotional, complexity=found), POLICY)
    assert (found, row.channel) == (how, suits)
    assert row.why["zh"]
    assert row.why["en"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  idle: {", "  idol: {", "points of idle, idol"),
        ("  - {channel: phone, why: {zh: 尚", "  - {channel: phone, emotional: true, why: {zh: 尚", "last channel"),
        ("overtaken_most: 3", "overtaken_most: 0", "overtaken_most"),
        ("complaint: {points: 30", "complaint: {points: -30", "priority below 0"),
    ],
)
def test_a_policy_that_is_none_says_why(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "policy.yaml"
    text = DEFAULT.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        load(path)
