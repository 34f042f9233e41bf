"""
Which customers may be one person: keys under which those that may be alike meet, and how alike two of them are.

Similarity is the sum of log2(m / u) over what is known of both (Fellegi, Sunter): m is how often the fields of one
person agree so, u how often those of two. The values are by judgement, ours, fitted to nothing; a pair is a candidate
from ``THRESHOLD`` on. Names are compared as they are written, in Simplified characters, and as they are read, in
pinyin without tones, so that 张伟, 張偉 and Zhang Wei are near.

Source: Fellegi, Sunter: A Theory for Record Linkage, JASA 64(328), 1969; levels of agreement as in Winkler: String
Comparator Metrics and Enhanced Decision Rules, 1990.
"""

import hashlib
import math
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import permutations
from typing import Final, Literal, NamedTuple

import msgspec
from jellyfish import damerau_levenshtein_distance, jaro_winkler_similarity

from agent_assist.customer.facts import Facts
from models.script import simplified
from models.sound import pinyin

Agreement = Literal["same", "sound", "close", "different"]
Field = Literal["name", "phone", "email", "birthday", "region"]

WEIGHTS: Final[Mapping[Field, Mapping[Agreement, tuple[float, float]]]] = {
    "name": {"same": (0.84, 0.0005), "sound": (0.07, 0.0005), "close": (0.06, 0.005), "different": (0.03, 0.994)},
    "phone": {"same": (0.75, 0.0005), "close": (0.05, 0.0002), "different": (0.20, 0.9993)},
    "email": {"same": (0.80, 0.0002), "close": (0.08, 0.0005), "different": (0.12, 0.9993)},
    "birthday": {"same": (0.93, 0.0003), "close": (0.05, 0.003), "different": (0.02, 0.9967)},
    "region": {"same": (0.90, 0.10), "different": (0.10, 0.90)},
}
"""m and u of each level; what is not known of both has no weight. Families share numbers: their u is above chance."""
PRIOR: Final = -14.0
"""log2 of the odds that two who meet under a key are one person."""
THRESHOLD: Final = 16.0
"""Weight of a candidate: a probability of 0.8."""
_CLOSE: Final = 0.90
"""Jaro-Winkler of two names as they are read."""
_PARTS: Final = 4
"""Of a name, that may stand in any order."""
_COMMON: Final = frozenset({"info", "admin", "office", "mail", "contact", "service", "sales", "test"})
"""Addresses of many people."""


class Person(msgspec.Struct, frozen=True, array_like=True):
    """What is compared of a customer."""

    customer_id: str
    written: str
    """The name in Simplified characters and small letters, no spaces in Chinese."""
    read: str
    """In pinyin or letters: syllables or words with a space between."""
    phones: tuple[str, ...]
    mails: tuple[str, ...]
    birthday: date | None
    region: str


class Likeness(NamedTuple):
    """How alike two customers are."""

    weight: float
    agreements: dict[str, Agreement]

    @property
    def probability(self) -> float:
        """That they are one person, as far as the weights are right."""
        return 1 / (1 + 2 ** -(self.weight + PRIOR))


def person(known: Facts) -> Person:
    """What is compared of a customer."""
    written = simplified(unicodedata.normalize("NFKC", known.name)).casefold()
    words = written.replace("·", " ").replace(",", " ").replace("-", " ").split()
    chinese = any("\u4e00" <= character <= "\u9fff" for character in written)
    name = "".join(words)
    return Person(
        known.customer_id,
        name if chinese else " ".join(words),
        _read(name) if chinese else " ".join(words),
        tuple(value for kind, value in known.identities if kind == "phone"),
        tuple(_mail(value) for kind, value in known.identities if kind == "email"),
        known.birthday,
        _region(known.region),
    )


def keys(one: Person) -> Iterator[int]:
    """
    Under which a customer meets those that may be the same; two who share none are not compared.

    A number by its last eight digits, and by its digits in any order with the initials of the name; a mail address
    without its domain; the birthday with the last four digits; the letters of the name as it is read, in any order,
    with the birthday, the last three digits, or the domain and the region.
    """
    letters = "".join(sorted(_letters(one.read)))
    initials = "".join(sorted(part[0] for part in one.read.split() if part))
    for phone in one.phones:
        yield _key("p", phone[-8:])
        yield _key("d", "".join(sorted(phone)) + initials)
        if one.birthday is not None:
            yield _key("b", f"{one.birthday}{phone[-4:]}")
    for mail in one.mails:
        local = mail.partition("@")[0]
        if len(local) >= 4 and local not in _COMMON:
            yield _key("m", local)
    if letters and one.birthday is not None:
        yield _key("n", f"{letters}{one.birthday}")
    if letters:
        for phone in one.phones:
            yield _key("t", letters + phone[-3:])
        for mail in one.mails:
            yield _key("e", letters + mail.rpartition("@")[2] + one.region)


def likeness(one: Person, other: Person) -> Likeness:
    """How alike two customers are; in any order the same."""
    agreements: dict[str, Agreement] = {}
    weight = 0.0
    levels: tuple[tuple[Field, Agreement | None], ...] = (
        ("name", _names(one, other)),
        ("phone", _values(one.phones, other.phones)),
        ("email", _values(one.mails, other.mails)),
        ("birthday", _birthdays(one.birthday, other.birthday)),
        (
            "region",
            None if not (one.region and other.region) else "same" if one.region == other.region else "different",
        ),
    )
    for field, level in levels:
        if level is not None:
            agreements[field] = level
            m, u = WEIGHTS[field][level]
            weight += math.log2(m / u)
    return Likeness(weight, agreements)


def _names(one: Person, other: Person) -> Agreement | None:
    if not (one.read and other.read):
        return None
    if one.written == other.written:
        return "same"
    ours, theirs = _letters(one.read), _letters(other.read)
    if sorted(ours) == sorted(theirs) and (theirs in _orders(one.read) or ours in _orders(other.read)):
        return "sound"
    return "close" if jaro_winkler_similarity(ours, theirs) >= _CLOSE else "different"


def _values(ours: tuple[str, ...], theirs: tuple[str, ...]) -> Agreement | None:
    if not (ours and theirs):
        return None
    if set(ours) & set(theirs):
        return "same"
    near = any(damerau_levenshtein_distance(a, b) == 1 or _moved(a, b) for a in ours for b in theirs)
    return "close" if near else "different"


def _moved(one: str, other: str) -> bool:
    """The same name of a mail address at another domain."""
    ours, at, _ = one.partition("@")
    return bool(at) and len(ours) >= 4 and ours not in _COMMON and ours == other.partition("@")[0]


def _birthdays(one: date | None, other: date | None) -> Agreement | None:
    if one is None or other is None:
        return None
    if one == other:
        return "same"
    swapped = (one.year, one.month, one.day) == (other.year, other.day, other.month)
    return "close" if swapped or damerau_levenshtein_distance(f"{one:%Y%m%d}", f"{other:%Y%m%d}") == 1 else "different"


def _read(name: str) -> str:
    return " ".join(part for part in pinyin(name) if part.strip())


def _letters(read: str) -> str:
    return read.replace(" ", "")


def _orders(read: str) -> set[str]:
    """A name with its parts in any order, without spaces: Zhang Wei, Wei Zhang."""
    parts = read.split()
    return {"".join(order) for order in permutations(parts)} if len(parts) <= _PARTS else {"".join(parts)}


def _mail(address: str) -> str:
    """In small letters, without a tag of the receiver's own."""
    local, at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _region(region: str) -> str:
    return simplified(region).casefold().removesuffix("省").removesuffix("市").strip()


def _key(kind: str, value: str) -> int:
    digest = hashlib.blake2b(f"{kind}{value}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
