"""
Quality of customer data: which planted errors the rules find, and which planted duplicates.

Our own generator, and so a check that the parts do what they are meant to do, no measure of anybody's data: customers
of ``benchmarks/population.py``, in which so many of each hundred get one error of a kind, among them kinds that no rule
can see; and a second record of some customers, with one change or two as people and systems make them, beside families,
twins and namesakes, who are not one. Duplicates are told by the likeness that ships, and beside it by exact match: a
number, a mail address, or the name with the birthday. The weights were set before the first run and not changed since.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from agent_assist.customer.events import Case, CustomerEvent, Identified, Interaction, Known, Order
from agent_assist.customer.facts import Facts
from agent_assist.customer.health import Assessment, load
from agent_assist.store.calls import CallStore
from agent_assist.store.customers import CustomerStore
from agent_assist.store.health import HealthStore, assessed
from benchmarks.environment import Environment, environment, report
from benchmarks.population import GIVEN, names, numbers
from models.script import traditional
from models.sound import pinyin

_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
_MONTH: Final = "2026-10"
_SHARE: Final = 0.004
"""Of customers, with an error of each kind; a second record of each kind."""
_REGIONS: Final = ("北京", "上海", "广东", "四川", "浙江", "江苏", "湖北", "山东")
_DOMAINS: Final = ("qq.example", "163.example", "gmail.example")


@dataclass(frozen=True, slots=True)
class Record:
    """A customer as a system has it."""

    customer_id: str
    name: str
    phone: str
    mail: str
    birthday: date
    region: str
    language: str = "zh-CN"
    currency: str = "CNY"
    amount: Decimal = Decimal("88.50")
    ordered_at: datetime = _AT - timedelta(days=100)
    promised_by: datetime | None = None
    joined_at: datetime = _AT - timedelta(days=400)
    order_id: str = ""
    issue: str = "billing"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of a kind."""

    kind: str
    rule: str | None
    """That is to see it; None of what no rule can see."""
    planted: int
    found: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A way to tell duplicates."""

    name: str
    found: int
    """Pairs."""
    right: int
    precision: float | None
    recall: float | None
    kinds: Mapping[str, float]
    """Recall of each kind of second record."""
    wrong: Mapping[str, int]
    """Pairs that are two persons."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bench health --json`` prints."""

    environment: Environment
    seed: int
    customers: int
    events: int
    errors: tuple[Seen, ...]
    flagged: int
    """Fields of which a rule does not hold ..."""
    unplanted: int
    """... and that are right."""
    score: float
    """As it is told."""
    true_score: float
    """Without the errors that were planted, by what was planted."""
    pairs: int
    """Second records."""
    kinds: Mapping[str, int]
    told: tuple[Told, ...]
    seconds: float
    """For all customers, reading them from SQLite and keeping what was found included."""
    memory_mb: float
    """Resident, the most, the population's own making included."""


Change = Callable[[Record, Random], Record]

ERRORS: Final[Mapping[str, tuple[str | None, Change]]] = {
    "a number of 8 digits": ("phone_valid", lambda r, _: replace(r, phone=r.phone[:8])),
    "a number with letters": ("phone_valid", lambda r, _: replace(r, phone=r.phone[:7] + "O" + r.phone[8:])),
    "a mobile number of no network": ("phone_valid", lambda r, _: replace(r, phone="+8612" + r.phone[5:])),
    "a mail address without @": ("email_valid", lambda r, _: replace(r, mail=r.mail.replace("@", "."))),
    "a mail address with two dots": ("email_valid", lambda r, _: replace(r, mail=f"a..{r.customer_id}@qq.example")),
    "a birthday to come": ("birthday_plausible", lambda r, _: replace(r, birthday=date(2027, 3, 4))),
    "a birthday of 1900": ("birthday_plausible", lambda r, _: replace(r, birthday=date(1900, 1, 1))),
    "joined in the future": ("joined_past", lambda r, _: replace(r, joined_at=_AT + timedelta(days=40))),
    "a placeholder for a name": ("name_real", lambda r, d: replace(r, name=d.choice(["test", "未知", "NULL", "客户"]))),
    "digits in the name": ("name_shape", lambda r, _: replace(r, name=f"{r.name}2")),
    "no name": ("name_given", lambda r, _: replace(r, name="")),
    "a language in words": ("language_code", lambda r, d: replace(r, language=d.choice(["Chinese", "中文", "cn"]))),
    "a region of digits": ("region_shape", lambda r, _: replace(r, region="510000")),
    "an unknown currency": ("currency_known", lambda r, d: replace(r, currency=d.choice(["RMB", "CNH", "XXX"]))),
    "an amount in the wrong unit": ("amount_plausible", lambda r, _: replace(r, amount=Decimal("88500000.00"))),
    "ordered in the future": ("ordered_past", lambda r, _: replace(r, ordered_at=_AT + timedelta(days=300))),
    "promised before it was ordered": (
        "promised_later",
        lambda r, _: replace(r, promised_by=r.ordered_at - timedelta(days=2)),
    ),
    "an order id with spaces": ("order_id_shape", lambda r, _: replace(r, order_id=f"o {r.customer_id}")),
    "a case without an issue": ("issue_given", lambda r, _: replace(r, issue="")),
    "another digit in the number": (None, lambda r, d: replace(r, phone=_digit(r.phone, d))),
    "another day of birth": (None, lambda r, d: replace(r, birthday=r.birthday + timedelta(days=d.randint(1, 99)))),
}


def _digit(phone: str, draw: Random) -> str:
    at = draw.randrange(7, len(phone))
    return phone[:at] + str((int(phone[at]) + draw.randint(1, 9)) % 10) + phone[at + 1 :]


def _swapped(phone: str, draw: Random) -> str:
    places = [i for i in range(6, len(phone) - 1) if phone[i] != phone[i + 1]]
    at = draw.choice(places or [6])
    return phone[:at] + phone[at + 1] + phone[at] + phone[at + 2 :]


def _romanised(name: str) -> str:
    family, *given = pinyin(name)
    return f"{''.join(given).capitalize()} {family.capitalize()}"


def _alike(name: str, draw: Random) -> str:
    """One character for another that is read the same, where there is one."""
    at = draw.randrange(1, len(name))
    same = [one for one in GIVEN if one != name[at] and pinyin(one) == pinyin(name[at])]
    return name[:at] + draw.choice(same or [name[at]]) + name[at + 1 :]


SECOND: Final[Mapping[str, Change]] = {
    "Traditional characters": lambda r, _: replace(r, name=traditional(r.name), mail=""),
    "in pinyin, another mail address": lambda r, d: replace(r, name=_romanised(r.name), mail=_new_mail(d)),
    "another character that sounds the same": lambda r, d: replace(r, name=_alike(r.name, d), mail=""),
    "two digits of the number swapped": lambda r, d: replace(r, phone=_swapped(r.phone, d), mail=""),
    "another number": lambda r, d: replace(r, phone=_mobile(d)),
    "another number, no mail address": lambda r, d: replace(r, phone=_mobile(d), mail=""),
    "the same mail name at another domain": lambda r, _: replace(r, phone="", mail=r.mail.replace("@", "@new.")),
    "a typo in the mail address, no number": lambda r, _: replace(r, phone="", mail=r.mail[1:]),
    "day and month of the birthday swapped": lambda r, _: replace(
        r, birthday=date(r.birthday.year, r.birthday.day % 12 + 1, r.birthday.month), mail=""
    ),
    "an English name": lambda r, d: replace(r, name=f"{d.choice(['Amy', 'Tony', 'Kevin'])} {_family(r)}", mail=""),
    "moved, another number and mail address": lambda r, d: replace(
        r, phone=_mobile(d), mail=_new_mail(d), region=d.choice(_REGIONS)
    ),
    "Traditional characters, another number": lambda r, d: replace(
        r, name=traditional(r.name), phone=_mobile(d), mail=""
    ),
    "in pinyin, two digits of the number swapped": lambda r, d: replace(
        r, name=_romanised(r.name), phone=_swapped(r.phone, d), mail=""
    ),
    "a character that sounds the same, a digit of the number": lambda r, d: replace(
        r, name=_alike(r.name, d), phone=_digit(r.phone, d), mail=""
    ),
    "birthday and number with digits swapped": lambda r, d: replace(
        r,
        birthday=date(r.birthday.year, r.birthday.day % 12 + 1, r.birthday.month),
        phone=_swapped(r.phone, d),
        mail="",
    ),
    "in pinyin, the mail name at another domain, no number": lambda r, _: replace(
        r, name=_romanised(r.name), phone="", mail=r.mail.replace("@", "@new.")
    ),
}


def _family(of: Record) -> str:
    return pinyin(of.name)[0].capitalize()


def _mobile(draw: Random) -> str:
    return f"+86{draw.choice(['138', '159', '186'])}{draw.randrange(10**8):08}"


def _new_mail(draw: Random) -> str:
    return f"n{draw.randrange(10**9)}@{draw.choice(_DOMAINS)}"


@dataclass(slots=True)
class Population:
    """Records, and what is true of them."""

    records: list[Record] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    """Kind and customer."""
    same: dict[tuple[str, str], str] = field(default_factory=dict)
    """Pairs of one person, and their kind."""
    apart: dict[tuple[str, str], str] = field(default_factory=dict)
    """Pairs of two persons that were made to look alike."""


def planted(customers: int, seed: int) -> Population:
    """A population with errors and second records, the same for a seed."""
    draws, draw = np.random.default_rng(seed), Random(seed)
    made, every = Population(), max(1, round(_SHARE * customers))
    for number, (name, phone) in enumerate(zip(names(draws, customers), numbers(draws, customers), strict=True)):
        mail = f"{'abcdefgh'[number % 8]}{draw.randrange(10**7)}@{draw.choice(_DOMAINS)}" if draw.random() < 0.7 else ""
        made.records.append(
            Record(
                f"c{number:07}", name, f"+86{phone}", mail, date(1950, 1, 1) + timedelta(days=draw.randrange(20_000)),
                draw.choice(_REGIONS), language="en" if name.isascii() else "zh-CN", order_id=f"o{number:07}",
            )
        )  # fmt: skip
    _families(made, every, draw)
    # Of those whose name can be read in two ways and who have a mail address to be changed.
    fit = [at for at, one in enumerate(made.records) if one.mail and not one.name.isascii()]
    chosen = iter(draw.sample(fit, every * (len(SECOND) + len(ERRORS))))
    for kind, change in SECOND.items():
        for _ in range(every):
            one = made.records[next(chosen)]
            other = replace(
                change(one, draw), customer_id=f"d{len(made.records):07}", order_id=f"o{len(made.records):07}"
            )
            made.records.append(other)
            made.same[one.customer_id, other.customer_id] = kind
    for kind, (_, spoil) in ERRORS.items():
        for _ in range(every):
            at = next(chosen)
            made.records[at] = spoil(made.records[at], draw)
            made.errors.append((kind, made.records[at].customer_id))
    return made


def _families(made: Population, every: int, draw: Random) -> None:
    """Who are two: couples and children with one number, twins, namesakes of one region."""
    for _ in range(2 * every):
        a, b = draw.sample(range(len(made.records)), 2)
        one, other = made.records[a], made.records[b]
        made.records[b] = replace(other, phone=one.phone, region=one.region)
        made.apart[_pair(one, other)] = "one number in a family"
    for _ in range(every // 2):
        a, b = draw.sample(range(len(made.records)), 2)
        one, other = made.records[a], made.records[b]
        if one.name.isascii():
            continue
        given = one.name[1:-1] + draw.choice(GIVEN)
        made.records[b] = replace(
            other, name=one.name[0] + given, phone=one.phone, birthday=one.birthday, region=one.region, mail=""
        )
        made.apart[_pair(one, other)] = "twins with one number"
    for _ in range(2 * every):
        a, b = draw.sample(range(len(made.records)), 2)
        one, other = made.records[a], made.records[b]
        made.records[b] = replace(other, name=one.name, region=one.region)
        made.apart[_pair(one, other)] = "namesakes of one region"


def _pair(one: Record, other: Record) -> tuple[str, str]:
    first, second = sorted((one.customer_id, other.customer_id))
    return first, second


def events(records: list[Record]) -> Iterator[CustomerEvent]:
    """What is told of them."""
    for r in records:
        i, at = r.customer_id, _AT - timedelta(days=400)
        yield Known(
            event_id=f"k{i}", customer_id=i, at=at, name=r.name, region=r.region, language=r.language,
            birthday=r.birthday, joined_at=r.joined_at,
        )  # fmt: skip
        if r.phone:
            yield Identified(event_id=f"p{i}", customer_id=i, at=at, kind="phone", value=r.phone)
        if r.mail:
            yield Identified(event_id=f"m{i}", customer_id=i, at=at, kind="email", value=r.mail)
        yield Order(
            event_id=f"o{i}", customer_id=i, at=at, order_id=r.order_id, ordered_at=r.ordered_at, amount=r.amount,
            currency=r.currency, promised_by=r.promised_by,
        )  # fmt: skip
        yield Case(event_id=f"c{i}", customer_id=i, at=at, case_id=f"k{i}", opened_at=at, type="fault", issue=r.issue)
        yield Interaction(event_id=f"i{i}", customer_id=i, at=at, interaction_id=f"i{i}", channel="phone")


def run(*, customers: int, seed: int, out: Path | None, json: bool) -> None:
    """Measure and print."""
    measured = environment(f"warmline bench health --customers {customers} --seed {seed}", ("sqlalchemy", "jellyfish"))
    made, rules = planted(customers, seed), load()
    with tempfile.TemporaryDirectory(prefix="warmline-health-") as home:
        calls = CallStore(f"sqlite:///{home}/warmline.db")
        calls.upgrade()
        store = CustomerStore(calls.engine)
        taken = store.take(events(made.records), "bench", _AT)
        begun = time.monotonic()
        health = HealthStore(calls.engine).assess(rules, _MONTH, _AT)
        seconds = time.monotonic() - begun
        assessment = Assessment(rules, _AT, _MONTH)
        flagged = {(rule, one.customer_id) for known in store.all_facts() for rule, one in assessment.push(known)}
        ours = {(x.first, x.second) for x in assessed(store, rules, _MONTH, _AT).candidates}
        exact = _exact(store.all_facts())
        calls.close()
    rule_of = {kind: rule for kind, (rule, _) in ERRORS.items()}
    true = {(rule_of[kind], who) for kind, who in made.errors if rule_of[kind] is not None}
    checked, passed = health.total.checked, health.total.passed
    result = Result(
        environment=measured,
        seed=seed,
        customers=len(made.records),
        events=taken.new,
        errors=tuple(_seen(kind, made, flagged) for kind in ERRORS),
        flagged=len(flagged),
        unplanted=len(flagged - true),
        score=round(passed / checked, 5),
        true_score=round((checked - len(made.errors)) / checked, 5),
        pairs=len(made.same),
        kinds={kind: sum(one == kind for one in made.same.values()) for kind in SECOND},
        told=(_told("likeness", ours, made), _told("exact match", exact, made)),
        seconds=round(seconds, 1),
        memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )
    report(result, out=out, json=json, show=_show)


def _seen(kind: str, made: Population, flagged: set[tuple[str, str]]) -> Seen:
    rule, of = ERRORS[kind][0], [who for each, who in made.errors if each == kind]
    by_any = {who for _, who in flagged}
    found = sum((rule, who) in flagged if rule is not None else who in by_any for who in of)
    return Seen(kind=kind, rule=rule, planted=len(of), found=found)


def _exact(all_known: Iterator[Facts]) -> set[tuple[str, str]]:
    """Pairs with a number, a mail address, or the name with the birthday in common."""
    under: dict[tuple[str, str], list[str]] = {}
    for known in all_known:
        for kind, value in known.identities:
            under.setdefault((kind, value), []).append(known.customer_id)
        if known.name and known.birthday is not None:
            under.setdefault((known.name, str(known.birthday)), []).append(known.customer_id)
    return {(min(a, b), max(a, b)) for ids in under.values() if len(ids) < 30 for a, b in combinations(ids, 2)}


def _told(name: str, found: set[tuple[str, str]], made: Population) -> Told:
    right = found & made.same.keys()
    wrong: dict[str, int] = {}
    for pair in found - made.same.keys():
        kind = made.apart.get(pair, "not planted")
        wrong[kind] = wrong.get(kind, 0) + 1
    recall = {
        kind: round(sum(pair in found for pair in pairs) / len(pairs), 4)
        for kind in SECOND
        if (pairs := [pair for pair, one in made.same.items() if one == kind])
    }
    return Told(
        name=name,
        found=len(found),
        right=len(right),
        precision=round(len(right) / len(found), 4) if found else None,
        recall=round(len(right) / len(made.same), 4) if made.same else None,
        kinds=recall,
        wrong=dict(sorted(wrong.items())),
    )


def _show(result: Result, console: Console) -> None:
    console.print(
        f"{result.customers} customers, score {result.score:.2%} ({result.true_score:.2%} by what was planted), "
        f"{result.unplanted} of {result.flagged} fields flagged are right; {result.seconds} s, {result.memory_mb} MB"
    )
    errors = Table("error", "planted", "found")
    for seen in result.errors:
        errors.add_row(seen.kind, str(seen.planted), str(seen.found))
    console.print(errors)
    table = Table("second record", *(one.name for one in result.told))
    table.add_row("precision", *(f"{one.precision}" for one in result.told))
    table.add_row("recall", *(f"{one.recall}" for one in result.told))
    for kind in result.kinds:
        table.add_row(kind, *(f"{one.kinds[kind]}" for one in result.told))
    console.print(table, {one.name: dict(one.wrong) for one in result.told})
