"""What agents and supervisors say to each other."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "desk",
        sa.Column("desk_id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.String(128), sa.ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_desk_call_id", "desk", ["call_id"])


def downgrade() -> None:
    op.drop_table("desk")
