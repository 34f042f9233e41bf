"""What crosses a process after the audio: the events of a call and the help given."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from agent_assist.call.course import Why
from agent_assist.customer.caller import Caller
from agent_assist.knowledge.types import Mark, NodeKind
from audio.types import Channel
from models.curve import Swings, Trend
from models.turning import Turn
from models.types import ChurnRisk, Emotion, EmotionLabel, Utterance


class CallStarted(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """The first event of a call."""

    call_id: str
    at: datetime
    """UTC."""
    protocol: str
    """How the audio arrives: "twilio", "recording" ..."""
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    attributes: dict[str, str] = {}
    """
    What else the telephone side told at the start, and what is known of the customer where it did not; ``tenant``
    picks the playbook.
    """
    caller: Caller | None = None
    """Who calls, as known at ring; None where nothing is."""
    v: int = 1


class CustomerKnown(msgspec.Struct, frozen=True, kw_only=True, tag="known"):
    """What is known of the customer has changed while the call runs, or has become known: whole, each time."""

    call_id: str
    caller: Caller
    """The later by ``at`` holds."""
    arrived_at: datetime
    """When that arrived from which it follows: an event of another system, a sentence of this call."""
    v: int = 1


class Partial(msgspec.Struct, frozen=True, kw_only=True, tag="partial"):
    """What is being said; each revision replaces the one before, the final replaces all."""

    call_id: str
    utterance_id: str
    channel: Channel
    revision: int
    start_ms: int
    end_ms: int
    text: str
    """Empty where it came to nothing: no final follows."""
    committed: int = 0
    """Characters of ``text``, from its beginning, with which later partials of the utterance begin as well."""
    language: str
    emotion: Emotion | None = None
    """Of the customer in its last seconds, until the final's takes its place; None on the agent's channel."""
    v: int = 1


class Final(msgspec.Struct, frozen=True, kw_only=True, tag="final"):
    """What was said; may arrive twice with the same id and content, never changed."""

    call_id: str
    utterance: Utterance
    v: int = 1


class Keys(msgspec.Struct, frozen=True, kw_only=True, tag="keys"):
    """Keys pressed on the telephone one after the other; may arrive twice with the same id and content."""

    id: str
    """``call_id:channel:keys:start_ms``."""
    call_id: str
    channel: Channel
    start_ms: int
    end_ms: int
    keys: str
    """0 to 9, *, # and A to D; empty where they may be a secret, as card numbers are."""
    count: int
    v: int = 1


class Degraded(msgspec.Struct, frozen=True, kw_only=True, tag="degraded"):
    """Something works less well than it should; the call goes on."""

    call_id: str
    at_ms: int
    stage: str
    """"load", "asr", "rule", "gap", "clipping_agent" ..."""
    reason: str
    over: bool = False
    """Whether it works again as it should."""
    ms: int | None = None
    """Audio that is missing, of a gap."""
    v: int = 1


class CallEnded(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The last event of a call."""

    call_id: str
    duration_ms: int
    reason: Literal["hangup", "lost", "refused"]
    """"lost" where the audio stopped without the protocol's end."""
    v: int = 1


Event = CallStarted | CustomerKnown | Partial | Final | Keys | Degraded | CallEnded
"""The topic ``call.events``."""


class CardKind(StrEnum):
    CARD = "card"
    TICK = "tick"
    ALERT = "alert"
    TASK = "task"


class Card(msgspec.Struct, frozen=True, kw_only=True, tag="card"):
    """Advice in front of the agent, a ticked step, an alert, or something to be done later."""

    id: str
    """
    ``call_id:rule:utterance_id``; for what was not said "start", "end" or the utterance that it should have followed,
    and "known" where it follows from what became known of the customer: the same evidence gives the same card.
    """
    call_id: str
    rule: str
    kind: CardKind
    title: str
    text: str
    at_ms: int
    """End of the utterance that gave rise to it; later where it was held back, or where something was not said."""
    utterance_id: str
    """Empty where no utterance gave rise to it."""
    priority: int
    """0 ... 1000."""
    language: str
    reason: str
    """Why it is shown, in the card's language."""
    trigger: tuple[str, ...] = ()
    """The words that gave rise to it, as heard."""
    source: str = ""
    """Playbook, its version and a digest of its content."""
    provisional: bool = False
    """Of what is not final yet: it comes again with the same id and False, or is ``Withdrawn``."""
    compliance: bool = False
    """Demanded by a rule that is never held back."""
    offer: bool = False
    due_hours: float | None = None
    """Of a task, from ``at_ms``."""
    v: int = 1


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True, tag="withdrawn"):
    """A provisional card that the final did not bear out."""

    call_id: str
    card_id: str
    at_ms: int
    v: int = 1


class Withheld(msgspec.Struct, frozen=True, kw_only=True, tag="withheld"):
    """A card that a rule gave and that was not shown."""

    call_id: str
    card_id: str
    rule: str
    at_ms: int
    why: Literal["calm", "mood", "cap", "topic", "consent", "refused", "enough"]
    """
    Too many at once; the customer was upset for too long; offers enough on this call; not about this; not allowed; the
    customer refused it on an earlier call; offers enough to this customer lately.
    """
    v: int = 1


class Webhook(msgspec.Struct, frozen=True, kw_only=True, tag="webhook"):
    """What another program is to be told."""

    id: str
    """As a card's."""
    call_id: str
    rule: str
    receiver: str
    """Name of the receiver, whose address stands elsewhere."""
    at_ms: int
    utterance_id: str
    title: str
    text: str
    language: str
    customer_id: str | None
    trigger: tuple[str, ...] = ()
    source: str = ""
    v: int = 1


class Article(msgspec.Struct, frozen=True, kw_only=True, tag="article"):
    """What the knowledge base holds on what was just said; shown before the agent asks."""

    id: str
    """``call_id:article:kind:key``: a call is shown each once."""
    call_id: str
    at_ms: int
    """End of the customer's utterance that gave rise to it."""
    utterance_id: str
    kind: NodeKind
    key: str
    version: int
    title: str
    heading: str
    passage: str
    marks: tuple[Mark, ...]
    """Of the passage."""
    source: str
    """File and row that it was imported from."""
    score: float
    """0 ... 1; 1 for an exact code."""
    reason: Literal["code", "fault", "question"]
    trigger: tuple[str, ...]
    """The words that gave rise to it, as heard."""
    language: str
    revision: int
    """Of the base: how often anything was published or withdrawn before it was asked."""
    v: int = 1


class Hint(msgspec.Struct, frozen=True, kw_only=True, tag="hint"):
    """What the agent who asks for it need not ask, since it is known."""

    id: str
    """``call_id:hint:utterance_id``."""
    call_id: str
    at_ms: int
    utterance_id: str
    """The agent's question, or the customer's answer that they have told it before."""
    fields: tuple[str, ...]
    """"name", "phone", "order_number" ..."""
    text: str
    """In the language of the cards."""
    language: str
    v: int = 1


class Break(msgspec.Struct, frozen=True, kw_only=True, tag="break"):
    """A short break is due after a hard call; told to the agent alone, and in no record of the call."""

    id: str
    """``call_id:break``."""
    call_id: str
    agent_id: str
    at: datetime
    """End of the call, UTC."""
    exposure_ms: int
    """To anger and abuse, in the shift up to now."""
    text: str
    language: str
    v: int = 1


class SpeakerMeasures(msgspec.Struct, frozen=True, kw_only=True):
    talk_ms: int
    talk_share: float | None
    """Of the time anybody talks; None before anybody did."""
    interruptions: int
    """Times this speaker began while the other was speaking and kept on."""
    words_per_minute: float | None
    """Over the talk time, for languages with spaces."""
    characters_per_minute: float | None
    """For Chinese."""
    loudness_dbfs: float | None
    recent_words_per_minute: float | None = None
    """As above over the speech of the last 30 s; an utterance that began before counts by its share in them."""
    recent_characters_per_minute: float | None = None


class AudioFault(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is wrong with the sound of a call.

    "loss": audio is missing; "clipping": it is cut off at full scale; "quiet", "loud": the speech of a channel is
    far from where telephones put it. Echo is not measured.
    """

    kind: Literal["loss", "clipping", "quiet", "loud"]
    channel: Channel | None
    """None where both are concerned, or where it is not known which."""
    count: int
    """Gaps; minutes with clipping; 1 for a level."""
    ms: int | None = None
    """Missing audio; None for the others."""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Conversation measures of one call."""

    customer: SpeakerMeasures
    agent: SpeakerMeasures
    talk_ms: int
    """Time in which at least one speaker talks."""
    non_talk_ms: int
    """Mutual silences longer than 3 s, whole."""
    overtalk_ms: int
    interruptions: int
    hold_ms: int = 0
    """
    Mutual silences longer than 3 s after the agent asked to wait, whole; part of ``non_talk_ms``. A wait that nobody
    announces is silence, and one with music that is taken for speech is talk: no protocol that we know tells of holds.
    """
    holds: int = 0
    """Such silences."""
    longest_silence_ms: int = 0
    silence_ms: int = 0
    """Since the last speech, where the call has ended; else 0: these measures are as of its end."""
    speech_end_ms: int = 0
    """End of the last speech: who has a clock knows the silence that runs."""
    faults: tuple[AudioFault, ...] = ()


class CallRisk(msgspec.Struct, frozen=True, kw_only=True, tag="risk"):
    """The churn risk of the customer on this call, whenever it changes."""

    call_id: str
    customer_id: str | None
    at_ms: int
    risk: ChurnRisk
    v: int = 1


class CallMeasures(msgspec.Struct, frozen=True, kw_only=True, tag="measures"):
    call_id: str
    at_ms: int
    measures: Measures
    v: int = 1


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The smoothed curve of the customer's mood at the end of one of their utterances."""

    utterance_id: str
    at_ms: int
    score: float | None
    """-5 ... +5; None while no valence is known."""
    trend: Trend
    arousal: float | None
    """-1 ... 1."""
    agitation: float | None
    """0 ... 1."""


class CallMood(msgspec.Struct, frozen=True, kw_only=True, tag="mood"):
    """How the customer's mood goes, with each of their utterances."""

    call_id: str
    at_ms: int
    point: CurvePoint
    """What is new on the curve."""
    swings: Swings | None
    turns: tuple[Turn, ...]
    """All of the call so far, by time; the last ones may still move or go."""
    v: int = 1


class FlowStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the standard flow, as it stands."""

    id: str
    title: str
    state: Literal["open", "done", "skipped", "waived"]
    """"skipped": a later one is done, and this one may yet be; "waived": a branch makes it needless."""
    optional: bool
    branch: str
    """Which brought it; empty of the flow's own."""
    utterance_id: str
    """With which it was done; empty where it was not."""
    at_ms: int | None
    out_of_order: bool
    """Done after one that comes later."""


class FlowBranch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of the flow that was taken."""

    id: str
    title: str
    why: Why
    reason: str
    utterance_id: str
    """Empty where it was taken at the start of the call."""
    at_ms: int


class CallFlow(msgspec.Struct, frozen=True, kw_only=True, tag="flow"):
    """How far a call has come in its standard flow: whole, at the start, and whenever something changes."""

    call_id: str
    at_ms: int
    flow: str
    title: str
    language: str
    steps: tuple[FlowStep, ...]
    """In the order in which they are to be done, those of a branch where it joins."""
    current: str | None
    """The step that is next; None where none is left, or only what was skipped."""
    branches: tuple[FlowBranch, ...]
    adherence: float | None
    """Share of the steps done, of those that were neither optional nor waived; None while the call runs."""
    over: bool
    source: str
    v: int = 1


class Compensation(msgspec.Struct, frozen=True, kw_only=True, tag="compensation"):
    """Something that a customer is to be given, and what became of it."""

    id: str
    call_id: str
    customer_id: str | None
    kind: str
    amount: str
    """Decimal."""
    currency: str
    reason: str
    state: Literal["granted", "pending", "refused", "approved", "denied"]
    """The first three are what the table of authority says, the last two what a supervisor decided."""
    rule: str
    """Line of the table that says so, and what it was short of."""
    rule_zh: str = ""
    """The same in Chinese; empty of entries from before it was told."""
    asked_by: str
    role: str
    """Of who asked."""
    asked_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""
    """Of who decided."""
    source: str = ""
    """Playbook, its version and a digest of its content."""
    v: int = 1


class FeedbackAction(StrEnum):
    USED = "used"
    DISMISSED = "dismissed"
    UP = "up"
    DOWN = "down"


class CardFeedback(msgspec.Struct, frozen=True, kw_only=True, tag="feedback"):
    """What the agent thought of a card."""

    call_id: str
    card_id: str
    action: FeedbackAction
    at: datetime
    agent_id: str | None = None
    v: int = 1


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True, tag="acknowledged"):
    """A supervisor has seen an alert."""

    call_id: str
    card_id: str
    by: str
    at: datetime
    v: int = 1


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag="asked"):
    """The agent asks somebody who knows, while the customer waits for nothing."""

    id: str
    call_id: str
    question: str
    by: str
    at: datetime
    v: int = 1


class Whisper(msgspec.Struct, frozen=True, kw_only=True, tag="whisper"):
    """Words to the agent of a call, which the customer neither hears nor sees."""

    id: str
    call_id: str
    text: str
    by: str
    at: datetime
    answers: str | None = None
    """Id of what was asked."""
    v: int = 1


class SynopsisPart(StrEnum):
    ISSUE = "issue"
    DONE = "done"
    """What the agent did, found or offered."""
    PROMISE = "promise"
    OUTCOME = "outcome"
    """What the customer says to it."""
    SENTIMENT = "sentiment"
    NEXT = "next"


class SynopsisSentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence and what it rests on."""

    part: SynopsisPart
    text: str
    utterance_ids: tuple[str, ...]
    due_words: str = ""
    """Of a promise: when, as it was said."""
    due_at: datetime | None = None
    """In the time zone of the business; None where it is not resolvable."""
    due_note: Literal["", "holidays", "vague", "no_start"] = ""
    """Public holidays are not known, so not counted; no date follows from the words; the start is not known."""


class CallSynopsis(msgspec.Struct, frozen=True, kw_only=True, tag="synopsis"):
    """A call in a few sentences, for the next contact; running until the call has ended."""

    call_id: str
    at_ms: int
    language: str
    """"zh" or "en": the customer's, as on the cards."""
    sentences: tuple[SynopsisSentence, ...]
    """Drawn from what was said; they stay beside a text that was rewritten."""
    text: str
    over: bool
    """Whether the call has ended."""
    rewritten: bool = False
    """Whether ``text`` is that of a language model, checked against the sentences and what was said."""
    rejected: str = ""
    """Why what a language model wrote was not taken."""
    v: int = 1


class SynopsisEdit(msgspec.Struct, frozen=True, kw_only=True, tag="synopsis_edit"):
    """A synopsis as a person wrote it; the original is kept."""

    call_id: str
    text: str
    at: datetime
    by: str
    v: int = 1


Assist = (
    Card
    | Withdrawn
    | Withheld
    | Webhook
    | Article
    | Hint
    | Break
    | CallRisk
    | CallMeasures
    | CallMood
    | CallFlow
    | Compensation
    | CallSynopsis
    | SynopsisEdit
    | CardFeedback
    | Acknowledged
    | Asked
    | Whisper
)
"""The topic ``call.assist``."""


KnownFrom = Literal["profile", "call", "told"]
"""The customer's profile; what they said before in this call; that they have told it before, as they say."""


class Recollected(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the agent for what was known already, with its answer."""

    question_id: str
    """Of the utterance."""
    answer_ids: tuple[str, ...]
    start_ms: int
    """Of the question."""
    end_ms: int
    """Of the answer; of the question where there was none."""
    ms: int
    """Of that time, the share of the fields that were known among those asked for."""
    fields: tuple[str, ...]
    """Asked for: "name", "phone", "order_number" ..."""
    known: dict[str, KnownFrom]
    """Those that must be verified anyhow are not among them."""


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """Basic information that was collected although it was known."""

    asked: tuple[Recollected, ...]
    ms: int
    share: float | None
    """Of the time of the call."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer's side of a call exposed the agent to."""

    ms: int
    """Of utterances in which the customer was angry or agitated, or abused the agent."""
    abusive: int
    """Of them, those with words of abuse."""
    utterance_ids: tuple[str, ...]
    hard: bool
    """Whether it is a call after which a short break is due."""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """An emotion of the customer, and whether the agent took it up in their next two utterances."""

    utterance_id: str
    """Of the customer."""
    emotion: EmotionLabel
    acknowledged: bool
    by: str | None
    """Utterance of the agent that did."""


class CallReview(msgspec.Struct, frozen=True, kw_only=True):
    """What a call was like, once it is over: it follows from what was said, and is made anew when it is read."""

    recollection: Recollection
    exposure: Exposure
    acknowledgements: tuple[Acknowledgement, ...]
    greeted_by_name: bool | None
    """None where the customer's name is not known."""


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call, whole: what ``analyze --json``, ``calls show`` and the API give."""

    call_id: str
    duration_ms: int
    utterances: tuple[Utterance, ...]
    """Finals in the order of their start."""
    cards: tuple[Card, ...]
    risk: ChurnRisk
    measures: Measures
    status: Literal["live", "ended", "lost"] = "ended"
    started_at: datetime | None = None
    protocol: str = "recording"
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    attributes: dict[str, str] = {}
    """What the telephone side told at the start, and what is known of the customer."""
    caller: Caller | None = None
    """Who the customer is, as known by now."""
    articles: tuple[Article, ...] = ()
    """Shown before the agent asked, by time, like the hints."""
    hints: tuple[Hint, ...] = ()
    feedback: tuple[CardFeedback, ...] = ()
    degraded: tuple[Degraded, ...] = ()
    keys: tuple[Keys, ...] = ()
    """In the order of their start."""
    curve: tuple[CurvePoint, ...] = ()
    """The customer's mood, by time."""
    swings: Swings | None = None
    """Of that curve; None where no mood is known."""
    turns: tuple[Turn, ...] = ()
    """Turning points of the mood, by time; none in calls from before they were looked for."""
    acknowledged: tuple[Acknowledged, ...] = ()
    asked: tuple[Asked, ...] = ()
    whispers: tuple[Whisper, ...] = ()
    """By time, like what was asked."""
    flow: CallFlow | None = None
    """The latest; None where the call follows none."""
    compensations: tuple[Compensation, ...] = ()
    """By the time at which they were asked for, each as it was left."""
    synopsis: CallSynopsis | None = None
    """The latest; of calls that ended, the whole."""
    synopsis_edits: tuple[SynopsisEdit, ...] = ()
    """By time: the last one holds."""
    review: CallReview | None = None
    """None while the call runs."""


class CallSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of calls."""

    call_id: str
    started_at: datetime
    status: Literal["live", "ended", "lost"]
    duration_ms: int
    customer_id: str | None
    customer_name: str | None
    agent_id: str | None
    queue: str | None
    utterances: int
    alerts: int
    risk: ChurnRisk
    emotion: str
    """Last known label of the customer's emotion."""
    open_alerts: int = 0
    """Those that nobody has acknowledged."""
    alert: str = ""
    """Why the last of these was raised."""
    questions: int = 0
    """Asked by the agent and not answered."""
