"""Segment and stage of each customer, when all were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "customer_standings",
        sa.Column("as_of_us", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("as_of_us", "customer_id", name="pk_customer_standings"),
    )
    for kind in ("segment", "stage"):
        op.create_index(
            f"ix_customer_standings_as_of_us_{kind}_value", "customer_standings", ["as_of_us", kind, "value"]
        )


def downgrade() -> None:
    op.drop_table("customer_standings")
