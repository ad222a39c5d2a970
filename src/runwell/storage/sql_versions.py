"""The versions of a workflow in SQL: work on a connection, shared by all who publish and start.

`workflow.active_version` is None for the newest version, and 0 when no version is active though there are some.
"""

import time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, select, update

from runwell.model.scope import Scope
from runwell.storage.sql import insert_ignoring
from runwell.storage.tables import document, version, workflow

NONE_ACTIVE: Final = 0
MOST_VERSIONS: Final = 2**31 - 1
"""The largest number that the column holds."""


def now_ms() -> int:
    return int(time.time() * 1000)


def within(scope: Scope) -> ColumnElement[bool]:
    return and_(workflow.c.org_id == scope.org_id, workflow.c.project_id == scope.project_id)


def newest_number(connection: Connection, workflow_id: str) -> int | None:
    newest: int | None = connection.execute(select(func.max(version.c.number)).where(version.c.workflow_id == workflow_id)).scalar_one()
    return newest


def find_version(connection: Connection, *conditions: ColumnElement[bool]) -> Row[Any] | None:
    """Return the row of the newest version that meets the conditions, with its workflow's slug and kind."""
    found = select(version, workflow.c.slug, workflow.c.kind).join_from(version, workflow).where(*conditions)
    return connection.execute(found.order_by(version.c.number.desc()).limit(1)).one_or_none()


def add_version(
    connection: Connection, workflow_id: str, name: str, document_hash: str, body: bytes, note: str | None = None, actor: str | None = None
) -> tuple[Row[Any], bool]:
    """Return the version with this document, and whether it was made now. The caller holds the workflow's row."""
    mine = (version.c.workflow_id == workflow_id, version.c.hash == document_hash)
    known = find_version(connection, *mine)
    if known is not None:
        return known, False
    _keep_document(connection, document_hash, body)
    values = {"workflow_id": workflow_id, "number": (newest_number(connection, workflow_id) or 0) + 1, "name": name, "hash": document_hash}
    connection.execute(version.insert().values(**values, note=note, created_by=actor, created_at=now_ms()))
    made = find_version(connection, *mine)
    assert made is not None
    return made, True


def _keep_document(connection: Connection, document_hash: str, body: bytes) -> None:
    """Keep a document, and keep it from being deleted before our version refers to it."""
    held = select(document.c.hash).where(document.c.hash == document_hash).with_for_update(read=True)
    while True:
        insert_ignoring(connection, document, hash=document_hash, body=body)
        if connection.execute(held).scalar_one_or_none() is not None:
            return


def delete_versions(connection: Connection, workflow_id: str) -> None:
    """Delete all versions of a workflow, and the documents that no other version has."""
    hashes = list(connection.execute(select(version.c.hash).where(version.c.workflow_id == workflow_id)).scalars())
    connection.execute(delete(version).where(version.c.workflow_id == workflow_id))
    for document_hash in hashes:
        mine = document.c.hash == document_hash
        connection.execute(select(document.c.hash).where(mine).with_for_update())
        connection.execute(delete(document).where(mine, ~exists().where(version.c.hash == document_hash)))


def body_of(connection: Connection, document_hash: str) -> bytes:
    body: bytes = connection.execute(select(document.c.body).where(document.c.hash == document_hash)).scalar_one()
    return body


def set_active(connection: Connection, workflow_id: str, number: int) -> None:
    connection.execute(update(workflow).where(workflow.c.workflow_id == workflow_id).values(active_version=number))
