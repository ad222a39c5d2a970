"""The seam to a relational database: pieces of work that are given a SQLAlchemy connection.

Work is synchronous and runs in one transaction, on a thread (SQLite) or in SQLAlchemy's greenlet over
asyncpg (PostgreSQL); the same code serves both. Work that raises changes nothing.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects import postgresql, sqlite

from runwell.model.errors import JournalUnavailable
from runwell.storage.tables import HEAD, metadata
from runwell.storage.upgrade import upgrade

T = TypeVar("T")
Work = Callable[[Connection], T]


class Sql(Protocol):
    async def read(self, work: Work[T]) -> T:
        """Return what `work` reads. Raises what it raises, and `JournalUnavailable` when the database cannot answer."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Return what `work` returns, once its changes are durable. Raises as `read` does."""
        ...

    async def close(self) -> None:
        """Let go of what is held open. Idempotent."""
        ...


def insert_ignoring(connection: Connection, table: object, **values: object) -> bool:
    """Insert a row unless its key is there already; return whether it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def migrate(connection: Connection) -> None:
    """Bring the tables to what this Runwell knows. Raises `JournalUnavailable` when a newer one wrote them."""
    if not inspect(connection).has_table("alembic_version"):
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        return
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    if found == HEAD:
        return
    if found > HEAD:
        raise JournalUnavailable(f"the tables are at migration {found}; this Runwell knows up to {HEAD}", hint="upgrade Runwell")
    upgrade(connection)
