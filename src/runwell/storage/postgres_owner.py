"""One process owns a journal in PostgreSQL: a session-level advisory lock, and the one session that writes.

The lock is held by the very connection that writes, so whoever can write has the lock: when the
connection is lost, the server lets go of it, and nothing can be written any more. The lock's number
is made of the schema's, so a database can hold several journals, each in a schema of its own.

A lost connection is made anew until that works. Meanwhile appends are refused. Once the lock is ours again,
we are the owner as before if nobody else was in between, which the `epoch` tells: every process that
takes a journal counts it up. If somebody was, what this process knows of its runs is no longer the truth,
so it stays refused for good: its end is to be restarted. Every commit asks for the epoch, too, so a pooler
that hands one server connection to two processes loses no event either.

A commit whose answer was lost is asked for: when the lock is ours again (or another's), the session
that sent it is over, so what it wrote is there or never will be.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import resources
from typing import Any, Final

from runwell.model.errors import DataDirectoryBusy, JournalUnavailable
from runwell.model.times import rfc3339
from runwell.storage.postgres_queries import is_made
from runwell.storage.postgres_session import DRIVER_ERRORS, connect, unavailable
from runwell.storage.postgres_url import DatabaseUrl

SCHEMA_VERSION: Final = 4
OLDEST_SERVER: Final = 14
PATIENCE_S: Final = 3.0
"""How long to wait for the lock of a process that has just died: its session ends a moment later."""

OUTCOME_S: Final = 10.0
"""How long a journal that is being closed waits for a lost server to ask what became of the last commit."""

_CLOSE_S: Final = 5.0
_RETRY_S: Final = (0.05, 1.0)
_SETTINGS: Final = {
    "tcp_keepalives_idle": "15",  # a machine that vanished gives the journal up within half a minute
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "lock_timeout": "0",
}
_LOCK_CLASS: Final = 0x52756E77  # "Runw"
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(($1::bigint << 32) | oid::bigint) FROM pg_namespace WHERE nspname = current_schema()"
_UNLOCK: Final = _TRY_LOCK.replace("pg_try_advisory_lock", "pg_advisory_unlock")
_TAKE: Final = "UPDATE journal_owner SET epoch = epoch + 1, owner = $1 RETURNING epoch"
_EPOCH: Final = "SELECT epoch FROM journal_owner"
_HAS: Final = "SELECT EXISTS (SELECT FROM appended WHERE position = $1)"

_UPGRADES: Final = {
    1: """
        ALTER TABLE run ADD COLUMN cache_key bytea;
        CREATE INDEX run_cache ON run (cache_key, rid) WHERE cache_key IS NOT NULL;
    """,
    2: 'CREATE TABLE removal (id text COLLATE "C" PRIMARY KEY);',
    3: """
        CREATE TABLE step_result (cache_key bytea PRIMARY KEY, rid bigint NOT NULL, seq integer NOT NULL);
        CREATE INDEX step_result_run ON step_result (rid);
    """,
}
"""What leads from a version of the schema to the next."""


class Owner:
    """The ownership of one journal. `epoch` is asked for by every commit; `regained` is called when a lost lock is ours again.

    `is_over`: somebody else has taken the journal, and this process will not get it back.
    """

    def __init__(self, url: DatabaseUrl, patience_s: float = PATIENCE_S) -> None:
        self._url, self._patience_s = url, patience_s
        self._connection: Any = None
        self._refusal: tuple[str, str] | None = None
        self._again: asyncio.Task[None] | None = None
        self._decided = asyncio.Event()
        self._hurried = self._closing = self._abandoned = False
        self.is_over = False
        self.epoch = 0
        self.regained: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Take the journal, made when missing. Raises `DataDirectoryBusy`, `JournalUnavailable`."""
        try:
            self._accept(await self._taken())
        except DRIVER_ERRORS as exc:
            raise unavailable(self._url, exc) from exc

    @property
    def refusal(self) -> JournalUnavailable | None:
        """Why nothing can be written now; None when it can."""
        if self._connection is not None and self._connection.is_closed():
            self._lost(self._connection)  # asyncpg's listener is not always told
        return None if self._refusal is None else JournalUnavailable(self._refusal[0], hint=self._refusal[1])

    @property
    def connection(self) -> Any:
        """The session that holds the lock. Raises `JournalUnavailable`."""
        if (refusal := self.refusal) is not None:
            raise refusal
        return self._connection

    async def has(self, position: int, connection: Any) -> bool:
        """Return whether the append at `position` was kept, once that is certain: after the session of the lost `connection`.

        Raises `JournalUnavailable` when the journal is closed before the server answers.
        """
        self._lost(connection)  # it may not have told us yet
        while True:
            await self._decided.wait()
            if self._abandoned:
                hint = "look at the run once the server is back"
                raise JournalUnavailable("PostgreSQL went away in a commit: whether it was kept is not known", hint=hint)
            with suppress(*DRIVER_ERRORS):
                asking = await connect(self._url)
                try:
                    return bool(await asking.fetchval(_HAS, position))
                finally:
                    asking.terminate()
            await asyncio.sleep(_RETRY_S[1])

    def hurry(self) -> None:
        """The journal is being closed: a server that is away is waited for no longer than `OUTCOME_S`."""
        self._hurried = True
        if self._refusal is not None:
            asyncio.get_running_loop().call_later(OUTCOME_S, self._abandon)

    async def close(self) -> None:
        """Give the journal up."""
        self._closing = True
        self._abandon()
        connection, self._connection = self._connection, None
        if self._again is not None:
            self._again.cancel()
            await asyncio.wait([self._again])
        if connection is None or connection.is_closed():
            return
        with suppress(*DRIVER_ERRORS):
            await connection.fetchval(_UNLOCK, _LOCK_CLASS)
            await connection.close(timeout=_CLOSE_S)

    def _abandon(self) -> None:
        if self._closing or self._refusal is not None:
            self._abandoned = True
            self._decided.set()

    async def _taken(self) -> Any:
        connection = await connect(self._url, **_SETTINGS)
        try:
            await _lock(connection, self._url, self._patience_s)
            await _check(connection)
            await _prepare(connection)
            self.epoch = await connection.fetchval(_TAKE, _name())
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _accept(self, connection: Any) -> None:
        self._connection, self._refusal = connection, None
        self._decided.set()
        connection.add_termination_listener(self._lost)
        if connection.is_closed():
            self._lost(connection)

    def _lost(self, connection: Any) -> None:
        if connection is not self._connection or self._closing:
            return
        self._connection = None
        self._decided.clear()
        why = f"the connection to PostgreSQL at {self._url} is lost, and the journal's lock with it"
        self._refusal = (why, "it is taken up again when the server can be reached")
        if self._hurried:
            self.hurry()
        self._again = asyncio.get_running_loop().create_task(self._regain(), name="runwell-journal-regain")

    async def _regain(self) -> None:
        """Connect again until we have the lock once more, or somebody else had it."""
        delay = _RETRY_S[0]
        while True:
            with suppress(*DRIVER_ERRORS):
                if await self._try():
                    return
            await asyncio.sleep(delay)
            delay = min(2 * delay, _RETRY_S[1])

    async def _try(self) -> bool:
        connection = await connect(self._url, **_SETTINGS)
        try:
            locked = await connection.fetchval(_TRY_LOCK, _LOCK_CLASS)
            mine = await connection.fetchval(_EPOCH) == self.epoch
            if locked and mine:
                self.regained()
                self._accept(connection)
                connection = None
                return True
            if mine:
                return False  # our own session is not over yet
        finally:
            if connection is not None:
                connection.terminate()
        why = f"another Runwell has taken over the journal in PostgreSQL at {self._url}"
        self._refusal = (why, "stop this process, or start it anew: it keeps nothing any more")
        self.is_over = True
        self._decided.set()
        return True


async def _lock(connection: Any, url: DatabaseUrl, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not (locked := await connection.fetchval(_TRY_LOCK, _LOCK_CLASS)):
        if locked is None:
            raise JournalUnavailable(
                f"the database {url} has no schema to keep the journal in", hint="create the one that search_path names"
            )
        if time.monotonic() >= deadline:
            known = await is_made(connection)
            holder = await connection.fetchval("SELECT owner FROM journal_owner") if known else None
            raise DataDirectoryBusy(
                f"the journal in PostgreSQL at {url} is in use by another Runwell ({holder or 'not known yet'})",
                hint="stop that process, or choose another database with RUNWELL_DATABASE_URL",
            )
        await asyncio.sleep(0.05)


async def _check(connection: Any) -> None:
    """Refuse a server that would keep less than we promise."""
    if connection.get_server_version().major < OLDEST_SERVER:
        raise JournalUnavailable(f"PostgreSQL {connection.get_server_version().major} is too old", hint=f"use {OLDEST_SERVER} or newer")
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise JournalUnavailable(f"the database's encoding is {encoding}", hint="create it with ENCODING 'UTF8'")
    if await connection.fetchval("SELECT current_setting('synchronous_commit')") == "off":
        hint = "ALTER ROLE ... SET synchronous_commit = on"
        raise JournalUnavailable("synchronous_commit is off: what is acknowledged could be lost", hint=hint)


async def _prepare(connection: Any) -> None:
    if not await is_made(connection):
        schema = resources.files("runwell.storage").joinpath("postgres_schema.sql").read_text()
        first = f"INSERT INTO journal_owner (schema_version, epoch, owner) VALUES ({SCHEMA_VERSION}, 0, '')"
        await connection.execute(f"BEGIN; {schema} {first}; COMMIT")
        return
    version = await connection.fetchval("SELECT schema_version FROM journal_owner")
    if version > SCHEMA_VERSION:
        raise JournalUnavailable(
            f"the journal has schema version {version}; this Runwell knows up to {SCHEMA_VERSION}",
            hint="a newer Runwell wrote it: upgrade",
        )
    for older in range(version, SCHEMA_VERSION):
        await connection.execute(f"BEGIN; {_UPGRADES[older]} UPDATE journal_owner SET schema_version = {older + 1}; COMMIT")


def _name() -> str:
    return f"pid {os.getpid()} on {socket.gethostname()} since {rfc3339(int(time.time() * 1000))}"
