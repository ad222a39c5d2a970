"""How alembic runs here: always over the connection that `upgrade` was given."""

from alembic import context

from runwell.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
