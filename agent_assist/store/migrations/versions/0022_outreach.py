"""What is done of its own accord: when to look at whom, alerts of customers, tasks that follow from no call."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0026"

_NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}


def upgrade() -> None:
    with op.batch_alter_table("tasks", naming_convention=_NAMES) as tasks:
        tasks.alter_column("call_id", existing_type=sa.String(128), nullable=True)
        tasks.add_column(sa.Column("customer_id", sa.String(256)))
        tasks.add_column(sa.Column("customer_name", sa.String(256)))
        tasks.add_column(sa.Column("team", sa.String(128), nullable=False, server_default=""))
        tasks.add_column(sa.Column("texts", sa.Text, nullable=False, server_default="{}"))
        tasks.add_column(sa.Column("evidence", sa.Text, nullable=False, server_default="[]"))
        tasks.create_index("ix_tasks_customer_id", ["customer_id"])
    with op.batch_alter_table("webhooks", naming_convention=_NAMES) as webhooks:
        webhooks.alter_column("call_id", existing_type=sa.String(128), nullable=True)
        webhooks.add_column(sa.Column("customer_id", sa.String(256)))
        webhooks.create_index("ix_webhooks_customer_id", ["customer_id"])
    op.create_table(
        "customer_due",
        sa.Column("customer_id", sa.String(256), primary_key=True),
        sa.Column("due_us", sa.BigInteger),
        sa.Column("looked_us", sa.BigInteger),
        sa.Column("level", sa.String(16)),
    )
    op.create_index("ix_customer_due_due_us", "customer_due", ["due_us"])
    op.execute("INSERT INTO customer_due (customer_id, due_us) SELECT DISTINCT customer_id, 0 FROM customer_events")
    op.create_table(
        "alerts",
        sa.Column("customer_id", sa.String(256), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("team", sa.String(128), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("call_id", sa.String(128), nullable=False, server_default=""),
        sa.Column("call_ms", sa.BigInteger, nullable=False, server_default="-1"),
        sa.Column("heard_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_alerts_state_due_at", "alerts", ["state", "due_at"])
    op.create_index("ix_alerts_opened_at", "alerts", ["opened_at"])
    op.create_table(
        "alert_changes",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("change_id", sa.String(320), nullable=False, unique=True),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("ix_alert_changes_told_seq", "alert_changes", ["told", "seq"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in ("leases", "alert_changes", "alerts", "customer_due"):
        op.drop_table(table)
    op.execute("DELETE FROM webhooks WHERE call_id IS NULL")
    op.execute("DELETE FROM tasks WHERE call_id IS NULL")
    with op.batch_alter_table("webhooks", naming_convention=_NAMES) as webhooks:
        webhooks.drop_index("ix_webhooks_customer_id")
        webhooks.drop_column("customer_id")
        webhooks.alter_column("call_id", existing_type=sa.String(128), nullable=False)
    with op.batch_alter_table("tasks", naming_convention=_NAMES) as tasks:
        tasks.drop_index("ix_tasks_customer_id")
        for name in ("customer_id", "customer_name", "team", "texts", "evidence"):
            tasks.drop_column(name)
        tasks.alter_column("call_id", existing_type=sa.String(128), nullable=False)
