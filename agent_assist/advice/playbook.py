"""Playbooks: rules as data, read and checked once."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from agent_assist.advice.authority import Authority
from agent_assist.advice.conditions import Language, Phrases, Texts, check_phrases, check_texts
from agent_assist.advice.faults import Fault, Faults, line_of, shown
from agent_assist.advice.flow import Flow
from agent_assist.advice.learned import Learned
from agent_assist.advice.recommendation import PREFIX, Candidate, Recommendations
from agent_assist.advice.retention import RULE, Retention
from agent_assist.advice.rule import Rule, Signal
from agent_assist.advice.spoken import words
from agent_assist.errors import PlaybookError

DEFAULT: Final = Path(__file__).parent / "playbooks" / "default"


class Competitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom customers may go to."""

    name: str
    aliases: tuple[str, ...] = ()
    advantages: Texts = {}
    """What we do better, for the card."""

    def __post_init__(self) -> None:
        if not words(self.name):
            raise ValueError(f"expected a name with letters, got {self.name!r}")
        check_texts(self.advantages)


class Calm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So that the agent can read what is shown."""

    cards_per_minute: int | None = None
    """
    Of kind "card", in any minute of a call; of those that come together the ones of least priority are left out. Rules
    for compliance are not counted, nor left out.
    """
    always_from: int = 1_001
    """Priority from which a card is shown however many there are; it takes its place among them all the same."""

    def __post_init__(self) -> None:
        if self.cards_per_minute is not None and self.cards_per_minute < 1:
            raise ValueError(f"expected cards_per_minute of at least 1, got {self.cards_per_minute}")


class Offers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When rules with ``offer: true`` may show their cards."""

    closed_at: float = 0.60
    """The customer's agitation from which none is shown, nor while they sound angry."""
    open_below: float = 0.40
    """Agitation below which they are shown again."""
    wait_ms: int = 60_000
    """So long a card that was held back may still be shown."""
    per_call: int = 2
    """More are not shown."""
    not_about: tuple[str, ...] = ()
    """Topics that nobody is offered; those of one customer stand in the attribute ``no_offers_about`` of the call."""
    consent: str | None = None
    """Attribute of the call that must be "yes" or "true"; without it none is asked for."""
    refused_days: int = 90
    """So long after the customer has refused an offer, neither it nor another about its topics is shown."""
    per_customer: int = 6
    """In ``customer_days`` days, over all calls, more are not shown."""
    customer_days: int = 30

    def __post_init__(self) -> None:
        if not 0 <= self.open_below <= self.closed_at <= 1:
            raise ValueError(
                f"expected 0 <= open_below <= closed_at <= 1, got {self.open_below:g} and {self.closed_at:g}"
            )
        if self.per_call < 0 or self.wait_ms < 0:
            raise ValueError("expected per_call and wait_ms of at least 0, got less")
        if min(self.refused_days, self.per_customer, self.customer_days) < 0:
            raise ValueError("expected refused_days, per_customer and customer_days of at least 0, got less")


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All the rules of one operator."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    signals: dict[Signal, Phrases] = {}
    """Further words of the customer that the churn risk heeds."""
    unless: dict[Signal, Phrases] = {}
    """Among these, the words of a signal do not count."""
    competitors: tuple[Competitor, ...] = ()
    calm: Calm = Calm()
    offers: Offers = Offers()
    flows: tuple[Flow, ...] = ()
    """A call follows the first that fits."""
    retention: Retention | None = None
    recommendations: Recommendations = Recommendations()
    compensation: Authority | None = None
    """Without it nothing can be given."""
    learned: Learned | None = None
    """What agents made of the cards."""
    digest: str = ""
    """Of the files that it was read from; not written in them."""

    def __post_init__(self) -> None:
        for phrases in (*self.signals.values(), *self.unless.values()):
            check_phrases(phrases)
        if sum(rule.agitation is not None for rule in self.rules) > 1:
            raise ValueError("expected one rule on agitation, got more")
        for rule in self.rules:
            if rule.id == RULE or rule.id.startswith(PREFIX):
                raise ValueError(f"expected an id of a rule other than {RULE} and {PREFIX}*, got {rule.id}")
        for name in (ids := [flow.id for flow in self.flows]):
            if ids.count(name) > 1:
                raise ValueError(f"expected each flow's id once, got {name} twice")

    def unknown_rules(self) -> set[str]:
        """Ids that flows and recommendations name and that no rule has."""
        named = {name for flow in self.flows for name in flow.rules()}
        named |= {name for each in self.recommendations.candidates for name in each.when.rules}
        return named - {rule.id for rule in self.rules}

    def unknown_steps(self) -> set[str]:
        """Steps that recommendations name and that no flow has."""
        known = {step.id for flow in self.flows for step in flow.every_step()}
        return {name for each in self.recommendations.candidates for name in each.after_steps} - known

    @property
    def source(self) -> str:
        """For the cards: name, version as written, and what tells one content from another."""
        learned = "" if self.learned is None else f" learned {self.learned.id}"
        return f"{self.name} {self.version}" + (f"+{self.digest}" if self.digest else "") + learned

    def topics(self, rule: str) -> tuple[str, ...]:
        """What a rule, or a candidate, offers."""
        given = [each.topics for each in self.rules if each.id == rule]
        given += [each.topics for each in self.recommendations.candidates if each.rule == rule]
        return given[0] if given else ()

    def sentences(self) -> dict[Language, tuple[str, ...]]:
        """What rules look for by its meaning; nothing where none does."""
        found: dict[Language, tuple[str, ...]] = {}
        for group in (each for rule in self.rules for each in (rule.like, rule.unlike)):
            for language, given in group.items():
                found[language] = (*found.get(language, ()), *given)
        return found

    def movable(self) -> dict[str, int]:
        """Priority of the rules whose cards may be ranked by what agents make of them: none for compliance."""
        found = {rule.id: rule.priority for rule in self.rules if rule.kind == "card" and not rule.compliance}
        return found | {each.rule: each.priority for each in self.recommendations.candidates}

    def ranked(self) -> "Playbook":
        """With priorities, and weights of candidates, moved by what was learned."""
        if self.learned is None or not (shifts := self.learned.shifts):
            return self
        movable = self.movable()
        rules = tuple(_moved(rule, shifts.get(rule.id, 0)) if rule.id in movable else rule for rule in self.rules)
        candidates = tuple(_moved(each, shifts.get(each.rule, 0)) for each in self.recommendations.candidates)
        weighed = tuple(
            msgspec.structs.replace(each, weight=min(1.0, max(0.01, each.weight + shifts.get(each.rule, 0) / 1000)))
            for each in candidates
        )
        recommendations = msgspec.structs.replace(self.recommendations, candidates=weighed)
        return msgspec.structs.replace(self, rules=rules, recommendations=recommendations)


Moved = TypeVar("Moved", Rule, Candidate)


def _moved(one: Moved, shift: int) -> Moved:
    return msgspec.structs.replace(one, priority=min(1000, max(0, one.priority + shift))) if shift else one


def load(directory: Path | None = None) -> Playbook:
    """
    Read all ``*.yaml`` of a directory as one playbook; ``rules`` may stand in several files.

    Raises:
        PlaybookError: The first fault: names the file, the place in it, what was expected and what stands there.
    """
    playbook, errors = read(directory)
    if errors:
        raise errors[0]
    assert playbook is not None
    return playbook


def read(directory: Path | None = None) -> tuple[Playbook | None, list[PlaybookError]]:
    """All faults, and a playbook of what is sound, if anything is: what has a fault is left out of it."""
    directory = directory or DEFAULT
    files = sorted(directory.glob("*.yaml"))
    if not files:
        return None, [PlaybookError(str(directory), "at least one *.yaml", "none")]
    merged: dict[str, Any] = {}
    errors: list[PlaybookError] = []
    told: list[str] = []
    lost = False
    digest = hashlib.sha256()
    for file in files:
        try:
            content = _bytes(file)
            digest.update(content)
            values = _read(file, content)
        except PlaybookError as error:
            errors.append(error)
            lost = True
            continue
        errors += _taken(file, content, values, merged, told)
        lost = lost or not values.keys() <= merged.keys()
    errors += [
        PlaybookError(str(directory), "each rule's id once", f"{rule} twice")
        for at, rule in enumerate(told)
        if rule in told[:at]
    ]
    before = len(errors)
    whole = Faults(merged, lambda value: msgspec.convert(value | {"digest": digest.hexdigest()[:8]}, Playbook))
    # What could not be taken from the files is not missing.
    errors += [] if lost else [_error(str(directory), None, merged, each) for each in whole.found]
    if whole.found:
        return None, errors
    playbook = msgspec.convert(merged | {"digest": digest.hexdigest()[:8]}, Playbook)
    errors += _unknown(str(directory), playbook, set(told), sound=not before)
    return playbook, errors


def _taken(
    file: Path, raw: bytes, values: dict[str, Any], merged: dict[str, Any], told: list[str]
) -> list[PlaybookError]:
    """Put what is sound of a file beside what was read before; the ids of its rules, sound or not, into ``told``."""
    errors: list[PlaybookError] = []
    for key, value in values.items():
        if key in merged and not (key == "rules" and isinstance(value, list)):
            errors.append(PlaybookError(str(file), f"{key} in one file only", "it in two", line_of(raw, (key,))))
            continue
        if key == "digest":
            errors.append(PlaybookError(str(file), "a playbook as described", "the field digest"))
            continue
        told += _ids(value) if key == "rules" else []
        # Checked file by file, so that the error names the right one.
        checked = Faults(
            {key: value}, lambda one: msgspec.convert({"name": "", "version": "", "rules": []} | one, Playbook)
        )
        errors += [_error(str(file), raw, values, each) for each in checked.found]
        if key in checked.sound:
            sound = checked.sound[key] if key != "rules" else _whole(value, checked.found)
            merged[key] = [*merged[key], *sound] if key in merged else sound
    return errors


def _error(path: str, raw: bytes | None, values: dict[str, Any], fault: Fault) -> PlaybookError:
    rule = ""
    if fault.place[:1] == ("rules",) and len(fault.place) > 1 and isinstance(number := fault.place[1], int):
        one = values["rules"][number]
        rule = str(one.get("id", number)) if isinstance(one, dict) else str(number)
    got = f"{fault.got} at {shown(fault.place)}" if fault.place else fault.got
    return PlaybookError(path, fault.expected, got, None if raw is None else line_of(raw, fault.place), rule)


def _unknown(path: str, playbook: Playbook, known: set[str], *, sound: bool) -> list[PlaybookError]:
    """Rules and steps that are named and that there are none of."""
    rules = sorted(playbook.unknown_rules() - known)
    steps = sorted(playbook.unknown_steps()) if sound else []
    return [
        *(PlaybookError(path, "flows and recommendations that name rules of the playbook", rule) for rule in rules),
        *(PlaybookError(path, "recommendations that name steps of a flow", step) for step in steps),
    ]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PlaybookError(str(file), "a file that can be read", type(error).__name__) from error


def _read(file: Path, raw: bytes) -> dict[str, Any]:
    try:
        content = yaml.safe_load(raw.decode("utf-8"))
    # PyYAML tells a day that does not exist, and what is nested too deep, by errors of Python's own.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PlaybookError(str(file), "YAML in UTF-8", str(error).replace("\n", " ")) from error
    if not isinstance(content, dict):
        raise PlaybookError(str(file), "keys and values", type(content).__name__)
    return content


def _ids(rules: Any) -> list[str]:
    """As far as they can be read."""
    found = [rule.get("id") for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return [name for name in found if isinstance(name, str)]


def _whole(rules: list[Any], faults: Sequence[Fault]) -> list[Any]:
    """Rules without a fault: of the others nothing else could be told for certain."""
    faulty = {fault.place[1] for fault in faults}
    return [rule for at, rule in enumerate(rules) if at not in faulty]
