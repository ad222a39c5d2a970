"""One-time tokens in SQL. Taking one deletes it, and only whoever deleted it has it."""

from typing import Any

from sqlalchemy import Connection, delete, select

from runwell.ports.clock import Clock
from runwell.ports.identity import Purpose
from runwell.storage.sql import Sql
from runwell.storage.tables import one_time_token as token


class SqlTokens:
    """`Tokens` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self._sql, self._clock = sql, clock

    async def put(self, purpose: Purpose, token_hash: str, data: dict[str, Any], ttl_ms: int, *, only: bool = False) -> None:
        now = self._clock.now()

        def put(connection: Connection) -> None:
            if only:
                connection.execute(delete(token).where(token.c.purpose == purpose))
            put_token(connection, purpose, token_hash, data, now, ttl_ms)

        await self._sql.write(put)

    async def valid(self, purpose: Purpose, token_hash: str) -> bool:
        now = self._clock.now()
        wanted = select(token.c.token_hash).where(*_counts(purpose, token_hash, now))
        return await self._sql.read(lambda connection: connection.execute(wanted).one_or_none() is not None)

    async def take(self, purpose: Purpose, token_hash: str) -> dict[str, Any] | None:
        now = self._clock.now()
        return await self._sql.write(lambda connection: take_token(connection, purpose, token_hash, now))


def put_token(connection: Connection, purpose: Purpose, token_hash: str, data: dict[str, Any], now: int, ttl_ms: int) -> None:
    """Keep a token, and forget those whose time is over."""
    connection.execute(delete(token).where(token.c.expires_at <= now))
    connection.execute(token.insert().values(token_hash=token_hash, purpose=purpose, data=data, expires_at=now + ttl_ms))


def take_token(connection: Connection, purpose: Purpose, token_hash: str, now: int) -> dict[str, Any] | None:
    """Use a token up; None when it does not count. A transaction that fails gives it back."""
    taken = connection.execute(delete(token).where(*_counts(purpose, token_hash, now)).returning(token.c.data)).one_or_none()
    return None if taken is None else dict(taken.data)


def _counts(purpose: Purpose, token_hash: str, now: int) -> tuple[Any, ...]:
    return token.c.token_hash == token_hash, token.c.purpose == purpose, token.c.expires_at > now
