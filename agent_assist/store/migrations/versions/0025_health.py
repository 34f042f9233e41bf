"""How good the data of customers are, month by month, and pairs that may be one person."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "customer_health",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("as_of_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_customer_health"),
    )
    op.create_table(
        "customer_candidates",
        sa.Column("first", sa.String(256), nullable=False),
        sa.Column("second", sa.String(256), nullable=False),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("agreements", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("first", "second", name="pk_customer_candidates"),
    )
    op.create_index(
        "ix_customer_candidates_state_rank_first_second", "customer_candidates", ["state", "rank", "first", "second"]
    )
    op.add_column("customer_rejected", sa.Column("kind", sa.String(16), nullable=False, server_default="event"))
    op.create_index("ix_customer_rejected_at_us_source_place", "customer_rejected", ["at_us", "source", "place"])


def downgrade() -> None:
    op.drop_index("ix_customer_rejected_at_us_source_place", "customer_rejected")
    op.drop_column("customer_rejected", "kind")
    op.drop_table("customer_candidates")
    op.drop_table("customer_health")
