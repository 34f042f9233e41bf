"""Run by Alembic, from ``CallStore.upgrade`` alone."""

from alembic import context

from agent_assist.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
