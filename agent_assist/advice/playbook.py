"""Playbooks: rules as data, read and checked once."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from agent_assist.advice.authority import Authority
from agent_assist.advice.conditions import Language, Phrases, Texts, check_phrases, check_texts
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
        PlaybookError: Names the file, the place in it, what was expected and what stands there.
    """
    directory = directory or DEFAULT
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise PlaybookError(str(directory), "at least one *.yaml", "none")
    merged: dict[str, Any] = {}
    digest = hashlib.sha256()
    for file in files:
        content = _bytes(file)
        digest.update(content)
        for key, value in _read(file, content).items():
            if key in merged and not (key == "rules" and isinstance(value, list)):
                raise PlaybookError(str(file), f"{key} in one file only", "it in two")
            # Checked file by file, so that the error names the right one.
            try:
                msgspec.convert({"name": "", "version": "", "rules": []} | {key: value}, Playbook)
            except msgspec.ValidationError as error:
                raise PlaybookError(str(file), *_told(error, value)) from error
            if key == "digest":
                raise PlaybookError(str(file), "a playbook as described", "the field digest")
            merged[key] = [*merged[key], *value] if key in merged else value
    try:
        playbook = msgspec.convert(merged | {"digest": digest.hexdigest()[:8]}, Playbook)
    except msgspec.ValidationError as error:
        raise PlaybookError(str(directory), *_told(error, merged)) from error
    for rule in _twice(playbook):
        raise PlaybookError(str(directory), "each rule's id once", f"{rule} twice")
    for rule in sorted(playbook.unknown_rules()):
        raise PlaybookError(str(directory), "flows and recommendations that name rules of the playbook", rule)
    for step in sorted(playbook.unknown_steps()):
        raise PlaybookError(str(directory), "recommendations that name steps of a flow", step)
    return playbook


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


def _told(error: msgspec.ValidationError, value: Any) -> tuple[str, str]:
    """What was expected and what came, with the rule's id where there is one."""
    message, _, place = str(error).partition(" - at `")
    expected, _, got = (message[:1].lower() + message[1:]).removeprefix("expected ").partition(", got ")
    where = [place.rstrip("`")] if place else []
    if "rules[" in place and isinstance(value, list):
        number = int(place.partition("rules[")[2].partition("]")[0])
        rule = value[number].get("id", number) if isinstance(value[number], dict) else number
        where.append(f"rule {rule}")
    return expected if got else "a playbook as described", " at ".join([got or expected, *where])


def _twice(playbook: Playbook) -> Iterator[str]:
    seen: set[str] = set()
    for rule in playbook.rules:
        if rule.id in seen:
            yield rule.id
        seen.add(rule.id)
