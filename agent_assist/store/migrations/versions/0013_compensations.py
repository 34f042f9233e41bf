"""What customers were given, and who decided: entries that are never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SQLITE = (
    "CREATE TRIGGER compensations_no_{what} BEFORE {what} ON compensations "
    "BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END"
)
_POSTGRES = (
    "CREATE OR REPLACE FUNCTION compensations_unchanged() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'entries are never changed'; END $$",
    "CREATE TRIGGER compensations_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON compensations "
    "FOR EACH STATEMENT EXECUTE FUNCTION compensations_unchanged()",
)


def upgrade() -> None:
    op.create_table(
        "compensations",
        sa.Column("compensation_id", sa.String(32), primary_key=True),
        sa.Column("entry", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("customer", sa.String(256), nullable=False),
        sa.Column("customer_id", sa.String(256)),
        sa.Column("tier", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("amount", sa.String(24), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("key", sa.String(128)),
        sa.UniqueConstraint("by", "key", name="uq_compensations_by"),
    )
    op.create_index("ix_compensations_customer_at", "compensations", ["customer", "at"])
    op.create_index("ix_compensations_call_id", "compensations", ["call_id"])
    op.create_index("ix_compensations_at", "compensations", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(what=what))
    else:
        for statement in _POSTGRES:
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("compensations")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION IF EXISTS compensations_unchanged()")
