"""One rule of a playbook, as it is written."""

import re
from functools import reduce
from typing import Final, Literal, NamedTuple

import msgspec

from agent_assist.advice.conditions import (
    AgitationLevel,
    Examples,
    Hits,
    Language,
    Measure,
    NotSaid,
    Phrases,
    Risk,
    Texts,
    Window,
    check_phrases,
    check_sentences,
    check_texts,
)
from agent_assist.advice.profile import ProfileCondition
from audio.types import Channel
from models.intent import Intent
from models.types import EmotionLabel

Signal = Literal["cancel", "competitor", "refund", "complaint", "repeat_contact", "price", "saved", "satisfied"]
Kind = Literal["card", "tick", "alert", "task", "webhook"]

_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class Clues(NamedTuple):
    """By which an utterance is told that cannot meet a rule: it has none of them."""

    phrases: tuple[str, ...] = ()
    names: bool = False
    """A competitor's, any."""
    intents: tuple[Intent, ...] = ()
    emotions: tuple[EmotionLabel, ...] = ()

    def joined(self, other: "Clues") -> "Clues":
        """One of these, or of the other's."""
        return Clues(
            self.phrases + other.phrases,
            self.names or other.names,
            self.intents + other.intents,
            self.emotions + other.emotions,
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; all the conditions that it names must hold."""

    id: str
    """Letters, digits, ``_``, ``-`` and ``.``."""
    name: str = ""
    """For lists."""
    kind: Kind
    """What it does: shows a card, ticks a step, alerts, sets a task, or has a message sent to another program."""
    speaker: Channel | None = None
    """Whose utterances it looks at; both sides' where it is not given."""
    languages: tuple[Language, ...] = ()
    """Of the utterance; any where none is given."""
    priority: int
    title: Texts = {}
    text: Texts = {}
    """
    Of the card; ``{name}`` is a competitor's name, ``{customer_name}`` the customer's, ``{emotion}`` theirs,
    ``{words}`` what was heard, ``{measure}`` the measure that was met.
    """
    reason: Texts = {}
    phrases: Phrases = {}
    """One is enough, written as ``phrases.py`` says; one that is denied ("I do not want to ...") does not count."""
    all_of: tuple[Phrases, ...] = ()
    """One of each group, in the speaker's last utterances together."""
    unless: Phrases = {}
    """None may stand in the utterance."""
    not_within: Phrases = {}
    """
    What lies within one of these does not count, a name that is spoken of as the past, for one; nor does a clause that
    means one of ``like`` and in which one of these stands.
    """
    like: Phrases = {}
    """Sentences of one clause: one that means the same is enough. What is denied is no sentence that denies nothing."""
    unlike: Phrases = {}
    """Counter-sentences: a clause that means one of these rather does not count."""
    least_likeness: dict[Language, float] = {}
    """0 ... 1, from which a clause means what a sentence does; ``conditions.LEAST_LIKENESS`` where it is not given."""
    competitors: bool = False
    """A name of the playbook's competitors, or one of the phrases."""
    customer_name: bool = False
    """The agent calls the customer by their name, or says one of the phrases."""
    intents: tuple[Intent, ...] = ()
    """The customer's utterance wants one of them, as the trained model reads it."""
    emotions: tuple[EmotionLabel, ...] = ()
    """The utterance's emotion is one of them."""
    least_confidence: float = 0.0
    """Of the emotion."""
    by_emotion: dict[EmotionLabel, Texts] = {}
    """Text of the card for each emotion, instead of ``text``."""
    emotion_reason: Texts = {}
    """Instead of ``reason``, where the emotion is the reason."""
    either: bool = False
    """Of words, sentences by meaning, intents and emotions one suffices; otherwise each that is named is asked for."""
    yields: tuple[EmotionLabel, ...] = ()
    """Emotions with which the rule fires only where it has not fired before, and may fire for another later."""
    unless_agent: Phrases = {}
    """The agent did not just say one of them."""
    agitation: AgitationLevel | None = None
    measures: tuple[Measure, ...] = ()
    """All of them hold."""
    risk: Risk | None = None
    profile: str | None = None
    """In CEL, over ``customer`` and ``call``, see ``docs/playbooks.md``; what is not known does not meet it."""
    not_said: NotSaid | None = None
    window: Window = Window()
    hits: Hits | None = None
    """Fires when that many utterances have met it."""
    once: Literal["call", "name", "emotion", "episode", "always"] = "call"
    """Fires once for each; an episode ends when the agitation does. "always" needs ``cooldown_ms``."""
    cooldown_ms: int = 0
    """So long after it has fired it does not fire again."""
    after: bool = False
    """Looked at once, over the whole call, when it has ended."""
    early: bool = False
    """Looks at what is being said already; what it shows is provisional until the utterance is final."""
    compliance: bool = False
    """Never held back."""
    offer: bool = False
    """Recommends or offers something: held back while the customer is upset, see ``offers`` of the playbook."""
    topics: tuple[str, ...] = ()
    """What it offers."""
    due_hours: float | None = None
    """Of a task, from when it is set."""
    webhook: str | None = None
    """Name of the receiver of a webhook's message."""
    signal: Signal | None = None
    """What it tells the churn risk, whenever its words are heard."""
    examples: Examples = Examples()

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise ValueError(f"expected an id of letters, digits, '_', '-' and '.', got {self.id!r}")
        if not 0 <= self.priority <= 1000:
            raise ValueError(f"expected a priority from 0 to 1000, got {self.priority}")
        for phrases in (self.phrases, self.unless, self.not_within, self.unless_agent, *self.all_of):
            check_phrases(phrases)
        check_sentences(self.like, self.unlike, self.least_likeness)
        for texts in (self.title, self.text, self.reason, self.emotion_reason, *self.by_emotion.values()):
            check_texts(texts)
        if self.profile is not None:
            ProfileCondition(self.profile)
        for wrong, told in (*self._conditions(), *self._action()):
            if wrong:
                raise ValueError(told)

    @property
    def listens(self) -> bool:
        """Whether what is said, or how, decides: not measures, risk or profile alone."""
        return bool(self.worded or self.like or self.intents or self.emotions)

    @property
    def worded(self) -> bool:
        """Whether words decide."""
        return bool(self.phrases or self.all_of or self.competitors or self.customer_name)

    @property
    def clues(self) -> "Clues | None":
        """What an utterance that meets it has at least one of; None where it may be met without any."""
        words = self._words_needed()
        kinds = [words] if self.worded else []
        kinds += [Clues(intents=self.intents)] if self.intents else []
        kinds += [Clues(emotions=self.emotions)] if self.emotions else []
        kinds += [None] if self.like else []
        known = [one for one in kinds if one is not None]
        if not self.either or len(kinds) == 1:
            return known[0] if known else None
        return reduce(Clues.joined, known) if known and len(known) == len(kinds) else None

    def _words_needed(self) -> "Clues | None":
        if self.all_of:
            return Clues(tuple(phrase for group in self.all_of for each in group.values() for phrase in each))
        if self.customer_name:
            return None
        return Clues(tuple(phrase for each in self.phrases.values() for phrase in each), names=self.competitors)

    @property
    def is_silence(self) -> bool:
        """Whether it looks at the silence before an utterance."""
        return any(measure.name == "silence_ms" for measure in self.measures)

    def _conditions(self) -> list[tuple[object, str]]:
        """What conditions do not go together, and how that is told."""
        asks = self.listens or self.agitation or self.measures or self.risk or self.profile is not None
        felt = self.emotions or self.agitation or self.intents
        asked, silence = self.not_said, self.is_silence
        repeats = self.cooldown_ms or self.hits or asked or self.after
        return [
            (not asks, "expected a condition, got none"),
            (
                felt and self.speaker is not Channel.CUSTOMER,
                f"expected speaker customer with intents, emotions or agitation, got {self.speaker or 'none'}",
            ),
            (self.once == "always" and not repeats, "expected cooldown_ms with once: always, got none"),
            (self.hits and not (self.listens or self.measures), "expected words or measures with hits, got neither"),
            (self.hits and (asked or silence), "expected hits without not_said and silence_ms, got both"),
            (asked and self.speaker is None, "expected a speaker with not_said, got none"),
            (
                asked and not (self.worded or self.like or self.intents),
                "expected phrases, all_of, like or intents with not_said, got none of them",
            ),
            (
                self.customer_name and self.speaker is not Channel.AGENT,
                f"expected speaker agent with customer_name, got {self.speaker or 'none'}",
            ),
            (
                asked and (self.emotions or self.agitation or silence),
                "expected not_said without emotions, agitation and silence_ms, got both",
            ),
            (
                self.after and (self.agitation or self.signal or self.offer or silence),
                "expected after without agitation, signal, offer and silence_ms, got both",
            ),
            (
                self.after and asked and asked.within_ms is not None,
                "expected after with not_said until the end of the call, got within_ms",
            ),
            (self.early and not self.worded, "expected phrases, all_of or competitors with early, got none of them"),
            (self.early and (self.after or asked), "expected early without after and not_said, got both"),
        ]

    def _action(self) -> list[tuple[object, str]]:
        """The same of what it does."""
        kind, hours = self.kind, self.due_hours
        task, webhook = kind == "task", kind == "webhook"
        return [
            (webhook is (self.webhook is None), f"expected a webhook with this kind and no other, got kind: {kind}"),
            (task is (hours is None), f"expected due_hours with a task and nothing else, got kind: {kind}"),
            (hours is not None and not 0 < hours <= 8760, f"expected due_hours above 0, up to 8760, got {hours}"),
            (not webhook and not (self.title and self.reason), "expected a title and a reason, got none"),
            (self.early and (task or webhook), f"expected a card, tick or alert with early, got a {kind}"),
            (self.offer and kind != "card", f"expected kind: card with offer, got {kind}"),
            (
                self.offer and (self.compliance or self.early or self.is_silence),
                "expected an offer without compliance, early and silence_ms, got both",
            ),
            (self.topics and not self.offer, "expected topics with offer: true, got them without"),
        ]
