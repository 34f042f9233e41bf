"""Cards on the two sample calls, by what was truly said and the moods of the script."""

from collections import Counter
from collections.abc import Callable

from agent_assist.types import Card, CardKind

Sample = Callable[[str], list[tuple[int, Card]]]


def turns(found: list[tuple[int, Card]]) -> dict[str, list[int]]:
    return {rule: [turn for turn, card in found if card.rule == rule] for rule in {card.rule for _, card in found}}


def test_the_chinese_call_gets_its_cards_at_their_turns(sample: Sample) -> None:
    found = turns(sample("zh_late_order"))
    assert found.pop("repeated_contact") in ([4], [6])
    assert found.pop("soothe_and_escalate") in ([6], [7])
    assert len(found.pop("matched_reply", [])) <= 1
    assert found.pop("retention") == [6]
    assert found == {
        "greeting": [1],
        "delivery": [2],
        "cancel_intent": [7],
        "competitor": [7],
        "promise_asked": [10],
        "call_back": [11],
        "satisfied": [12],
        "closing": [13],
    }


def test_the_english_call_gets_its_cards_at_their_turns(sample: Sample) -> None:
    # Seven and eight within a minute would be the fault and that the customer stays: they are withheld.
    found = turns(sample("en_cancel_plan"))
    assert found.pop("matched_reply") in ([6], [7])
    assert len(found.pop("soothe_and_escalate", [])) <= 1
    assert found.pop("retention") == [6]
    assert found == {
        "greeting": [1],
        "cancel_intent": [2],
        "price": [6],
        "competitor": [6],
        "repeated_contact": [7],
        "satisfied": [12],
        "closing": [13],
    }


def test_cards_say_in_the_customers_language_why_they_are_shown(sample: Sample) -> None:
    cards = {card.rule: card for _, card in sample("zh_late_order")}
    assert cards["soothe_and_escalate"].text == "优先安抚+升级处理"
    assert cards["soothe_and_escalate"].kind is CardKind.ALERT
    assert cards["competitor"].trigger == ("云集优选",)
    assert "产品优势对比话术" in cards["competitor"].title
    assert "云集优选" in cards["competitor"].text
    assert cards["cancel_intent"].reason.startswith("客户说了")
    assert {card.language for card in cards.values()} == {"zh"}
    english = {card.rule: card for _, card in sample("en_cancel_plan")}
    assert english["competitor"].trigger == ("Blue Harbor",)
    assert {card.language for card in english.values()} == {"en"}


def test_the_same_evidence_gives_the_same_cards(sample: Sample) -> None:
    first, again = sample("zh_late_order"), sample("zh_late_order")
    assert first == again
    assert all(count == 1 for count in Counter(card.id for _, card in first).values())
