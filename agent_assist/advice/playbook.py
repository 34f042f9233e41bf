"""Playbooks: rules as data, read and checked once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml

from agent_assist.advice.phrases import compile_phrase
from agent_assist.advice.spoken import words
from agent_assist.errors import PlaybookError
from agent_assist.types import CardKind
from audio.types import Channel
from models.types import EmotionLabel

DEFAULT: Final = Path(__file__).parent / "playbooks" / "default"

Texts = dict[Literal["zh", "en"], str]
Phrases = dict[Literal["zh", "en"], tuple[str, ...]]

_FILLS: Final[tuple[str, ...]] = ("name", "customer_name", "emotion", "words")

Signal = Literal["cancel", "competitor", "refund", "complaint", "repeat_contact", "price", "saved", "satisfied"]


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When in the call a rule looks."""

    first: int | None = None
    """Only among the first so many utterances of its speaker."""
    after_ms: int | None = None
    """Only after so much of the call."""
    after_customer: int = 0
    """Only once the customer has said so many utterances."""


class AgitationLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fires once when the customer is agitated for long enough, and again only after they have calmed down."""

    at: float
    rearm: float
    utterances: int
    """In a row, or ..."""
    speech_ms: int
    """... so much speech."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; all the conditions that it names must hold."""

    id: str
    kind: CardKind
    speaker: Channel
    priority: int
    title: Texts
    text: Texts
    """
    Of the card; ``{name}`` is a competitor's name, ``{customer_name}`` the customer's, ``{emotion}`` theirs,
    ``{words}`` what was heard.
    """
    reason: Texts
    phrases: Phrases = {}
    """One is enough, written as ``phrases.py`` says; one that is denied ("I do not want to ...") does not count."""
    all_of: tuple[Phrases, ...] = ()
    """One of each group, in the speaker's last utterances together."""
    unless: Phrases = {}
    """None may stand in the utterance."""
    not_within: Phrases = {}
    """What lies within one of these does not count, a name that is spoken of as the past, for one."""
    competitors: bool = False
    """A name of the playbook's competitors, or one of the phrases."""
    emotions: tuple[EmotionLabel, ...] = ()
    """The utterance's emotion is one of them."""
    least_confidence: float = 0.0
    """Of the emotion."""
    by_emotion: dict[EmotionLabel, Texts] = {}
    """Text of the card for each emotion, instead of ``text``."""
    emotion_reason: Texts = {}
    """Instead of ``reason``, where the emotion is the reason."""
    either: bool = False
    """The emotion or the words suffice; otherwise both are asked for."""
    yields: tuple[EmotionLabel, ...] = ()
    """Emotions with which the rule fires only where it has not fired before, and may fire for another later."""
    unless_agent: Phrases = {}
    """The agent did not just say one of them."""
    agitation: AgitationLevel | None = None
    window: Window = Window()
    once: Literal["call", "name", "emotion", "episode"] = "call"
    """Fires once for each; an episode ends when the agitation does."""
    signal: Signal | None = None
    """What it tells the churn risk, whenever its words are heard."""

    def __post_init__(self) -> None:
        if not 0 <= self.priority <= 1000:
            raise ValueError(f"expected a priority from 0 to 1000, got {self.priority}")
        if not (self.phrases or self.all_of or self.competitors or self.emotions or self.agitation):
            raise ValueError("expected a condition, got none")
        for phrases in (self.phrases, self.unless, self.not_within, self.unless_agent, *self.all_of):
            _check_phrases(phrases)
        for texts in (self.title, self.text, self.reason, self.emotion_reason, *self.by_emotion.values()):
            _check_texts(texts)


class Competitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom customers may go to."""

    name: str
    aliases: tuple[str, ...] = ()
    advantages: Texts = {}
    """What we do better, for the card."""

    def __post_init__(self) -> None:
        if not words(self.name):
            raise ValueError(f"expected a name with letters, got {self.name!r}")
        _check_texts(self.advantages)


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

    def __post_init__(self) -> None:
        for phrases in (*self.signals.values(), *self.unless.values()):
            _check_phrases(phrases)
        if sum(rule.agitation is not None for rule in self.rules) > 1:
            raise ValueError("expected one rule on agitation, got more")

    @property
    def source(self) -> str:
        """For the cards."""
        return f"{self.name} {self.version}"


def load(directory: Path | None = None) -> Playbook:
    """
    Read all ``*.yaml`` of a directory as one playbook.

    Raises:
        PlaybookError: Names the file, the place in it, what was expected and what stands there.
    """
    directory = directory or DEFAULT
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise PlaybookError(str(directory), "at least one *.yaml", "none")
    merged: dict[str, Any] = {}
    for file in files:
        for key, value in _read(file).items():
            if key in merged:
                raise PlaybookError(str(file), f"{key} in one file only", "it in two")
            merged[key] = value
            # Checked file by file, so that the error names the right one.
            try:
                msgspec.convert({"name": "", "version": "", "rules": []} | {key: value}, Playbook)
            except msgspec.ValidationError as error:
                raise PlaybookError(str(file), *_told(error, value)) from error
    try:
        playbook = msgspec.convert(merged, Playbook)
    except msgspec.ValidationError as error:
        raise PlaybookError(str(directory), *_told(error, merged)) from error
    for rule in _twice(playbook):
        raise PlaybookError(str(directory), "each rule's id once", f"{rule} twice")
    return playbook


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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


def _check_phrases(phrases: Phrases) -> None:
    for phrase in (phrase for group in phrases.values() for phrase in group):
        try:
            compile_phrase(phrase)
        except ValueError as error:
            raise ValueError(f"expected a phrase, got {phrase!r}: {error}") from error


def _check_texts(texts: Texts) -> None:
    fills: dict[str, str] = dict.fromkeys(_FILLS, "")
    for text in texts.values():
        try:
            text.format_map(fills)
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise ValueError(f"expected in braces one of {', '.join(_FILLS)}, got {text!r}") from error
