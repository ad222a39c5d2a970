"""Workflow versions in SQL."""

from sqlalchemy import Connection, and_, or_, select

from runwell.model.ids import id_in, new_id
from runwell.model.scope import Scope
from runwell.model.slugs import is_slug
from runwell.model.workflow_views import Kind
from runwell.ports.journal import Version
from runwell.storage.records import check_names
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_versions import MOST_VERSIONS, add_version, find_version, now_ms, within
from runwell.storage.tables import document, version, workflow


class SqlDefinitions:
    """`Definitions` on SQLite and PostgreSQL. An archived workflow has no versions here: it starts no runs."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def put(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes, kind: Kind = "workflow") -> Version:
        check_names(scope.org_id, scope.project_id, slug, name, document_hash)
        return await self._sql.write(lambda connection: put_version(connection, scope, slug, name, document_hash, document, kind))

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        return await self._sql.read(lambda connection: get_version(connection, scope, slug, version))

    async def workflow_id_of(self, scope: Scope, text: str) -> str | None:
        return await self._sql.read(lambda connection: find_workflow(connection, scope, text))

    async def by_hash(self, document_hash: str) -> bytes | None:
        found = select(document.c.body).where(document.c.hash == document_hash)
        return await self._sql.read(lambda connection: connection.execute(found).scalar_one_or_none())


def put_version(
    connection: Connection, scope: Scope, slug: str, name: str, document_hash: str, body: bytes, kind: Kind = "workflow"
) -> Version:
    """Keep a document as the next version of the slug's workflow, which is made when missing; a known document gives its version."""
    now = now_ms()
    insert_ignoring(
        connection,
        workflow,
        workflow_id=new_id("wf"),
        org_id=scope.org_id,
        project_id=scope.project_id,
        slug=slug,
        kind=kind,
        name=name,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    mine = and_(within(scope), workflow.c.slug == slug)
    owner = connection.execute(select(workflow.c.workflow_id, workflow.c.kind).where(mine).with_for_update()).one()
    row, _ = add_version(connection, owner.workflow_id, name, document_hash, body)
    return Version(workflow_id=owner.workflow_id, slug=slug, name=row.name, number=row.number, hash=row.hash, kind=owner.kind)


def get_version(connection: Connection, scope: Scope, slug: str, number: int | None) -> Version | None:
    mine = (within(scope), workflow.c.slug == slug, workflow.c.archived_at.is_(None))
    if not is_slug(slug) or not (number is None or 0 < number <= MOST_VERSIONS):
        return None
    if number is None:
        number = connection.execute(select(workflow.c.active_version).where(*mine)).scalar_one_or_none()
    row = find_version(connection, *mine, *([] if number is None else [version.c.number == number]))
    if row is None:
        return None
    return Version(workflow_id=row.workflow_id, slug=slug, name=row.name, number=row.number, hash=row.hash, kind=row.kind)


def find_workflow(connection: Connection, scope: Scope, text: str) -> str | None:
    """Return the id of the workflow that `text` names; an id goes before a slug that looks like one."""
    if "\x00" in text:  # PostgreSQL has no such text
        return None
    workflow_id = id_in("wf", text)
    named = or_(workflow.c.slug == text, workflow.c.workflow_id == workflow_id)
    found = connection.execute(select(workflow.c.workflow_id).where(within(scope), named)).scalars().all()
    return workflow_id if workflow_id in found else next(iter(found), None)
