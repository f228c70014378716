"""Alembic's entry: always run by :func:`sentinel.migrations.upgrade`, on a connection that is already open."""

from alembic import context

from sentinel.migrations.tables import METADATA, belongs_on

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    include_object=belongs_on(connection.dialect),
    compare_type=True,
    compare_server_default=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
