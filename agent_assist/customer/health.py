"""
How good what is known of customers is: rules for fields, and the share of checked fields that pass every one of them.

Pure: the caller says what time it is, and gives customers one after the other; of each only counts are kept, and of
what is wrong a few ids.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
import phonenumbers
import re2

from agent_assist.customer.facts import Facts
from agent_assist.customer.reading import CURRENCIES
from agent_assist.errors import CustomerTableError

RULES: Final = Path(__file__).parent / "health.yaml"
TARGET: Final = 0.95
"""Of the score."""
EXAMPLES: Final = 5
"""Ids that are named for each rule."""
_SLACK: Final = timedelta(days=1)
"""Clocks of other systems may be so far ahead, as where files are read."""

Kind = Literal["customer", "phone", "email", "order", "case", "interaction"]
Words = Mapping[Literal["zh", "en"], str]


class _Check(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", forbid_unknown_fields=True):
    pass


class Given(_Check, frozen=True, kw_only=True, tag="given"):
    """There is a value."""


class Shape(_Check, frozen=True, kw_only=True, tag="shape"):
    """All of the value is of a form."""

    pattern: str
    """Of RE2."""


class NoneOf(_Check, frozen=True, kw_only=True, tag="none_of"):
    """The value is none of these words, in capitals or not."""

    values: tuple[str, ...]


class Past(_Check, frozen=True, kw_only=True, tag="past"):
    """A day or time that has come, and not too long ago."""

    oldest_years: int
    youngest_years: int = 0


class Within(_Check, frozen=True, kw_only=True, tag="within"):
    """A day at most so many years away, before or after."""

    years: int


class NotBefore(_Check, frozen=True, kw_only=True, tag="not_before"):
    """Not before another field of the record."""

    other: str


class Amount(_Check, frozen=True, kw_only=True, tag="amount"):
    """0 or more, and not implausibly much."""

    at_most: Decimal


class Currency(_Check, frozen=True, kw_only=True, tag="currency"):
    """Of ISO 4217."""


class Language(_Check, frozen=True, kw_only=True, tag="language"):
    """A language of ISO 639-1, or of the Chinese ones without a code of two letters, with a script and region."""


class Telephone(_Check, frozen=True, kw_only=True, tag="telephone"):
    """In E.164, and a number that its country gives out: of China a mobile one or a line with its area code."""


class Mail(_Check, frozen=True, kw_only=True, tag="mail"):
    """Of the form of RFC 5321, without quoted names and literal addresses, that nobody has."""


Check = Given | Shape | NoneOf | Past | Within | NotBefore | Amount | Currency | Language | Telephone | Mail


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold of a field."""

    id: str
    kind: Kind
    field: str
    check: Check
    name: Words


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Of fields that were checked."""

    checked: int
    passed: int

    @property
    def score(self) -> float | None:
        return self.passed / self.checked if self.checked else None


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rule does not hold; the value is not told."""

    customer_id: str
    record_id: str
    """Of an order, case or contact; of a customer or an address, the customer's."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and how often it does not hold."""

    rule: str
    kind: Kind
    field: str
    name: Words
    count: int
    examples: tuple[Example, ...]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How good the data were at a time."""

    month: str
    """YYYY-MM, in the time zone of the business."""
    as_of: datetime
    customers: int
    total: Share
    kinds: Mapping[str, Share]
    fields: Mapping[str, Share]
    """``kind.field``."""
    broken: tuple[Broken, ...]
    """The most frequent first."""
    candidates: int = 0
    """Pairs that may be one person, and of which nobody said yet whether they are."""
    too_common: int = 0
    """Keys that so many customers share that their pairs were not looked at."""


class _Field(NamedTuple):
    """The rules of a field."""

    name: str
    get: Callable[[Any], Any]
    required: int | None
    """Number of the rule that it must have a value."""
    rules: tuple[tuple[int, Callable[[Any, Any], bool]], ...]
    """Number of a rule, and whether it holds of a value and its record."""


def load(path: Path = RULES) -> tuple[Rule, ...]:
    """
    The rules of a file.

    Raises:
        CustomerTableError: If it holds none, or two of one id, or one of a pattern or field that there is not.
    """
    try:
        rules = msgspec.yaml.decode(path.read_bytes(), type=dict[Literal["rules"], tuple[Rule, ...]])["rules"]
        twice = {one.id for one in rules if sum(one.id == other.id for other in rules) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} more often than once")
        for one in rules:
            if isinstance(one.check, Shape):
                re2.compile(one.check.pattern)
    except (OSError, msgspec.DecodeError, KeyError, ValueError, RecursionError, re2.error) as error:
        raise CustomerTableError(str(path), "rules for the fields of customers", str(error)) from error
    return rules


class Assessment:
    """
    Customers, one after the other.

    Args:
        at: What is in the past by then.
    """

    def __init__(self, rules: Sequence[Rule], at: datetime, month: str) -> None:
        self._rules, self._at, self._month = rules, at, month
        self._customers = 0
        self._counts = [0] * len(rules)
        self._examples: list[list[Example]] = [[] for _ in rules]
        kinds = dict.fromkeys(rule.kind for rule in rules)
        self._fields: dict[str, tuple[_Field, ...]] = {kind: self._compiled(kind) for kind in kinds}
        self._tallies = {(kind, one.name): [0, 0] for kind, fields in self._fields.items() for one in fields}

    def push(self, known: Facts) -> list[tuple[str, Example]]:
        """Check a customer; return the rules that do not hold, and where."""
        self._customers += 1
        found: list[tuple[str, Example]] = []
        for kind, record_id, record in _records(known):
            for field in self._fields.get(kind, ()):
                broken = _broken(field, record)
                if broken is None:
                    continue
                tally = self._tallies[kind, field.name]
                tally[0] += 1
                tally[1] += not broken
                for number in broken:
                    example = Example(customer_id=known.customer_id, record_id=record_id)
                    self._counts[number] += 1
                    if len(self._examples[number]) < EXAMPLES:
                        self._examples[number].append(example)
                    found.append((self._rules[number].id, example))
        return found

    def flush(self) -> Health:
        """What was found until now."""
        kinds: dict[str, list[int]] = {}
        for (kind, _), (checked, passed) in self._tallies.items():
            total = kinds.setdefault(kind, [0, 0])
            total[0] += checked
            total[1] += passed
        broken = [
            Broken(
                rule=rule.id, kind=rule.kind, field=rule.field, name=rule.name, count=count, examples=tuple(examples)
            )
            for rule, count, examples in zip(self._rules, self._counts, self._examples, strict=True)
            if count
        ]
        return Health(
            month=self._month,
            as_of=self._at,
            customers=self._customers,
            total=Share(checked=sum(n for n, _ in kinds.values()), passed=sum(n for _, n in kinds.values())),
            kinds={kind: Share(checked=n, passed=ok) for kind, (n, ok) in kinds.items() if n},
            fields={
                f"{kind}.{field}": Share(checked=n, passed=ok) for (kind, field), (n, ok) in self._tallies.items() if n
            },
            broken=tuple(sorted(broken, key=lambda one: (-one.count, one.rule))),
        )

    def _compiled(self, kind: str) -> tuple[_Field, ...]:
        fields: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            if rule.kind == kind:
                fields.setdefault(rule.field, []).append(number)
        return tuple(
            _Field(
                name=name,
                get=_getter(kind, name),
                required=next((n for n in numbers if isinstance(self._rules[n].check, Given)), None),
                rules=tuple(
                    (n, _holds(self._rules[n].check, self._at))
                    for n in numbers
                    if not isinstance(self._rules[n].check, Given)
                ),
            )
            for name, numbers in fields.items()
        )


def due(last: str | None, now: datetime, zone: tzinfo) -> str | None:
    """
    The month that is to be reported, YYYY-MM, once it is over; None where it was.

    Args:
        last: Month of the last report.
    """
    before = now.astimezone(zone).date().replace(day=1) - timedelta(days=1)
    month = f"{before:%Y-%m}"
    return month if last is None or last < month else None


def end_of(month: str, zone: tzinfo) -> datetime:
    """The first moment after a month."""
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)


def _broken(field: _Field, record: Any) -> list[int] | None:
    """Numbers of the rules that do not hold; None where there is nothing to check."""
    value = field.get(record)
    if value is None or value in ("", ()):
        return None if field.required is None else [field.required]
    return [number for number, holds in field.rules if not holds(value, record)]


def _records(known: Facts) -> Iterator[tuple[str, str, Any]]:
    yield "customer", known.customer_id, known
    for kind, value in known.identities:
        yield kind, known.customer_id, value
    for order in known.orders:
        yield "order", order.order_id, order
    for case in known.cases:
        yield "case", case.case_id, case
    for contact in known.interactions:
        yield "interaction", contact.interaction_id, contact


def _getter(kind: str, name: str) -> Callable[[Any], Any]:
    if kind in {"phone", "email"}:
        return lambda record: record
    return lambda record: getattr(record, name)


# The languages of ISO 639-1, and Chinese ones that have codes of three letters alone.
_LANGUAGES: Final = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu cmn yue nan wuu hak hsn gan
    """.split()  # noqa: SIM905 - read more easily than a list
)
_TAG: Final = re.compile(r"([a-z]{2,3})(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_E164: Final = re.compile(r"\+[1-9][0-9]{4,14}")
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL: Final = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")


def _holds(check: Check, at: datetime) -> Callable[[Any, Any], bool]:
    """Whether a value, and the record it stands in, passes."""
    match check:
        case Shape():
            shape = re2.compile(check.pattern)
            return lambda value, _: shape.fullmatch(value) is not None
        case NoneOf():
            words = frozenset(word.casefold() for word in check.values)
            return lambda value, _: value.strip().casefold() not in words
        case Past():
            return _between(at - _years(check.oldest_years), at - _years(check.youngest_years) + _SLACK)
        case Within():
            return _between(at - _years(check.years), at + _years(check.years))
        case NotBefore():
            other = check.other
            return lambda value, record: value >= getattr(record, other)
        case Amount():
            most = check.at_most
            return lambda value, _: 0 <= value <= most
        case Currency():
            return lambda value, _: value in CURRENCIES
        case Language():
            return lambda value, _: (tag := _TAG.fullmatch(value)) is not None and tag[1] in _LANGUAGES
        case Telephone():
            return lambda value, _: telephone_valid(value)
        case Mail():
            return lambda value, _: _MAIL.fullmatch(value) is not None
        case Given():
            raise AssertionError("a required field is looked at where there is no value")


def telephone_valid(number: str) -> bool:
    """Whether a number in E.164 is one that its country gives out."""
    if _E164.fullmatch(number) is None:
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _between(first: datetime, last: datetime) -> Callable[[Any, Any], bool]:
    days = first.date(), last.date()

    def holds(value: datetime | date, _: object) -> bool:
        if isinstance(value, datetime):
            return first <= value <= last
        return days[0] <= value <= days[1]

    return holds


def _years(count: int) -> timedelta:
    return timedelta(days=365.2425 * count)
