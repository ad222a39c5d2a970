"""What is read of workflows: work on a connection."""

from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from runwell.model.errors import InvalidInput, NotFound, Refused
from runwell.model.ids import parse_id
from runwell.model.scope import Scope
from runwell.model.slugs import is_slug
from runwell.ports.journal import Version
from runwell.ports.workflows import Draft, VersionRecord, WorkflowFilter, WorkflowRecord
from runwell.storage.sql_versions import MOST_VERSIONS, NONE_ACTIVE, body_of, find_version, within
from runwell.storage.tables import version, workflow

_LATEST: Final = (
    select(func.max(version.c.number))
    .where(version.c.workflow_id == workflow.c.workflow_id)
    .correlate(workflow)
    .scalar_subquery()
    .label("latest_version")
)
_COLUMNS: Final = [column for column in workflow.c if column.name != "draft"]


def find(connection: Connection, scope: Scope, key: str, *, lock: bool = False) -> Row[Any]:
    """Return the workflow's row, and keep it for this transaction if `lock`. Raises `NotFound`."""
    row = next((found for named in _names(key) if (found := _find(connection, scope, named, lock)) is not None), None)
    if row is None:
        raise NotFound(f"there is no workflow {key!r}", hint="GET /v1/workflows lists those of the project")
    return row


def _names(key: str) -> list[ColumnElement[bool]]:
    """Return what a key may mean, first what counts most."""
    try:
        named: list[ColumnElement[bool]] = [workflow.c.workflow_id == parse_id("wf", key)]
    except InvalidInput:
        named = []
    return [*named, workflow.c.slug == key] if is_slug(key) else named


def _find(connection: Connection, scope: Scope, named: ColumnElement[bool], lock: bool) -> Row[Any] | None:
    query: Select[Any] = select(*_COLUMNS, _LATEST).where(within(scope), named)
    if lock:
        connection.execute(select(workflow.c.workflow_id).where(within(scope), named).with_for_update())
    return connection.execute(query).one_or_none()


def as_record(row: Row[Any]) -> WorkflowRecord:
    return WorkflowRecord(
        id=row.workflow_id,
        slug=row.slug,
        kind=row.kind,
        name=row.name,
        revision=row.revision,
        active_version=active_number(row),
        latest_version=row.latest_version,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )


def active_number(row: Row[Any]) -> int | None:
    """Return the number of the version that runs start with; None when there is none."""
    number: int | None = row.latest_version if row.active_version is None else row.active_version
    return None if number == NONE_ACTIVE else number


def record(connection: Connection, scope: Scope, key: str) -> WorkflowRecord:
    return as_record(find(connection, scope, key))


def records(
    connection: Connection, scope: Scope, wanted: WorkflowFilter, limit: int, before: str | None, after: str | None
) -> list[WorkflowRecord]:
    query = select(*_COLUMNS, _LATEST).where(within(scope), *_conditions(wanted))
    rows = connection.execute(_page(query, workflow.c.workflow_id, limit, before, after)).all()
    found = [as_record(row) for row in rows]
    return found if after is None else found[::-1]


def _page(query: Select[Any], column: ColumnElement[Any], limit: int, before: Any, after: Any) -> Select[Any]:
    if before is not None:
        query = query.where(column < before)
    if after is not None:
        query = query.where(column > after)
    return query.order_by(column.desc() if after is None else column.asc()).limit(limit)


def _conditions(wanted: WorkflowFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        conditions.append(workflow.c.kind == wanted.kind)
    if wanted.archived is not None:
        conditions.append(workflow.c.archived_at.is_not(None) if wanted.archived else workflow.c.archived_at.is_(None))
    if wanted.text:
        text = wanted.text.lower()
        named = (func.lower(column).contains(text, autoescape=True) for column in (workflow.c.slug, workflow.c.name))
        conditions.append(or_(*named))
    return conditions


def draft(connection: Connection, scope: Scope, key: str) -> Draft:
    row = find(connection, scope, key)
    kept: str | None = connection.execute(select(workflow.c.draft).where(workflow.c.workflow_id == row.workflow_id)).scalar_one()
    newest = find_version(connection, version.c.workflow_id == row.workflow_id)
    document = kept.encode() if kept is not None else None if newest is None else body_of(connection, newest.hash)
    return Draft(workflow=as_record(row), document=document, published_hash=None if newest is None else newest.hash)


def version_record(row: Row[Any], active: int | None) -> VersionRecord:
    return VersionRecord(
        number=row.number,
        name=row.name,
        hash=row.hash,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
        active=row.number == active,
    )


def versions(connection: Connection, scope: Scope, key: str, limit: int, before: int | None, after: int | None) -> list[VersionRecord]:
    owner = find(connection, scope, key)
    query = select(version).where(version.c.workflow_id == owner.workflow_id)
    found = [version_record(row, active_number(owner)) for row in connection.execute(_page(query, version.c.number, limit, before, after))]
    return found if after is None else found[::-1]


def version_with_body(
    connection: Connection, scope: Scope, key: str, number: int | Literal["latest", "active"]
) -> tuple[VersionRecord, bytes]:
    row = find_numbered(connection, find(connection, scope, key), number)
    return row, body_of(connection, row.hash)


def find_numbered(connection: Connection, owner: Row[Any], number: int | Literal["latest", "active"]) -> VersionRecord:
    """Return a version of the workflow whose row this is. Raises `NotFound`."""
    active = active_number(owner)
    wanted = {"latest": owner.latest_version, "active": active}.get(number) if isinstance(number, str) else number
    row = None
    if wanted is not None and 0 < wanted <= MOST_VERSIONS:
        row = find_version(connection, version.c.workflow_id == owner.workflow_id, version.c.number == wanted)
    if row is None:
        hint = "GET .../versions lists those there are" if owner.latest_version else "publish its draft: POST .../versions"
        raise NotFound(f"the workflow {owner.slug!r} has no version {number}", hint=hint)
    return version_record(row, active)


def startable(connection: Connection, scope: Scope, key: str, number: int | None) -> Version:
    owner = find(connection, scope, key)
    if owner.archived_at is not None:
        raise Refused(
            f"the workflow {owner.slug!r} is archived and starts no runs", hint=f"POST /v1/workflows/{owner.slug}/unarchive first"
        )
    if number is None and active_number(owner) is None:
        some = f"activate one: POST /v1/workflows/{owner.slug}/versions/{owner.latest_version}/activate"
        none = f"publish its draft: POST /v1/workflows/{owner.slug}/versions"
        what = "active" if owner.latest_version else "published"
        raise Refused(f"the workflow {owner.slug!r} has no {what} version", hint=some if owner.latest_version else none)
    row = find_numbered(connection, owner, "active" if number is None else number)
    return Version(workflow_id=owner.workflow_id, slug=owner.slug, name=row.name, number=row.number, hash=row.hash, kind=owner.kind)
