"""The calls of a customer are found quickly."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("ix_calls_customer_id_started_at", "calls", ["customer_id", "started_at"])


def downgrade() -> None:
    op.drop_index("ix_calls_customer_id_started_at", "calls")
