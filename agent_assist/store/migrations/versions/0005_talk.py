"""What calls come to in a few sentences, and what people made of that."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("calls", sa.Column("synopsis", sa.Text))
    op.add_column("calls", sa.Column("synopsis_order", sa.BigInteger, nullable=False, server_default="-1"))
    op.create_table(
        "synopsis_edits",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_synopsis_edits_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "at", name="pk_synopsis_edits"),
    )


def downgrade() -> None:
    op.drop_table("synopsis_edits")
    op.drop_column("calls", "synopsis_order")
    op.drop_column("calls", "synopsis")
