"""Who calls, as it became known in each call; each risk that was told; the mood of what customers write."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("calls", sa.Column("start", sa.Text))
    op.create_table(
        "callers",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("arrival", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "at_us", name="pk_callers"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_callers_call_id", ondelete="CASCADE"),
    )
    op.create_table(
        "risks",
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "at_ms", name="pk_risks"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_risks_call_id", ondelete="CASCADE"),
    )
    op.create_table(
        "text_moods",
        sa.Column("event_id", sa.String(256), nullable=False),
        sa.Column("model", sa.String(64)),
        sa.Column("value", sa.Float),
        sa.Column("confidence", sa.Float),
        sa.PrimaryKeyConstraint("event_id", name="pk_text_moods"),
    )
    op.create_index("ix_text_moods_model", "text_moods", ["model"])


def downgrade() -> None:
    for table in ("text_moods", "risks", "callers"):
        op.drop_table(table)
    op.drop_column("calls", "start")
