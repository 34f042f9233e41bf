"""
What happens to customers: the topic ``customer.events`` and the table of the same name, from which profiles are made.

An event is a statement with the time at which it became true. Of statements about the same thing (an order, a case, a
field of the customer) the latest by ``(at, event_id)`` holds, so the order of arrival does not matter and the same
event twice is one.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern="^[^\\x00]*$")]
"""Without the character that PostgreSQL takes in no text."""
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Name = Annotated[str, msgspec.Meta(max_length=256)]
At = Annotated[datetime, msgspec.Meta(tz=True)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
"""ISO 4217."""
IdentityKind = Literal["phone", "email", "app", "account", "wechat"]
Channel = Literal["phone", "chat", "email", "social", "app", "mini_program", "store"]


_MOST = Decimal(10) ** 12


def _check_amount(amount: Decimal) -> None:
    """A sum of money that can be added up: one of more digits is a mistake, and would spoil every total."""
    if not (amount.is_finite() and 0 <= amount < _MOST and len(amount.as_tuple().digits) <= 20):
        raise ValueError(f"expected an amount of 0 or more and below 10^12, got {str(amount)[:32]}")


YEARS: Final = range(1800, 2300)
"""Other systems write 0001 or 9999 where they know no time: as a time it would be reckoned with, beyond all dates."""


def _check_times(*times: datetime | msgspec.UnsetType | None) -> None:
    for at in times:
        if isinstance(at, datetime) and at.year not in YEARS:
            raise ValueError(f"expected a time of the years {YEARS[0]} to {YEARS[-1]}, got {at.isoformat()}")


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    event_id: Id
    customer_id: Id
    at: At
    """When it became true, not when it arrived."""

    def __post_init__(self) -> None:
        _check_times(self.at)


class Known(_Event, frozen=True, kw_only=True, tag="customer"):
    """Fields of a customer; those that are not given stay as they are."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    region: Name | msgspec.UnsetType = msgspec.UNSET
    language: Annotated[str, msgspec.Meta(max_length=35)] | msgspec.UnsetType = msgspec.UNSET
    """BCP 47."""
    birthday: date | msgspec.UnsetType | None = msgspec.UNSET
    joined_at: At | msgspec.UnsetType | None = msgspec.UNSET
    tier: Name | msgspec.UnsetType = msgspec.UNSET
    """As the operator calls it; where it is not given, the value of the customer's orders tells one."""
    contract_until: date | msgspec.UnsetType | None = msgspec.UNSET
    """Of trade with contracts; None: no contract any more."""
    attributes: dict[Name, Name] = {}
    """Anything else; each key for itself."""

    def __post_init__(self) -> None:
        _check_times(self.at, self.joined_at)


class Identified(_Event, frozen=True, kw_only=True, tag="identity"):
    """An address belongs to the customer, or no longer does."""

    kind: IdentityKind
    value: Annotated[str, msgspec.Meta(max_length=256, pattern="^[^\\x00]*$")]
    belongs: bool = True


class Merged(_Event, frozen=True, kw_only=True, tag="merged"):
    """The customer is the same person as another one, under whose id both go on."""

    into: Id
    by: Name = ""


class Split(_Event, frozen=True, kw_only=True, tag="split"):
    """The customer is a person of their own after all: undoes ``Merged``."""

    by: Name = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One product of an order."""

    product_id: Id
    name: Name = ""
    quantity: Decimal = Decimal(1)
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        if self.amount is not None:
            _check_amount(self.amount)


class Order(_Event, frozen=True, kw_only=True, tag="order"):
    """An order as it stands at that time."""

    order_id: Id
    ordered_at: At
    amount: Decimal
    currency: Currency
    status: Literal["open", "paid", "shipped", "delivered", "cancelled", "returned"] = "paid"
    promised_by: At | None = None
    """Delivery."""
    lines: tuple[Line, ...] = ()
    discounted: bool = False

    def __post_init__(self) -> None:
        _check_times(self.at, self.ordered_at, self.promised_by)
        _check_amount(self.amount)


class Case(_Event, frozen=True, kw_only=True, tag="case"):
    """A case as it stands at that time."""

    case_id: Id
    opened_at: At
    type: Name
    """"complaint", "fault", "request" ..."""
    issue: Name = ""
    status: Literal["open", "waiting", "solved", "closed"] = "open"
    channel: Channel | None = None
    promised_by: At | None = None

    def __post_init__(self) -> None:
        _check_times(self.at, self.opened_at, self.promised_by)


class Interaction(_Event, frozen=True, kw_only=True, tag="interaction"):
    """A contact on any channel."""

    interaction_id: Id
    channel: Channel
    direction: Literal["in", "out"] = "in"
    issue: Name = ""
    text: Text = ""
    call_id: str | None = None
    agent_id: str | None = None
    complaint: bool = False
    """Whether it was put in the category complaint."""
    case_id: str | None = None
    solved: bool | None = None
    valence: float | None = None
    """-1 ... 1, how the customer sounded in the end; None where it is not known, as below."""
    agitation: float | None = None
    """0 ... 1, the highest."""
    signals: tuple[str, ...] = ()
    """Of the churn risk: "cancel", "competitor" ..."""


class Survey(_Event, frozen=True, kw_only=True, tag="survey"):
    """An answer."""

    survey_id: Id
    kind: Literal["csat", "nps", "ces"]
    score: float
    interaction_id: str | None = None


class Consent(_Event, frozen=True, kw_only=True, tag="consent"):
    """The customer allows something, or forbids it."""

    purpose: Literal["recording", "emotion", "offers", "outbound", "profiling"]
    granted: bool


class Tagged(_Event, frozen=True, kw_only=True, tag="tag"):
    """A tag that a person or another system sets or takes away."""

    tag: Name
    present: bool = True
    expires_at: At | None = None
    by: Name = ""

    def __post_init__(self) -> None:
        _check_times(self.at, self.expires_at)


class SpecialDate(_Event, frozen=True, kw_only=True, tag="date"):
    """A day to be remembered every year."""

    name: Name
    month: Annotated[int, msgspec.Meta(ge=1, le=12)]
    day: Annotated[int, msgspec.Meta(ge=1, le=31)]
    lunar: bool = False
    """Of the Chinese calendar."""
    present: bool = True


CustomerEvent = (
    Known | Identified | Merged | Split | Order | Case | Interaction | Survey | Consent | Tagged | SpecialDate
)
