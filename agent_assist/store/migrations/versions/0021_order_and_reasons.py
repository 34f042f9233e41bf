"""Tasks and letters are found in their order, however many there are; what a table of authority says, in Chinese."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_TASKS = (
    ("due_at", "task_id"),
    ("state", "due_at", "task_id"),
    ("agent_id", "due_at", "task_id"),
    ("agent_id", "state", "due_at", "task_id"),
)
_WEBHOOKS = (
    ("receiver", "state", "due_at", "seq"),
    ("receiver", "state", "status"),
    ("call_id", "receiver", "state", "seq"),
    ("state", "seq"),
)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("agent_id", sa.String(256)))
    op.execute("UPDATE tasks SET agent_id = (SELECT agent_id FROM calls WHERE calls.call_id = tasks.call_id)")
    for table, made in (("tasks", _TASKS), ("webhooks", _WEBHOOKS)):
        for columns in made:
            op.create_index(_name(table, columns), table, list(columns))
    op.add_column("compensations", sa.Column("rule_zh", sa.Text, nullable=False, server_default=""))
    op.drop_index("ix_tasks_state_due_at", "tasks")
    op.drop_index("ix_webhooks_receiver_state_due_at", "webhooks")
    op.drop_index("ix_webhooks_call_id", "webhooks")


def downgrade() -> None:
    op.create_index("ix_webhooks_call_id", "webhooks", ["call_id"])
    op.create_index("ix_webhooks_receiver_state_due_at", "webhooks", ["receiver", "state", "due_at"])
    op.create_index("ix_tasks_state_due_at", "tasks", ["state", "due_at"])
    for table, made in (("webhooks", _WEBHOOKS), ("tasks", _TASKS)):
        for columns in made:
            op.drop_index(_name(table, columns), table)
    op.drop_column("compensations", "rule_zh")
    op.drop_column("tasks", "agent_id")
