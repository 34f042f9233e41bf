"""Trials of what is done of its own accord, and who was exposed."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "trials",
        sa.Column("trial_id", sa.String(256), nullable=False),
        sa.Column("begun_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", name="pk_trials"),
    )
    op.create_table(
        "exposures",
        sa.Column("trial_id", sa.String(256), nullable=False),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("group", sa.String(256), nullable=False),
        sa.Column("stratum", sa.String(64), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "customer_id", name="pk_exposures"),
    )
    op.create_index("ix_exposures_customer_id", "exposures", ["customer_id"])


def downgrade() -> None:
    op.drop_table("exposures")
    op.drop_table("trials")
