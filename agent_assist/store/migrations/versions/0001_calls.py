"""Calls, what was said, what was advised."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("status", sa.String(8), nullable=False, server_default="live"),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("duration_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("protocol", sa.String(32), nullable=False, server_default=""),
        sa.Column("customer_id", sa.String(256)),
        sa.Column("customer_name", sa.String(256)),
        sa.Column("agent_id", sa.String(256)),
        sa.Column("queue", sa.String(256)),
        sa.Column("risk", sa.Text),
        sa.Column("risk_at_ms", sa.BigInteger, nullable=False, server_default="-1"),
        sa.Column("measures", sa.Text),
        sa.Column("measures_at_ms", sa.BigInteger, nullable=False, server_default="-1"),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_started_at_call_id", "calls", ["started_at", "call_id"])
    op.create_index("ix_calls_status", "calls", ["status"])
    for name, columns, key in _OF_CALLS:
        op.create_table(
            name,
            *columns,
            sa.Column("call_id", sa.String(128), nullable=False),
            sa.Column("body", sa.Text, nullable=False),
            sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=f"fk_{name}_call_id", ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        )
    op.create_index("ix_utterances_call_id_start_ms", "utterances", ["call_id", "start_ms"])
    op.create_index("ix_cards_call_id_at_ms", "cards", ["call_id", "at_ms"])
    op.create_index("ix_feedback_call_id", "feedback", ["call_id"])
    op.create_table(
        "positions",
        sa.Column("topic", sa.String(249), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_positions"),
    )


_OF_CALLS: tuple[tuple[str, tuple[sa.Column[object], ...], tuple[str, ...]], ...] = (
    (
        "utterances",
        (
            sa.Column("utterance_id", sa.Text, nullable=False),
            sa.Column("start_ms", sa.BigInteger, nullable=False),
            sa.Column("emotion", sa.String(16)),
            sa.Column("sentiment", sa.Float),
        ),
        ("utterance_id",),
    ),
    (
        "cards",
        (
            sa.Column("card_id", sa.Text, nullable=False),
            sa.Column("rule", sa.Text, nullable=False),
            sa.Column("kind", sa.String(8), nullable=False),
            sa.Column("at_ms", sa.BigInteger, nullable=False),
        ),
        ("card_id",),
    ),
    (
        "feedback",
        (
            sa.Column("card_id", sa.Text, nullable=False),
            sa.Column("action", sa.String(16), nullable=False),
        ),
        ("card_id", "action"),
    ),
    (
        "degraded",
        (
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("stage", sa.String(64), nullable=False),
        ),
        ("call_id", "at_ms", "stage"),
    ),
)


def downgrade() -> None:
    for name in ("positions", "degraded", "feedback", "cards", "utterances", "calls"):
        op.drop_table(name)
