"""What the telephone side told of a call, how hard it was, and what an agent was shown beside cards."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("calls", sa.Column("attributes", sa.Text))
    op.add_column("calls", sa.Column("exposure_ms", sa.BigInteger))
    op.add_column("calls", sa.Column("hard", sa.Boolean))
    op.create_index("ix_calls_agent_id_started_at", "calls", ["agent_id", "started_at"])
    op.create_table(
        "help_given",
        sa.Column("help_id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.String(128), sa.ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_help_given_call_id_at_ms", "help_given", ["call_id", "at_ms"])


def downgrade() -> None:
    op.drop_table("help_given")
    op.drop_index("ix_calls_agent_id_started_at", "calls")
    for column in ("hard", "exposure_ms", "attributes"):
        op.drop_column("calls", column)
