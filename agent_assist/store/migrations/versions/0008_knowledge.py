"""The knowledge base."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OF_NODES: tuple[tuple[str, tuple[sa.Column[object], ...], tuple[str, ...]], ...] = (
    (
        "knowledge_versions",
        (
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("state", sa.String(16), nullable=False),
            sa.Column("title", sa.Text, nullable=False),
            sa.Column("language", sa.String(8), nullable=False),
            sa.Column("body", sa.Text, nullable=False),
            sa.Column("attributes", sa.Text, nullable=False),
            sa.Column("source", sa.Text, nullable=False),
            sa.Column("sha256", sa.String(64), nullable=False),
        ),
        ("node_id", "version"),
    ),
    (
        "knowledge_edges",
        (
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("kind", sa.String(16), nullable=False),
            sa.Column("to_id", sa.String(220), nullable=False),
        ),
        ("node_id", "version", "kind", "to_id"),
    ),
    (
        "knowledge_passages",
        (
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("number", sa.Integer, nullable=False),
            sa.Column("heading", sa.Text, nullable=False),
            sa.Column("start", sa.Integer, nullable=False),
            sa.Column("end", sa.Integer, nullable=False),
            sa.Column("model", sa.String(64)),
            sa.Column("vector", sa.LargeBinary),
        ),
        ("node_id", "version", "number"),
    ),
)


def upgrade() -> None:
    op.create_table(
        "knowledge_nodes",
        sa.Column("node_id", sa.String(220), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("latest", sa.Integer, nullable=False),
        sa.Column("published", sa.Integer),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("node_id", name="pk_knowledge_nodes"),
    )
    op.create_index("ix_knowledge_nodes_revision", "knowledge_nodes", ["revision"])
    for name, columns, key in _OF_NODES:
        op.create_table(
            name,
            sa.Column("node_id", sa.String(220), nullable=False),
            *columns,
            sa.ForeignKeyConstraint(
                ["node_id"], ["knowledge_nodes.node_id"], name=f"fk_{name}_node_id", ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        )
    op.create_index("ix_knowledge_versions_state_node_id", "knowledge_versions", ["state", "node_id"])
    op.create_table(
        "knowledge_rejected",
        sa.Column("source", sa.String(1024), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_knowledge_rejected"),
    )
    state = op.create_table(
        "knowledge_state",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_state"),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0}])


def downgrade() -> None:
    for name in ("state", "rejected", "passages", "edges", "versions", "nodes"):
        op.drop_table(f"knowledge_{name}")
