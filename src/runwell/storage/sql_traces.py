"""Spans that are in no run yet, in SQL."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select

from runwell.model.scope import Scope
from runwell.model.slugs import SLUG_LENGTH
from runwell.model.traces import Span
from runwell.model.workflow_views import Kind
from runwell.ports.journal import Version
from runwell.ports.traces import PendingTrace
from runwell.storage.records import check_names
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_definitions import put_version
from runwell.storage.sql_versions import within
from runwell.storage.tables import pending_span, workflow

KIND: Final[Kind] = "trace"
_BESIDE: Final = "-traces"
_PIECE: Final = 500
"""So many ids are named in one statement."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Span)


class SqlPendingSpans:
    """`PendingSpans` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def keep(self, scope: Scope, actor: str, spans: Sequence[Span], now: int) -> None:
        rows = [
            {
                "org_id": scope.org_id,
                "project_id": scope.project_id,
                "trace_id": span.trace_id,
                "span_id": span.span_id,
                "is_root": int(span.parent_id is None),
                "sent_by": actor,
                "received_at": now,
                "body": _encoder.encode(span),
            }
            for span in spans
        ]

        def work(connection: Connection) -> None:
            for row in rows:
                insert_ignoring(connection, pending_span, **row)

        await self._sql.write(work)

    async def traces(self) -> list[PendingTrace]:
        return await self._sql.read(_traces)

    async def spans(self, trace: PendingTrace, limit: int) -> tuple[str, list[Span]]:
        order = (pending_span.c.received_at, pending_span.c.span_id)
        found = select(pending_span.c.sent_by, pending_span.c.body).where(_of(trace)).order_by(*order).limit(limit)
        rows: Sequence[Row[Any, Any]] = await self._sql.read(lambda connection: connection.execute(found).all())
        return (rows[0].sent_by if rows else ""), [_decoder.decode(row.body) for row in rows]

    async def done(self, trace: PendingTrace, span_ids: Sequence[str]) -> None:
        def work(connection: Connection) -> None:
            for start in range(0, len(span_ids), _PIECE):
                named = pending_span.c.span_id.in_(span_ids[start : start + _PIECE])
                connection.execute(delete(pending_span).where(_of(trace), named))

        await self._sql.write(work)

    async def workflow(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes) -> Version:
        check_names(scope.org_id, scope.project_id, slug, name)

        def work(connection: Connection) -> Version:
            kind = connection.execute(select(workflow.c.kind).where(within(scope), workflow.c.slug == slug)).scalar_one_or_none()
            free = slug if kind in (None, KIND) else f"{slug[: SLUG_LENGTH - len(_BESIDE)].rstrip('-')}{_BESIDE}"
            return put_version(connection, scope, free, name, document_hash, document, KIND)

        return await self._sql.write(work)


def _of(trace: PendingTrace) -> ColumnElement[bool]:
    scope = trace.scope
    return and_(
        pending_span.c.org_id == scope.org_id, pending_span.c.project_id == scope.project_id, pending_span.c.trace_id == trace.trace_id
    )


def _traces(connection: Connection) -> list[PendingTrace]:
    key = (pending_span.c.org_id, pending_span.c.project_id, pending_span.c.trace_id)
    received = pending_span.c.received_at
    facts = (func.count().label("spans"), func.min(received).label("first_at"), func.max(received).label("last_at"))
    found = select(*key, *facts, func.max(pending_span.c.is_root).label("has_root")).group_by(*key)
    return [
        PendingTrace(
            scope=Scope(row.org_id, row.project_id),
            trace_id=row.trace_id,
            count=row.spans,
            first_at=row.first_at,
            last_at=row.last_at,
            has_root=bool(row.has_root),
        )
        for row in connection.execute(found)
    ]
