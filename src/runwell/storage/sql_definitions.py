"""Workflow versions in SQL."""

import time

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from runwell.model.ids import id_in, new_id
from runwell.model.scope import Scope
from runwell.ports.journal import Version
from runwell.storage.records import check_names
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.tables import document, version, workflow

_VERSION = select(version.c.workflow_id, workflow.c.slug, version.c.name, version.c.number, version.c.hash).join_from(workflow, version)


class SqlDefinitions:
    """`Definitions` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def put(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes) -> Version:
        check_names(scope.org_id, scope.project_id, slug, name, document_hash)
        return await self._sql.write(lambda connection: put_version(connection, scope, slug, name, document_hash, document))

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        return await self._sql.read(lambda connection: get_version(connection, scope, slug, version))

    async def workflow_id_of(self, scope: Scope, text: str) -> str | None:
        return await self._sql.read(lambda connection: find_workflow(connection, scope, text))

    async def by_hash(self, document_hash: str) -> bytes | None:
        found = select(document.c.body).where(document.c.hash == document_hash)
        return await self._sql.read(lambda connection: connection.execute(found).scalar_one_or_none())


def put_version(connection: Connection, scope: Scope, slug: str, name: str, document_hash: str, body: bytes) -> Version:
    """Keep a document as the next version of the slug's workflow, which is made when missing; a known document gives its version."""
    now = int(time.time() * 1000)
    mine = and_(workflow.c.org_id == scope.org_id, workflow.c.project_id == scope.project_id, workflow.c.slug == slug)
    insert_ignoring(
        connection,
        workflow,
        workflow_id=new_id("wf"),
        org_id=scope.org_id,
        project_id=scope.project_id,
        slug=slug,
        kind="workflow",
        name=name,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    workflow_id: str = connection.execute(select(workflow.c.workflow_id).where(mine).with_for_update()).scalar_one()
    known = _one(connection, version.c.workflow_id == workflow_id, version.c.hash == document_hash)
    if known is not None:
        return known
    newest = _one(connection, version.c.workflow_id == workflow_id)
    number = newest.number + 1 if newest else 1
    insert_ignoring(connection, document, hash=document_hash, body=body)
    values = {"workflow_id": workflow_id, "number": number, "name": name, "hash": document_hash, "created_at": now}
    connection.execute(version.insert().values(values))
    return Version(workflow_id=workflow_id, slug=slug, name=name, number=number, hash=document_hash)


def get_version(connection: Connection, scope: Scope, slug: str, number: int | None) -> Version | None:
    mine = (workflow.c.org_id == scope.org_id, workflow.c.project_id == scope.project_id, workflow.c.slug == slug)
    if number is None:
        number = connection.execute(select(workflow.c.active_version).where(*mine)).scalar_one_or_none()
    return _one(connection, *mine, *([] if number is None else [version.c.number == number]))


def find_workflow(connection: Connection, scope: Scope, text: str) -> str | None:
    """Return the id of the workflow that `text` names; an id goes before a slug that looks like one."""
    if "\x00" in text:  # PostgreSQL has no such text
        return None
    workflow_id = id_in("wf", text)
    named = or_(workflow.c.slug == text, workflow.c.workflow_id == workflow_id)
    mine = and_(workflow.c.org_id == scope.org_id, workflow.c.project_id == scope.project_id, named)
    found = connection.execute(select(workflow.c.workflow_id).where(mine)).scalars().all()
    return workflow_id if workflow_id in found else next(iter(found), None)


def _one(connection: Connection, *conditions: ColumnElement[bool]) -> Version | None:
    found = connection.execute(_VERSION.where(*conditions).order_by(version.c.number.desc()).limit(1)).one_or_none()
    return None if found is None else Version(**found._mapping)
