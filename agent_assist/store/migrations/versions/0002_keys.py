"""Keys pressed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("keys_id", sa.Text, nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_keys_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("keys_id", name="pk_keys"),
    )
    op.create_index("ix_keys_call_id_start_ms", "keys", ["call_id", "start_ms"])


def downgrade() -> None:
    op.drop_table("keys")
