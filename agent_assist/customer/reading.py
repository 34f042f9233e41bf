"""Events of customers from files: CSV, JSON Lines, Parquet. What cannot be used is told with its row and its reason."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec
import phonenumbers

from agent_assist.customer.events import Case, CustomerEvent, Identified, Interaction, Known, Order

Kind = Literal["customers", "orders", "cases", "interactions"]

COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    "customers": ("customer_id", "name", "phone", "email", "region", "language", "birthday", "joined_at"),
    "orders": ("order_id", "customer_id", "ordered_at", "amount", "currency", "status"),
    "cases": ("case_id", "customer_id", "opened_at", "type", "issue", "status", "channel"),
    "interactions": ("interaction_id", "customer_id", "at", "channel", "direction", "issue", "text"),
}
"""
Of a file; a mapping gives others their names. ``updated_at``, where it is there, is when the row became true; without
it the newer of two files says what a row is now.
"""
SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".parquet")
_MORE: Final[dict[Kind, tuple[str, ...]]] = {
    "customers": ("updated_at", "tier", "contract_until"),
    "orders": ("updated_at", "promised_by", "discounted"),
    "cases": ("updated_at", "promised_by"),
    "interactions": ("agent_id", "call_id", "case_id", "complaint", "solved"),
}
"""Columns that may be there besides; any other of customers becomes an attribute, any other elsewhere is told."""
_KEYS: Final[dict[Kind, tuple[str, str]]] = {
    "customers": ("customer_id", "joined_at"),
    "orders": ("order_id", "ordered_at"),
    "cases": ("case_id", "opened_at"),
    "interactions": ("interaction_id", "at"),
}
"""What a row is of, and its own time."""
_TYPES: Final[dict[Kind, type[Known | Order | Case | Interaction]]] = {
    "customers": Known,
    "orders": Order,
    "cases": Case,
    "interactions": Interaction,
}
AHEAD: Final = timedelta(days=1)
"""Clocks of other systems may be so far ahead."""
_BROKEN: Final = "\0"
"""Column that says why a row cannot be read; no file has it."""
_LINE: Final = "line"
"""Column of a line that cannot be read as a row, as it came."""
_BEYOND: Final = "\1"
"""Column of fields for which there is no heading."""
_SAMPLE: Final = 1 << 20
_LONGEST: Final = 1 << 20
"""Characters of a field."""
# ISO 4217, of October 2025, funds and precious metals left out.
CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
    LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG
    XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - read more easily than a list
)


class Bad(msgspec.Struct, frozen=True, kw_only=True):
    """A row, or a field of one, that cannot be used."""

    row: int
    """From 1, the heading not counted."""
    reason: str
    body: str
    """The row as JSON, its columns named as ours; of a line that is no row ``line``, as it came."""
    field: str = ""
    """That is wrong, where the rest of the row was taken."""
    lost: bool = True
    """Whether nothing of the row was taken."""


class Reader(NamedTuple):
    """How rows are read."""

    kind: Kind
    stamp: datetime
    """Of the file: of two rows without ``updated_at`` that of the newer file holds."""
    now: datetime
    region: str = "CN"
    """Of telephone numbers without a country."""
    mapping: Mapping[str, str] = {}
    """Name of a column in the file to one of ours."""

    def events(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[CustomerEvent | Bad]:
        """The events of rows; a row may give several, or one and what is wrong in it."""
        for number, row in enumerate(rows, 1):
            given = {self.mapping.get(name, name): value for name, value in row.items()}
            try:
                yield from self._of(given, number)
            except (msgspec.ValidationError, ValueError) as error:
                yield Bad(row=number, reason=_told(error, given), body=_body(given))

    def _of(self, given: dict[str, Any], number: int) -> Iterator[CustomerEvent | Bad]:
        kind = self.kind
        if _BROKEN in given:
            raise ValueError(given[_BROKEN])
        whole = given = {name: value for name, value in given.items() if value not in ("", None, [])}
        if _BEYOND in given:
            raise ValueError("expected no more fields than the heading has, got more")
        key, own = _KEYS[kind]
        if key not in given:
            raise ValueError(f"expected {', '.join(COLUMNS[kind])}; got no {key}")
        given = dict(given)
        digest = hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:16]
        updated = given.pop("updated_at", None)
        stamp = "" if updated or kind == "interactions" else f"{self.stamp:%Y%m%dT%H%M%SZ}:"
        fields = {"event_id": f"{kind}:{given[key]}:{stamp}{digest}", "at": updated or given.get(own) or self.stamp}
        known = {*COLUMNS[kind], *_MORE[kind]}
        others = {name: str(value)[:256] for name, value in given.items() if name not in known}
        if kind == "customers":
            fields["attributes"] = others
        addresses = {name: str(given.pop(name)) for name in ("phone", "email") if kind == "customers" and name in given}
        taken = {name: _plain(value) for name, value in given.items() if name in known}
        event = msgspec.convert(
            {"event": _TYPES[kind].__struct_config__.tag, **taken, **fields}, _TYPES[kind], strict=False
        )
        self._check(event)
        yield event
        for name, address in addresses.items():
            yield self._identity(
                event, name, address, Bad(row=number, reason="", body=_body(whole), field=name, lost=False)
            )
        if others and kind != "customers" and number == 1:
            yield Bad(
                row=number,
                reason=f"expected {', '.join(sorted(known))}; got {', '.join(sorted(others))} as well, left out",
                body=_body(whole),
                field="columns",
                lost=False,
            )

    def _check(self, event: Known | Order | Case | Interaction) -> None:
        times = [event.at]
        times += (
            [event.ordered_at] if isinstance(event, Order) else [event.opened_at] if isinstance(event, Case) else []
        )
        for at in times:
            if at > self.now + AHEAD:
                raise ValueError(f"expected a time that has come, got {at.isoformat()}")
        if isinstance(event, Order) and event.currency not in CURRENCIES:
            raise ValueError(f"expected a currency of ISO 4217, got {event.currency!r}")

    def _identity(self, event: CustomerEvent, name: str, address: str, otherwise: Bad) -> CustomerEvent | Bad:
        try:
            value = telephone(address, self.region) if name == "phone" else mail(address)
        except ValueError as error:
            return msgspec.structs.replace(otherwise, reason=str(error))
        return Identified(
            event_id=f"{event.event_id}:{name}",
            customer_id=event.customer_id,
            at=event.at,
            kind="phone" if name == "phone" else "email",
            value=value,
        )


def telephone(number: str, region: str) -> str:
    """
    A number in E.164.

    Raises:
        ValueError: If it can be none of its country's.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"expected a telephone number, got {number[:64]!r}") from error
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError(f"expected a telephone number, got {number[:64]!r}")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def mail(address: str) -> str:
    """
    An address, its domain in small letters.

    Raises:
        ValueError: If it is none.
    """
    name, at, domain = address.strip().rpartition("@")
    if not (at and name and "." in domain and not set(" ,;<>\t") & set(address.strip())):
        raise ValueError(f"expected an e-mail address, got {address[:64]!r}")
    return f"{name}@{domain.lower()}"


def rows(path: Path, progress: BinaryIO | None = None, *, spans: bool = False) -> Iterator[Mapping[str, Any]]:
    """
    The rows of a file.

    Args:
        spans: Whether a text may go over several lines of a table.
        progress: The opened file, where somebody watches how far it is read.

    Raises:
        ValueError: If it is none of ``SUFFIXES``, or has no rows to be read at all.
    """
    match path.suffix.lower():
        case ".csv" | ".tsv":
            yield from _table(progress or path.open("rb"), path, spans=spans)
        case ".jsonl":
            yield from _lines(progress or path.open("rb"))
        case ".parquet":
            yield from _parquet(path)
        case other:
            raise ValueError(f"expected a file *{', *'.join(SUFFIXES)}, got {other or 'no suffix'} ({path})")


def _text(file: BinaryIO) -> io.TextIOWrapper:
    """As UTF-8, with its mark or without, as UTF-16 with its mark, or as GB 18030, of which GBK is a part."""
    sample = file.read(_SAMPLE)
    file.seek(0)
    encoding = "utf-8-sig"
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            # The last character may be cut.
            sample[: -3 if len(sample) == _SAMPLE else None].decode("utf-8")
        except UnicodeDecodeError as error:
            if len(sample) - error.start > 3 and _reads_as_chinese(sample):
                encoding = "gb18030"
    return io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")


def _reads_as_chinese(sample: bytes) -> bool:
    try:
        sample[: -4 if len(sample) == _SAMPLE else None].decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _table(file: BinaryIO, path: Path, *, spans: bool) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(_LONGEST)
    with _text(file) as text:
        heading = text.readline()
        separator = max(",;\t|", key=heading.count) if path.suffix.lower() == ".csv" else "\t"
        names = [name.strip() for name in next(csv.reader([heading], delimiter=separator), [])]
        if not names:
            raise ValueError(f"expected a heading, got none ({path})")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each column once, got {', '.join(twice)} more often ({path})")
        if spans:
            yield from _spanning(text, names, separator)
            return
        for line in text:
            # Each line by itself: a quotation mark that is not closed costs its own row, and none that come after it.
            try:
                fields = next(csv.reader([line], delimiter=separator, strict=True), [])
            except csv.Error as error:
                told = f"expected fields with quotation marks that are closed, got {line[:200]!r} ({error})"
                yield {_BROKEN: told, _LINE: line}
                continue
            if fields:
                yield _readable(_row(names, fields))


def _spanning(text: Iterable[str], names: Sequence[str], separator: str) -> Iterator[Mapping[str, Any]]:
    """Rows of which a text may go over several lines."""
    reader = csv.reader(text, delimiter=separator)
    before = 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield {_BROKEN: f"expected a row, got {error} (from line {before + 1} on; nothing after it was read)"}
            return
        row = _row(names, fields)
        torn = sorted(name for name, value in row.items() if name != "text" and "\n" in str(value))
        if torn:
            lines = f"lines {before + 1} to {reader.line_num + 1}"
            told = f"expected one line in {', '.join(torn)}, got several ({lines}): is a quotation mark not closed?"
            row = {_BROKEN: told, **row}
        before = reader.line_num + 1
        if fields:
            yield _readable(row)


def _row(names: Sequence[str], fields: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(names, fields, strict=False))
    return row if len(fields) <= len(names) else row | {_BEYOND: fields[len(names) :]}


def _lines(file: BinaryIO) -> Iterator[Mapping[str, Any]]:
    with _text(file) as text:
        for line in text:
            if line.strip():
                try:
                    row = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeEncodeError) as error:
                    row = {_BROKEN: f"expected JSON, got {line[:200]!r} ({error})", _LINE: line}
                told = f"expected an object, got {line[:200]!r}"
                yield row if isinstance(row, dict) else {_BROKEN: told, _LINE: line}


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ValueError("expected pyarrow to read Parquet with: pip install 'warmline[parquet]'") from error
    for batch in parquet.ParquetFile(path).iter_batches(10_000):
        yield from batch.to_pylist()


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """With a mark where bytes were none of the encoding, so that the row is told and not taken wrongly."""
    broken = [
        name for name, value in row.items() if isinstance(value, str) and not value.isprintable() and _lone(value)
    ]
    told = f"expected text in UTF-8 or GB 18030, got other bytes in {', '.join(map(str, broken))}"
    return row | {_BROKEN: told} if broken else row


def _lone(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _plain(value: object) -> object:
    """As JSON has it: Parquet gives times and decimals of its own."""
    return value.strip() if isinstance(value, str) else value


def _told(error: Exception, given: Mapping[str, Any]) -> str:
    """What was expected of a field, and what came."""
    expected, at, name = str(error).removesuffix("`").partition(" - at `$.")
    if not at:
        return expected
    if expected.endswith("encoded date"):
        expected = "expected a day, as 1990-02-28"
    elif "RFC3339" in expected or "timezone" in expected:
        expected = "expected a time with its offset, as 2026-01-31T10:00:00+08:00"
    got = given.get(name)
    return f"{expected[0].lower()}{expected[1:]}, got {str(got)[:64]!r} in {name}" if name in given else str(error)


def _body(row: Mapping[str, Any]) -> str:
    kept = {{_BEYOND: "more"}.get(name, name): value for name, value in row.items() if name != _BROKEN}
    text = json.dumps(kept, ensure_ascii=False, default=str)
    # Bytes that are no text stay what they were, as \udc80 to \udcff.
    return json.dumps(kept, default=str) if _lone(text) else text
