"""Turning points of the customer's turns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("calls", sa.Column("turns", sa.Text))
    op.add_column("calls", sa.Column("turns_at_ms", sa.BigInteger, nullable=False, server_default="-1"))


def downgrade() -> None:
    op.drop_column("calls", "turns_at_ms")
    op.drop_column("calls", "turns")
