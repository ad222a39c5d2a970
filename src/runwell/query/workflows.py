"""Workflows and their versions, as they are shown."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from runwell.model.canonical import content_hash
from runwell.model.errors import Problem
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.model.workflow_views import VersionSummary, VersionView, WorkflowSummary, WorkflowView
from runwell.ports.workflows import Draft, VersionRecord, WorkflowFilter, WorkflowRecord, Workflows
from runwell.query.cursors import Cursor, read_cursor, write_cursor

R = TypeVar("R")


class WorkflowPage(msgspec.Struct, frozen=True, kw_only=True):
    """Workflows, newest first. `next_cursor` leads to older ones, `prev_cursor` to newer ones; null where there are none."""

    data: list[WorkflowSummary]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions, newest first, in pages as lists are."""

    data: list[VersionSummary]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def summary_of(record: WorkflowRecord) -> WorkflowSummary:
    return WorkflowSummary(**_shown(record))


def view_of(draft: Draft, etag: str, problems: tuple[Problem, ...] | None = None) -> WorkflowView:
    document = None if draft.document is None else msgspec.json.decode(draft.document)
    changed = document is not None and content_hash(document) != draft.published_hash
    return WorkflowView(**_shown(draft.workflow), document=document, draft_etag=etag, unpublished_changes=changed, problems=problems)


def _shown(record: WorkflowRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "slug": record.slug,
        "name": record.name,
        "kind": record.kind,
        "active_version": record.active_version,
        "latest_version": record.latest_version,
        "created_by": record.created_by,
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
        "archived_at": None if record.archived_at is None else rfc3339(record.archived_at),
    }


def version_summary(workflow_id: str, record: VersionRecord) -> VersionSummary:
    return VersionSummary(**_shown_version(workflow_id, record))


def version_view(workflow_id: str, record: VersionRecord, body: bytes) -> VersionView:
    return VersionView(**_shown_version(workflow_id, record), document=msgspec.json.decode(body))


def _shown_version(workflow_id: str, record: VersionRecord) -> dict[str, Any]:
    return {"workflow_id": workflow_id, **msgspec.structs.asdict(record), "created_at": rfc3339(record.created_at)}


async def workflow_page(workflows: Workflows, scope: Scope, wanted: WorkflowFilter, limit: int, cursor: str | None) -> WorkflowPage:
    """Return a page of workflows. Raises `InvalidInput` for a cursor that does not belong to this list."""
    about = ("workflows", scope, wanted)
    at = None if cursor is None else read_cursor(cursor, *about)
    before, after = _around(at)
    rows = await workflows.page(
        scope, wanted, limit=limit + 1, before=None if before is None else str(before), after=None if after is None else str(after)
    )
    shown, older, newer = _cut(rows, limit, at)
    return WorkflowPage(
        data=[summary_of(row) for row in shown],
        next_cursor=write_cursor(Cursor("next", (shown[-1].id,)), *about) if older else None,
        prev_cursor=write_cursor(Cursor("prev", (shown[0].id,)), *about) if newer else None,
    )


async def version_page(workflows: Workflows, scope: Scope, workflow_id: str, limit: int, cursor: str | None) -> VersionPage:
    """Return a page of a workflow's versions. Raises as `workflow_page` does."""
    about = ("versions", scope, workflow_id)
    at = None if cursor is None else read_cursor(cursor, *about)
    before, after = _around(at)
    rows = await workflows.versions(
        scope, workflow_id, limit=limit + 1, before=None if before is None else int(before), after=None if after is None else int(after)
    )
    shown, older, newer = _cut(rows, limit, at)
    return VersionPage(
        data=[version_summary(workflow_id, row) for row in shown],
        next_cursor=write_cursor(Cursor("next", (shown[-1].number,)), *about) if older else None,
        prev_cursor=write_cursor(Cursor("prev", (shown[0].number,)), *about) if newer else None,
    )


def _around(at: Cursor | None) -> tuple[str | int | None, str | int | None]:
    if at is None:
        return None, None
    return (at.place[0], None) if at.direction == "next" else (None, at.place[0])


def _cut(rows: Sequence[R], limit: int, at: Cursor | None) -> tuple[Sequence[R], bool, bool]:
    """Return what the page shows of one row more than it holds, and whether there is something older and newer."""
    more = len(rows) > limit
    backwards = at is not None and at.direction == "prev"
    shown = rows[-limit:] if backwards else rows[:limit]
    older, newer = (True, more) if backwards else (more, at is not None)
    return shown, older and len(shown) > 0, newer and len(shown) > 0
