from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.customer.events import Interaction
from agent_assist.customer.facts import Facts
from agent_assist.customer.preferences import (
    Preference,
    PreferencePolicy,
    Preferences,
    in_words_of,
    part_of_day,
    preferences,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def contact(number: int, channel: str = "chat", days: float = 1, hour: int = 9, **more: Any) -> Interaction:
    at = (NOW - timedelta(days=days)).replace(hour=hour)
    fields = {"event_id": f"e{number}", "customer_id": "c", "at": at, "interaction_id": f"i{number}"}
    return msgspec.convert(fields | {"channel": channel} | more, Interaction)


def shown(*contacts: Interaction, **more: Any) -> Preferences:
    return preferences(Facts(customer_id="c", interactions=contacts, **more), NOW, UTC)


def test_what_most_contacts_show_is_preferred_with_its_evidence() -> None:
    found = shown(
        *[contact(i, days=10 - i) for i in range(6)], contact(7, "phone", hour=20), contact(8, "email", hour=20)
    )
    assert found.channel == Preference(
        value="chat", source="shown", support=6, of=8, evidence=("i1", "i2", "i3", "i4", "i5")
    )
    assert found.part_of_day is not None
    assert (found.part_of_day.value, found.part_of_day.support, found.part_of_day.of) == ("morning", 6, 8)
    assert found.language is None


def test_too_few_or_too_mixed_contacts_show_nothing() -> None:
    assert shown(contact(1), contact(2)).channel is None
    assert shown(*[contact(i) for i in range(4)], *[contact(i, "phone") for i in range(4, 8)]).channel is None


def test_what_we_began_is_too_old_or_is_to_come_shows_nothing() -> None:
    ours = [contact(i, direction="out") for i in range(5)]
    old = [contact(i, days=400) for i in range(5, 10)]
    to_come = [contact(i, days=-3) for i in range(10, 15)]
    assert shown(*ours, *old, *to_come) == Preferences()


def test_what_a_person_set_comes_before_what_is_shown() -> None:
    chats = [contact(i, issue="refund") for i in range(6)]
    attributes = {
        "prefers_channel": "phone",
        "prefers_time": "evening",
        "prefers_language": "en",
        "prefers_issue": "fees",
    }
    found = shown(*chats, attributes=attributes, language="zh")
    assert found.channel == Preference(value="phone", source="said")
    assert found.part_of_day == Preference(value="evening", source="said")
    assert found.language == Preference(value="en", source="said")
    assert [issue.value for issue in found.issues] == ["fees", "refund"]
    assert shown(*chats, language="zh-CN").language == Preference(value="zh-CN", source="said")


def test_issues_come_by_number_and_one_contact_is_no_habit() -> None:
    issues = ["refund", "refund", "delivery", "delivery", "delivery", "fees", ""]
    found = shown(*[contact(i, issue=issue) for i, issue in enumerate(issues)]).issues
    assert [(one.value, one.support, one.of) for one in found] == [("delivery", 3, 6), ("refund", 2, 6)]


def test_hours_are_those_of_where_the_customer_is() -> None:
    contacts = tuple(contact(i, hour=1) for i in range(4))
    there = preferences(Facts(customer_id="c", interactions=contacts), NOW, timezone(timedelta(hours=8)))
    assert there.part_of_day is not None
    assert there.part_of_day.value == "morning"
    assert [part_of_day(hour) for hour in (0, 5, 6, 10, 11, 13, 14, 17, 18, 21, 22, 23)] == [
        *["night"] * 2, *["morning"] * 2, *["midday"] * 2, *["afternoon"] * 2, *["evening"] * 2, *["night"] * 2,
    ]  # fmt: skip


@given(st.text(max_size=20), st.text(max_size=10), st.dates(date(1920, 1, 1), date(2020, 1, 1)), st.text(max_size=12))
def test_nothing_is_concluded_from_who_somebody_is(name: str, region: str, birthday: date, other: str) -> None:
    contacts = tuple(contact(i, "chat" if i % 3 else "phone", hour=i + 6, issue="fees") for i in range(12))
    attributes = dict.fromkeys(("gender", "religion", "ethnicity", "health", "age", "marital_status"), other)
    known = Facts(
        customer_id="c", interactions=contacts, name=name, region=region, birthday=birthday, attributes=attributes
    )
    assert preferences(known, NOW, UTC) == shown(*contacts)


@given(st.lists(st.sampled_from(["phone", "chat", "email"]), max_size=20), st.integers())
def test_the_order_of_contacts_does_not_matter_and_support_is_counted(channels: list[str], seed: int) -> None:
    contacts = [contact(i, channel) for i, channel in enumerate(channels)]
    found = shown(*contacts)
    Random(seed).shuffle(contacts)
    assert shown(*contacts) == found
    if found.channel is not None:
        assert found.channel.support == channels.count(found.channel.value) >= 0.6 * len(channels)


def test_the_closest_wording_of_a_region_is_taken() -> None:
    variants = {"": "您好", "CN": "你好", "CN-GD": "您好，早晨"}
    assert [in_words_of(variants, region) for region in ("CN-GD-SZ", "CN-GD", "CN-BJ", "CNX", "", "US")] == [
        "您好，早晨", "您好，早晨", "你好", "您好", "您好", "您好",
    ]  # fmt: skip


def test_a_share_that_two_could_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"above 0\.5"):
        PreferencePolicy(share=0.5)
