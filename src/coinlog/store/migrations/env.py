"""Alembic's entry: runs the steps on the connection that ``migrate`` hands over."""

from alembic import context

from coinlog.store.schema import metadata

connection = context.config.attributes["connection"]
sqlite = connection.dialect.name == "sqlite"
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter most things in place; batch mode copies the table instead.
    render_as_batch=True,
    # On SQLite all steps are one transaction, which is the lock against other processes as well:
    # between two of them another would go on from a revision that is no more. Alembic does not
    # expect it of SQLite, whose driver used to commit at every CREATE.
    transaction_per_migration=not sqlite,
    transactional_ddl=True if sqlite else None,
)
with context.begin_transaction():
    context.run_migrations()
