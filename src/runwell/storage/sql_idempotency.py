"""Idempotency keys in SQL."""

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from runwell.model.scope import Scope
from runwell.ports.idempotency import KeyUse, StoredAnswer
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.tables import idempotency

KEPT_MS: Final = 24 * 3_600_000
_SWEEP_MS: Final = 600_000


class SqlIdempotencyKeys:
    """`IdempotencyKeys` on SQLite and PostgreSQL. `now` gives ms since 1970."""

    def __init__(self, sql: Sql, now: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self._sql = sql
        self._now = now
        self._swept_at = 0

    async def reserve(self, scope: Scope, actor: str, key: str, request_hash: str, run_id: str) -> KeyUse:
        now = self._now()
        sweep = now - self._swept_at > _SWEEP_MS
        if sweep:
            self._swept_at = now

        def work(connection: Connection) -> KeyUse:
            old = idempotency.c.created_at < now - KEPT_MS
            connection.execute(delete(idempotency).where(old if sweep else and_(old, _mine(scope, actor, key))))
            values = {"project_id": scope.project_id, "actor": actor, "key": key, "request_hash": request_hash, "run_id": run_id}
            fresh = insert_ignoring(connection, idempotency, **values, created_at=now)
            row = connection.execute(select(idempotency).where(_mine(scope, actor, key))).one()
            answer = None if row.status is None else StoredAnswer(status=row.status, headers=row.headers, body=row.body)
            return KeyUse(request_hash=row.request_hash, run_id=row.run_id, answer=answer, fresh=fresh)

        return await self._sql.write(work)

    async def complete(self, scope: Scope, actor: str, key: str, answer: StoredAnswer) -> None:
        values = {"status": answer.status, "headers": answer.headers, "body": answer.body}
        kept = update(idempotency).where(_mine(scope, actor, key)).values(values)
        await self._sql.write(lambda connection: connection.execute(kept).rowcount)

    async def release(self, scope: Scope, actor: str, key: str) -> None:
        forgotten = delete(idempotency).where(_mine(scope, actor, key), idempotency.c.status.is_(None))
        await self._sql.write(lambda connection: connection.execute(forgotten).rowcount)


def _mine(scope: Scope, actor: str, key: str) -> ColumnElement[bool]:
    return and_(idempotency.c.project_id == scope.project_id, idempotency.c.actor == actor, idempotency.c.key == key)
