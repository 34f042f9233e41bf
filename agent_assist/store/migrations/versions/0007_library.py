"""What calls are looked for by, and clips of them."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_AT_ONCE = 500


def upgrade() -> None:
    op.add_column("calls", sa.Column("shift", sa.Float))
    op.add_column("calls", sa.Column("silence_ms", sa.BigInteger))
    op.add_column("utterances", sa.Column("channel", sa.String(8), nullable=False, server_default=""))
    op.add_column("utterances", sa.Column("text", sa.Text, nullable=False, server_default=""))
    op.add_column("utterances", sa.Column("arrival", sa.BigInteger, nullable=False, server_default="0"))
    _fill()
    op.create_table(
        "clips",
        sa.Column("clip_id", sa.String(32), primary_key=True),
        sa.Column("call_id", sa.String(128), sa.ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
        sa.Column("by", sa.String(256), nullable=False, server_default=""),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_clips_call_id", "clips", ["call_id"])
    op.create_index("ix_clips_at", "clips", ["at"])


def _fill() -> None:
    """Calls from before can be found by their words, too; and seem to have been said in the order of their end."""
    connection = op.get_bind()
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in ("utterance_id", "body", "channel", "text", "arrival")
    ]
    utterances = sa.table("utterances", *columns)
    change = (
        sa.update(utterances)
        .where(utterances.c.utterance_id == sa.bindparam("id"))
        .values(channel=sa.bindparam("who"), text=sa.bindparam("said"), arrival=sa.bindparam("order"))
    )
    last = ""
    while True:
        query = sa.select(utterances.c.utterance_id, utterances.c.body).where(utterances.c.utterance_id > last)
        rows = connection.execute(query.order_by(utterances.c.utterance_id).limit(_AT_ONCE)).all()
        if not rows:
            return
        found = [(key, json.loads(body)) for key, body in rows]
        connection.execute(
            change,
            [{"id": key, "who": said["channel"], "said": said["text"], "order": said["end_ms"]} for key, said in found],
        )
        last = rows[-1][0]


def downgrade() -> None:
    op.drop_table("clips")
    for column in ("arrival", "text", "channel"):
        op.drop_column("utterances", column)
    for column in ("silence_ms", "shift"):
        op.drop_column("calls", column)
