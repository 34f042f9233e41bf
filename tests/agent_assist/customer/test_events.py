"""What happens to customers, as other systems tell it: what would spoil a profile is refused at the door."""

from typing import Any

import msgspec
import pytest

from agent_assist.customer.events import CustomerEvent

AT = "2026-01-01T00:00:00Z"
ORDER = {"event": "order", "order_id": "o", "ordered_at": AT, "amount": "1", "currency": "CNY"}
CASE = {"event": "case", "case_id": "k", "opened_at": AT, "type": "fault"}


def read(**fields: Any) -> CustomerEvent:
    return msgspec.convert({"event_id": "e", "customer_id": "c", "at": AT} | fields, CustomerEvent)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (ORDER, "at"),
        (ORDER, "ordered_at"),
        (ORDER, "promised_by"),
        (CASE, "at"),
        (CASE, "opened_at"),
        (CASE, "promised_by"),
        ({"event": "customer"}, "at"),
        ({"event": "customer"}, "joined_at"),
        ({"event": "tag", "tag": "vip"}, "expires_at"),
        ({"event": "split"}, "at"),
    ],
)
@pytest.mark.parametrize("nothing", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_what_other_systems_write_where_they_know_no_time_is_no_time(
    event: dict[str, Any], field: str, nothing: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match="expected a time of the years 1800 to 2299, got"):
        read(**event | {field: nothing})
    assert read(**event | {field: "2299-12-31T23:59:59Z"}).event_id == "e"


def test_a_contract_that_never_ends_may_say_so() -> None:
    assert read(event="customer", contract_until="9999-12-31").event_id == "e"
