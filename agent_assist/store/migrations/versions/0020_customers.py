"""Customers: what was told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "customer_events",
        sa.Column("event_id", sa.String(256), nullable=False),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_customer_events"),
    )
    op.create_index("ix_customer_events_customer_id_at_us", "customer_events", ["customer_id", "at_us"])
    op.create_table(
        "customer_links",
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(256), nullable=False),
        sa.Column("into", sa.String(256)),
        sa.PrimaryKeyConstraint("customer_id", "at_us", "event_id", name="pk_customer_links"),
    )
    op.create_index("ix_customer_links_into", "customer_links", ["into"])
    op.create_table(
        "customer_identities",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.String(256), nullable=False),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(256), nullable=False),
        sa.Column("belongs", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "customer_id", name="pk_customer_identities"),
    )
    op.create_index("ix_customer_identities_customer_id", "customer_identities", ["customer_id"])
    op.create_table(
        "customer_rejected",
        sa.Column("source", sa.String(512), nullable=False),
        sa.Column("place", sa.String(256), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("source", "place", name="pk_customer_rejected"),
    )
    op.create_table(
        "customer_counts",
        sa.Column("as_of_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("as_of_us", name="pk_customer_counts"),
    )


def downgrade() -> None:
    for table in ("customer_counts", "customer_rejected", "customer_identities", "customer_links", "customer_events"):
        op.drop_table(table)
