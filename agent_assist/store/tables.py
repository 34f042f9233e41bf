"""The SQL tables; the same on SQLite and PostgreSQL."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", String(128), primary_key=True),
    Column("status", String(8), nullable=False, server_default="live"),
    Column("started_at", DateTime(timezone=True)),
    Column("duration_ms", BigInteger, nullable=False, server_default="0"),
    Column("protocol", String(32), nullable=False, server_default=""),
    Column("customer_id", String(256)),
    Column("customer_name", String(256)),
    Column("agent_id", String(256)),
    Column("queue", String(256)),
    Column("risk", Text),
    Column("risk_at_ms", BigInteger, nullable=False, server_default="-1"),
    Column("measures", Text),
    Column("measures_at_ms", BigInteger, nullable=False, server_default="-1"),
    Column("turns", Text),
    Column("turns_at_ms", BigInteger, nullable=False, server_default="-1"),
    Column("synopsis", Text),
    Column("synopsis_order", BigInteger, nullable=False, server_default="-1"),
    Column("flow", Text),
    Column("flow_at_ms", BigInteger, nullable=False, server_default="-1"),
    Column("shift", Float),
    Column("silence_ms", BigInteger),
    Column("attributes", Text),
    Column("exposure_ms", BigInteger),
    Column("hard", Boolean),
    Column("start", Text),
    Index(None, "started_at", "call_id"),
    Index(None, "status"),
    Index(None, "agent_id", "started_at"),
    Index(None, "customer_id", "started_at"),
)
"""
One row a call; attributes, risk, measures, turns, synopsis and flow are the latest, as JSON. ``shift`` of the mood
and ``silence_ms`` are there to be looked for; ``exposure_ms`` to anger and whether the call was ``hard`` stand there
once it has ended. ``start`` is the event with which the call began, whole.
"""

utterances = Table(
    "utterances",
    metadata,
    Column("utterance_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("emotion", String(16)),
    Column("sentiment", Float),
    Column("channel", String(8), nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("arrival", BigInteger, nullable=False, server_default="0"),
    Column("body", Text, nullable=False),
    Index(None, "call_id", "start_ms"),
)
"""
The final as JSON; what is asked for by itself stands in columns. ``arrival`` orders those of a call as the rules saw
them: it is the offset in the topic.
"""

cards = Table(
    "cards",
    metadata,
    Column("card_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("rule", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "call_id", "at_ms"),
)

callers = Table(
    "callers",
    metadata,
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True),
    Column("at_us", BigInteger, primary_key=True),
    Column("arrival", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""What became known of the customer while a call ran; ``arrival`` as of utterances, for rules see it in its place."""

risks = Table(
    "risks",
    metadata,
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
)
"""Each risk that was told in a call; of two at one time the later."""

feedback = Table(
    "feedback",
    metadata,
    Column("card_id", Text, primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "call_id"),
)

degraded = Table(
    "degraded",
    metadata,
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("stage", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("keys_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "call_id", "start_ms"),
)

desk = Table(
    "desk",
    metadata,
    Column("desk_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "call_id"),
)
"""What agents and supervisors say to each other about a call, and alerts that were acknowledged."""

help_given = Table(
    "help_given",
    metadata,
    Column("help_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "call_id", "at_ms"),
)
"""What an agent was shown beside cards: articles, and hints at what is known."""

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE")),
    Column("rule", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("due_ms", BigInteger),
    Column("due_at", DateTime(timezone=True)),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("by", String(256), nullable=False, server_default=""),
    Column("changed_at", DateTime(timezone=True)),
    Column("note", Text, nullable=False, server_default=""),
    Column("agent_id", String(256)),
    Column("customer_id", String(256)),
    Column("customer_name", String(256)),
    Column("team", String(128), nullable=False, server_default=""),
    Column("texts", Text, nullable=False, server_default="{}"),
    Column("evidence", Text, nullable=False, server_default="[]"),
    Index(None, "call_id"),
    Index(None, "customer_id"),
    Index(None, "due_at", "task_id"),
    Index(None, "state", "due_at", "task_id"),
    Index(None, "agent_id", "due_at", "task_id"),
    Index(None, "agent_id", "state", "due_at", "task_id"),
)
"""
What is to be done. After calls: ``due_ms`` since the call began, ``due_at`` once it is known when that was, and
``agent_id`` of the call, so that an agent's are found in order. Of its own accord: no call, but the customer and their
name, the team, texts and evidence as JSON.
"""

webhooks = Table(
    "webhooks",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE")),
    Column("receiver", String(128), nullable=False),
    Column("event", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False, server_default=""),
    Column("customer_id", String(256)),
    Index(None, "receiver", "state", "due_at", "seq"),
    Index(None, "receiver", "state", "status"),
    Index(None, "call_id", "receiver", "state", "seq"),
    Index(None, "state", "seq"),
    Index(None, "customer_id"),
)
"""
What other programs are to be told, were told, and could not be told; ``seq`` orders those of a call, and those of a
customer that are of no call.
"""

clips = Table(
    "clips",
    metadata,
    Column("clip_id", String(32), primary_key=True),
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default="[]"),
    Column("by", String(256), nullable=False, server_default=""),
    Column("at", DateTime(timezone=True), nullable=False),
    Index(None, "call_id"),
    Index(None, "at"),
)
"""Parts of calls that are worth hearing again; tags as a JSON array."""

synopsis_edits = Table(
    "synopsis_edits",
    metadata,
    Column("call_id", ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("body", Text, nullable=False),
)

compensations = Table(
    "compensations",
    metadata,
    Column("compensation_id", String(32), primary_key=True),
    Column("entry", Integer, primary_key=True),
    Column("call_id", String(128), nullable=False),
    Column("customer", String(256), nullable=False),
    Column("customer_id", String(256)),
    Column("tier", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("amount", String(24), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(8), nullable=False),
    Column("rule", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("by", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False),
    Column("key", String(128)),
    Column("rule_zh", Text, nullable=False, server_default=""),
    UniqueConstraint("by", "key", name="uq_compensations_by"),
    Index(None, "customer", "at"),
    Index(None, "call_id"),
    Index(None, "at"),
    Index(None, "state", "at"),
)
"""
What customers were given: entry 0 is the request and what the table of authority said to it, entry 1 the decision of
a supervisor. Triggers refuse any change. Amounts are decimals as text, so that sums are exact. ``customer`` is their
id, or the call where they are not known. It outlives the call.
"""

positions = Table(
    "positions",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)
"""Up to where the topics are in these tables."""

knowledge_nodes = Table(
    "knowledge_nodes",
    metadata,
    Column("node_id", String(220), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("key", String(200), nullable=False),
    Column("latest", Integer, nullable=False),
    Column("published", Integer),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Index(None, "revision"),
)
"""Articles, products, codes and solutions: the latest version, the published one, and when that last changed."""

knowledge_versions = Table(
    "knowledge_versions",
    metadata,
    Column("node_id", ForeignKey("knowledge_nodes.node_id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("body", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Index(None, "state", "node_id"),
)
"""A version's words never change; its state does."""

knowledge_edges = Table(
    "knowledge_edges",
    metadata,
    Column("node_id", ForeignKey("knowledge_nodes.node_id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("to_id", String(220), primary_key=True),
)
"""From a version to a node, which need not be there yet."""

knowledge_passages = Table(
    "knowledge_passages",
    metadata,
    Column("node_id", ForeignKey("knowledge_nodes.node_id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("heading", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("model", String(64)),
    Column("vector", LargeBinary),
)
"""Places in the body, and vectors as float16, so that a start need not embed again."""

knowledge_rejected = Table(
    "knowledge_rejected",
    metadata,
    Column("source", String(1024), primary_key=True),
    Column("reason", Text, nullable=False),
)
"""Files and rows that were not taken in, until they are."""

knowledge_state = Table(
    "knowledge_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
"""One row, counted up with all that is published or withdrawn; who writes holds it."""

customer_events = Table(
    "customer_events",
    metadata,
    Column("event_id", String(256), primary_key=True),
    Column("customer_id", String(256), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "customer_id", "at_us"),
)
"""What was told of customers, as it came, as JSON; times in microseconds since 1970. Profiles are made from it."""

customer_links = Table(
    "customer_links",
    metadata,
    Column("customer_id", String(256), primary_key=True),
    Column("at_us", BigInteger, primary_key=True),
    Column("event_id", String(256), primary_key=True),
    Column("into", String(256)),
    Index(None, "into"),
)
"""Merges, and splits with no ``into``: the latest of a customer holds."""

customer_identities = Table(
    "customer_identities",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("value", String(256), primary_key=True),
    Column("customer_id", String(256), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("event_id", String(256), nullable=False),
    Column("belongs", Integer, nullable=False),
    Index(None, "customer_id"),
)
"""Whose address it is, by the latest that was told."""

customer_rejected = Table(
    "customer_rejected",
    metadata,
    Column("source", String(512), primary_key=True),
    Column("place", String(256), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False, server_default="event"),
    Index(None, "at_us", "source", "place"),
)
"""What could not be taken in, as it came, until it is repaired; ``kind`` of a row, or "event"."""

customer_counts = Table(
    "customer_counts",
    metadata,
    Column("as_of_us", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What all customers were like at a time, against which one of them is seen."""

text_moods = Table(
    "text_moods",
    metadata,
    Column("event_id", String(256), primary_key=True),
    Column("model", String(64)),
    Column("value", Float),
    Column("confidence", Float),
    Index(None, "model"),
)
"""What a customer wrote and how it reads: of each contact with words; no model yet where it was not read."""

customer_standings = Table(
    "customer_standings",
    metadata,
    Column("as_of_us", BigInteger, primary_key=True),
    Column("customer_id", String(256), primary_key=True),
    Column("segment", String(64), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("value", Float, nullable=False),
    Index(None, "as_of_us", "segment", "value"),
    Index(None, "as_of_us", "stage", "value"),
)
"""Where each customer stood when all were counted, the last time and the time before; value is what they bought for."""

customer_due = Table(
    "customer_due",
    metadata,
    Column("customer_id", String(256), primary_key=True),
    Column("due_us", BigInteger),
    Column("looked_us", BigInteger),
    Column("level", String(16)),
    Index(None, "due_us"),
)
"""When a customer is to be looked at, none is never; when they were, and their level by the profile then."""

alerts = Table(
    "alerts",
    metadata,
    Column("customer_id", String(256), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("team", String(128), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("body", Text, nullable=False),
    Column("call_id", String(128), nullable=False, server_default=""),
    Column("call_ms", BigInteger, nullable=False, server_default="-1"),
    Column("heard_at", DateTime(timezone=True)),
    Index(None, "state", "due_at"),
    Index(None, "opened_at"),
)
"""The alert of each customer who has one, or had; and the call and the moment of the last risk that changed it."""

alert_changes = Table(
    "alert_changes",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("change_id", String(320), nullable=False, unique=True),
    Column("customer_id", String(256), nullable=False),
    Column("body", Text, nullable=False),
    Column("told", Boolean, nullable=False, server_default=false()),
    Index(None, "told", "seq"),
)
"""What happened to alerts, and whether the topic has it."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
)
"""Which of several processes does what one alone does."""

customer_health = Table(
    "customer_health",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("as_of_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""How good the data of customers were, month by month."""

customer_candidates = Table(
    "customer_candidates",
    metadata,
    Column("first", String(256), primary_key=True),
    Column("second", String(256), primary_key=True),
    Column("rank", BigInteger, nullable=False),
    Column("agreements", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("by", String(256), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index(None, "state", "rank", "first", "second"),
)
"""
Pairs of customers that may be one person, ``first`` the lesser id; open, merged or rejected. ``rank`` is their weight
in thousandths, negative, so that the likeliest come first in the order of the index.
"""

trials = Table(
    "trials",
    metadata,
    Column("trial_id", String(256), primary_key=True),
    Column("begun_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""Trials as they were set when the first customer came to them: from then on they are no others."""

exposures = Table(
    "exposures",
    metadata,
    Column("trial_id", String(256), primary_key=True),
    Column("customer_id", String(256), primary_key=True),
    Column("group", String(256), nullable=False),
    Column("stratum", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index(None, "customer_id"),
)
"""Which group of a trial a customer is in who came to be treated, or that they have what a rollout brings."""

roster = Table(
    "roster",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("body", Text, nullable=False),
)
"""Agents as the telephone side tells them: skills, languages, whether they are free."""

routing_hints = Table(
    "routing_hints",
    metadata,
    Column("hint_id", String(160), primary_key=True),
    Column("call_id", String(128), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", Text, nullable=False),
    Column("able", Text, nullable=False),
    Column("sent", Boolean, nullable=False),
    Column("taken_by", String(128)),
    Index(None, "call_id", "at"),
    Index(None, "sent", "at"),
    Index(None, "at"),
)
"""Whom a call should have gone to, ``able`` being all who met its needs; not ``sent`` until the topic has it."""

handoffs = Table(
    "handoffs",
    metadata,
    Column("handoff_id", String(128), primary_key=True),
    Column("call_id", String(128)),
    Column("key", String(128)),
    Column("customer_id", String(256)),
    Column("phone", String(32)),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("shown_to", String(128)),
    Index(None, "call_id"),
    Index(None, "key"),
    Index(None, "customer_id"),
    Index(None, "phone"),
    Index(None, "expires_at"),
    Index(None, "shown_to"),
)
"""What bots handed over, without what must not be kept; ``shown_to`` is the one call that began with it."""
