"""Compensations that wait for a decision are found quickly."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("ix_compensations_state_at", "compensations", ["state", "at"])


def downgrade() -> None:
    op.drop_index("ix_compensations_state_at", "compensations")
