"""What is known of a caller before anybody answers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent_assist.customer.events import Case, CustomerEvent, Interaction, Known
from agent_assist.customer.facts import facts
from agent_assist.customer.profile import profile
from agent_assist.customer.tags import Business
from agent_assist.customer.tags import load as load_tags
from agent_assist.routing.caller import good_agents, matter
from agent_assist.routing.policy import load
from agent_assist.routing.types import Complexity, HintRequest, Matter, MenuStep
from models.intent import Intent
from models.reading import NOTHING_READ, Read
from models.sentiment import Sentiment

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = load()


def contact(day: int, agent: str, *, solved: bool | None = None, valence: float | None = None) -> Interaction:
    return Interaction(
        event_id=f"i{day}", customer_id="k", at=NOW - timedelta(days=day), interaction_id=f"i{day}", channel="phone",
        agent_id=agent, solved=solved, valence=valence,
    )  # fmt: skip


def known(*events: CustomerEvent, read: Read = NOTHING_READ, **asked: Any) -> Matter:
    request = HintRequest(call_id="c", **asked)
    told = facts("k", events)
    seen = profile(told, NOW, load_tags(), Business()) if events else None
    return matter(request, seen, told if events else None, POLICY, read)


def test_agents_are_good_by_the_latest_contact_alone() -> None:
    events = [
        contact(9, "anna", solved=True),
        contact(3, "anna", solved=False),
        contact(8, "ben", valence=0.4),
        contact(5, "cleo", valence=-0.2),
        contact(2, "dan", solved=True, valence=-0.9),
        contact(1, "eve"),
    ]
    assert good_agents(facts("k", events), NOW) == ("dan", "ben")


def test_the_menu_and_the_words_come_before_what_is_likely() -> None:
    case = Case(
        event_id="1", customer_id="k", at=NOW, case_id="k1", opened_at=NOW - timedelta(days=3), type="complaint",
        promised_by=NOW - timedelta(days=1),
    )  # fmt: skip
    one = known(case, menu=(MenuStep(menu="main", choice="2", means="technical_fault"),))
    assert (one.intents, one.skill, one.complaint) == ((Intent.TECHNICAL_FAULT,), "technical", True)
    assert one.complexity is Complexity.HIGH
    assert known(menu=(MenuStep(menu="main", means="billing"),)).skill == "billing"
    said = known(read=Read(Sentiment(value=-0.8, confidence=0.9, angry=0.7), (Intent.REFUND,)), text="退钱")
    assert (said.intents, said.skill, said.emotional, said.language) == ((Intent.REFUND,), "billing", True, "zh")
    assert known(contact(1, "a", solved=False)).intents == (Intent.REPEATED_CONTACT,)


def test_the_language_is_the_one_asked_for_or_spoken_or_preferred() -> None:
    likes = Known(event_id="1", customer_id="k", at=NOW, language="en-GB", attributes={"manager": "anna"})
    assert known(likes).language == "en"
    assert known(likes).manager == "anna"
    assert known(likes, text="我要退款").language == "zh"
    assert known(likes, text="我要退款", language="fr-FR").language == "fr"
    assert known(text="  42 ").language == ""
    assert known() == Matter(call_id="c")


def test_a_stranger_is_no_more_than_what_they_say() -> None:
    assert known(Known(event_id="1", customer_id="k", at=NOW, tier="gold", birthday=date(1990, 1, 1))).tier == "gold"
    assert known(text="hello").intents == ()
