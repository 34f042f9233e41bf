"""Earlier offers to a customer, as the store has them."""

from datetime import UTC, datetime, timedelta

from agent_assist.call.before import OfferBefore
from agent_assist.store.calls import CallStore
from agent_assist.store.offered import offered
from agent_assist.types import Assist, CallStarted, Card, CardFeedback, CardKind, Event, FeedbackAction

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def call(
    name: str, days: float, rule: str, *, offer: bool = True, said: FeedbackAction | None = None, **given: str
) -> list[Event | Assist]:
    """A call of the customer k so many days ago, with one card."""
    card = Card(
        id=f"{name}:{rule}", call_id=name, rule=rule, kind=CardKind.CARD, title='say "offer":true', text="", at_ms=0,
        utterance_id="u", priority=1, language="en", reason="r", offer=offer,
    )  # fmt: skip
    found: list[Event | Assist] = [
        CallStarted(
            call_id=name,
            at=NOW - timedelta(days=days),
            protocol="t",
            customer_id=given.pop("customer", "k"),
            attributes=given,
        ),
        card,
    ]
    if said is not None:
        found.append(CardFeedback(call_id=name, card_id=card.id, action=said, at=NOW))
    return found


def test_offers_come_newest_first_with_what_became_of_them(store: CallStore) -> None:
    for messages in (
        call("c1", 40, "plan", said=FeedbackAction.DISMISSED),
        call("c2", 3.5, "insurance", said=FeedbackAction.USED),
        call("c3", 10, "plan", said=FeedbackAction.DOWN),
    ):
        store.write(messages, {})
    assert offered(store.engine, ["k"], None, NOW) == [
        OfferBefore("insurance", 3, False),
        OfferBefore("plan", 10, True),
        OfferBefore("plan", 40, True),
    ]


def test_cards_that_offer_nothing_other_customers_tenants_old_and_later_calls_do_not_count(store: CallStore) -> None:
    for messages in (
        call("c1", 1, "advice", offer=False),
        call("c2", 1, "plan", customer="somebody else"),
        call("c3", 1, "plan", tenant="another"),
        call("c4", 400, "plan"),
        call("c5", 0, "plan"),
    ):
        store.write(messages, {})
    assert offered(store.engine, ["k"], None, NOW) == []
    assert offered(store.engine, ["k"], "another", NOW) == [OfferBefore("plan", 1, False)]
