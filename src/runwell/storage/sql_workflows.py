"""Workflows in SQL."""

from collections.abc import Container
from typing import Literal

from sqlalchemy import Connection

from runwell.model.scope import Scope
from runwell.ports.journal import Version
from runwell.ports.publishing import Publishable
from runwell.ports.workflows import Draft, NewWorkflow, Published, VersionRecord, WorkflowFilter, WorkflowRecord
from runwell.storage import sql_workflow_changes as changes
from runwell.storage import sql_workflow_queries as queries
from runwell.storage.sql import Sql


class SqlWorkflows:
    """`Workflows` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def page(
        self, scope: Scope, wanted: WorkflowFilter, *, limit: int, before: str | None = None, after: str | None = None
    ) -> list[WorkflowRecord]:
        return await self._sql.read(lambda connection: queries.records(connection, scope, wanted, limit, before, after))

    async def get(self, scope: Scope, key: str) -> WorkflowRecord:
        return await self._sql.read(lambda connection: queries.record(connection, scope, key))

    async def draft(self, scope: Scope, key: str) -> Draft:
        return await self._sql.read(lambda connection: queries.draft(connection, scope, key))

    async def startable(self, scope: Scope, key: str, number: int | None = None) -> Version:
        return await self._sql.read(lambda connection: queries.startable(connection, scope, key, number))

    async def create(self, scope: Scope, new: NewWorkflow) -> WorkflowRecord:
        return await self._sql.write(lambda connection: changes.create(connection, scope, new))

    async def put_draft(self, scope: Scope, key: str, document: bytes, name: str | None, revisions: Container[int]) -> WorkflowRecord:
        return await self._sql.write(lambda connection: changes.put_draft(connection, scope, key, document, name, revisions))

    async def rename(
        self, scope: Scope, key: str, *, name: str | None, slug: str | None, revisions: Container[int] | None = None
    ) -> WorkflowRecord:
        return await self._sql.write(lambda connection: changes.rename(connection, scope, key, name, slug, revisions))

    async def publish(
        self,
        scope: Scope,
        key: str,
        document: Publishable,
        *,
        activate: bool,
        note: str | None = None,
        actor: str | None = None,
        revisions: Container[int] | None = None,
    ) -> Published:
        def work(connection: Connection) -> Published:
            return changes.publish(connection, scope, key, document, activate, note, actor, revisions)

        return await self._sql.write(work)

    async def activate(self, scope: Scope, key: str, number: int) -> WorkflowRecord:
        return await self._sql.write(lambda connection: changes.activate(connection, scope, key, number))

    async def archive(self, scope: Scope, key: str, archived: bool) -> WorkflowRecord:
        return await self._sql.write(lambda connection: changes.archive(connection, scope, key, archived))

    async def delete(self, scope: Scope, key: str) -> None:
        await self._sql.write(lambda connection: changes.delete_workflow(connection, scope, key))

    async def versions(
        self, scope: Scope, key: str, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[VersionRecord]:
        return await self._sql.read(lambda connection: queries.versions(connection, scope, key, limit, before, after))

    async def version(self, scope: Scope, key: str, number: int | Literal["latest", "active"]) -> tuple[VersionRecord, bytes]:
        return await self._sql.read(lambda connection: queries.version_with_body(connection, scope, key, number))
