"""What changes workflows: work on a connection, each in the transaction that it is given."""

from collections.abc import Container
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from runwell.model.errors import Outdated, Refused
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.ports.publishing import Publishable
from runwell.ports.workflows import NewWorkflow, Published, WorkflowRecord
from runwell.storage.records import check_names
from runwell.storage.sql import insert_ignoring
from runwell.storage.sql_experiments import delete_experiments_of
from runwell.storage.sql_versions import NONE_ACTIVE, add_version, delete_versions, now_ms, set_active, within
from runwell.storage.sql_workflow_queries import active_number, as_record, find, find_numbered, record, version_record
from runwell.storage.tables import evaluator_attachment, workflow


def create(connection: Connection, scope: Scope, new: NewWorkflow) -> WorkflowRecord:
    check_names(new.slug, new.name)
    now, workflow_id = now_ms(), new_id("wf")
    made = insert_ignoring(
        connection,
        workflow,
        workflow_id=workflow_id,
        org_id=scope.org_id,
        project_id=scope.project_id,
        slug=new.slug,
        kind=new.kind,
        name=new.name,
        draft=None if new.document is None else new.document.decode(),
        revision=1,
        created_by=new.actor,
        created_at=now,
        updated_at=now,
    )
    if not made:
        raise _taken(new.slug)
    return record(connection, scope, workflow_id)


def put_draft(
    connection: Connection, scope: Scope, key: str, document: bytes, name: str | None, revisions: Container[int]
) -> WorkflowRecord:
    row = _held(connection, scope, key, revisions)
    named = {} if name is None else {"name": name}
    return _changed(connection, scope, row, draft=document.decode(), revision=row.revision + 1, **named)


def rename(
    connection: Connection, scope: Scope, key: str, name: str | None, slug: str | None, revisions: Container[int] | None
) -> WorkflowRecord:
    row = _held(connection, scope, key, revisions)
    values: dict[str, Any] = {}
    if slug is not None and slug != row.slug:
        values["slug"] = slug
    if name is not None and name != row.name:
        values |= {"name": name, **_renamed_draft(connection, row, name)}
    try:
        return _changed(connection, scope, row, **values) if values else as_record(row)
    except IntegrityError as exc:
        raise _taken(str(slug)) from exc


def _renamed_draft(connection: Connection, row: Row[Any], name: str) -> dict[str, Any]:
    kept = connection.execute(select(workflow.c.draft).where(workflow.c.workflow_id == row.workflow_id)).scalar_one()
    if kept is None:
        return {}
    document = {**msgspec.json.decode(kept), "name": name}
    return {"draft": msgspec.json.encode(document).decode(), "revision": row.revision + 1}


def publish(
    connection: Connection,
    scope: Scope,
    key: str,
    document: Publishable,
    activate: bool,
    note: str | None,
    actor: str | None,
    revisions: Container[int] | None,
) -> Published:
    owner = _held(connection, scope, key, revisions)
    before = active_number(owner)
    row, new = add_version(connection, owner.workflow_id, document.name, document.hash, document.body, note, actor)
    active = row.number if activate else before
    set_active(connection, owner.workflow_id, active or NONE_ACTIVE)
    if new:
        _changed(connection, scope, owner, name=document.name)
    return Published(version=version_record(row, active), new=new)


def activate(connection: Connection, scope: Scope, key: str, number: int) -> WorkflowRecord:
    owner = _held(connection, scope, key)
    find_numbered(connection, owner, number)
    return _changed(connection, scope, owner, active_version=number)


def archive(connection: Connection, scope: Scope, key: str, archived: bool) -> WorkflowRecord:
    row = _held(connection, scope, key)
    if (row.archived_at is not None) == archived:
        return as_record(row)
    return _changed(connection, scope, row, archived_at=now_ms() if archived else None)


def delete_workflow(connection: Connection, scope: Scope, key: str) -> None:
    row = _held(connection, scope, key)
    delete_experiments_of(connection, row.workflow_id)
    connection.execute(delete(evaluator_attachment).where(evaluator_attachment.c.workflow_id == row.workflow_id))
    delete_versions(connection, row.workflow_id)
    connection.execute(delete(workflow).where(within(scope), workflow.c.workflow_id == row.workflow_id))


def _held(connection: Connection, scope: Scope, key: str, revisions: Container[int] | None = None) -> Row[Any]:
    """Return the workflow's row, which nobody else changes before the transaction ends."""
    row = find(connection, scope, key, lock=True)
    if revisions is not None and row.revision not in revisions:
        raise Outdated(
            f"the draft of {row.slug!r} is at revision {row.revision}: somebody changed it meanwhile",
            hint="GET it again, put your change into what is there, and send its new ETag",
        )
    return row


def _changed(connection: Connection, scope: Scope, row: Row[Any], **values: Any) -> WorkflowRecord:
    mine = (within(scope), workflow.c.workflow_id == row.workflow_id)
    connection.execute(update(workflow).where(*mine).values(**values, updated_at=now_ms()))
    return record(connection, scope, row.workflow_id)


def _taken(slug: str) -> Refused:
    return Refused(f"the slug {slug!r} is taken", hint="choose another slug, or change the workflow that has it")
