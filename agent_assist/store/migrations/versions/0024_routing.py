"""Routing hints, the roster of agents, and what bots hand over."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0025"

_INDEXES = {
    "routing_hints": (("call_id", "at"), ("sent", "at"), ("at",)),
    "handoffs": (("call_id",), ("key",), ("customer_id",), ("phone",), ("expires_at",), ("shown_to",)),
}


def upgrade() -> None:
    op.create_table(
        "roster",
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name="pk_roster"),
    )
    op.create_table(
        "routing_hints",
        sa.Column("hint_id", sa.String(160), nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("able", sa.Text, nullable=False),
        sa.Column("sent", sa.Boolean, nullable=False),
        sa.Column("taken_by", sa.String(128)),
        sa.PrimaryKeyConstraint("hint_id", name="pk_routing_hints"),
    )
    op.create_table(
        "handoffs",
        sa.Column("handoff_id", sa.String(128), nullable=False),
        sa.Column("call_id", sa.String(128)),
        sa.Column("key", sa.String(128)),
        sa.Column("customer_id", sa.String(256)),
        sa.Column("phone", sa.String(32)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("shown_to", sa.String(128)),
        sa.PrimaryKeyConstraint("handoff_id", name="pk_handoffs"),
    )
    for table, indexes in _INDEXES.items():
        for columns in indexes:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def downgrade() -> None:
    for table in ("handoffs", "routing_hints", "roster"):
        op.drop_table(table)
