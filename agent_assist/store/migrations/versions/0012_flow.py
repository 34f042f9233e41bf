"""How far a call came in its standard flow."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("calls", sa.Column("flow", sa.Text))
    op.add_column("calls", sa.Column("flow_at_ms", sa.BigInteger, nullable=False, server_default="-1"))


def downgrade() -> None:
    op.drop_column("calls", "flow_at_ms")
    op.drop_column("calls", "flow")
