"""Workflows: what each is called, the draft of its next version, and its versions.

A workflow outside of `scope` does not exist: every call about it raises `NotFound`, in the words for an unknown one.
`key` is a workflow's id or slug.
"""

from collections.abc import Container
from typing import Literal, Protocol

import msgspec

from runwell.model.scope import Scope
from runwell.model.workflow_views import Kind
from runwell.ports.journal import Version
from runwell.ports.publishing import Publishable


class WorkflowRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow without its draft. Moments are ms since 1970; `revision` grows with every change of the draft."""

    id: str
    slug: str
    kind: Kind
    name: str
    revision: int
    active_version: int | None
    latest_version: int | None
    created_by: str | None
    created_at: int
    updated_at: int
    archived_at: int | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow and the JSON of the document from which its next version comes: its draft, or else its newest version.

    `published_hash` is the newest version's.
    """

    workflow: WorkflowRecord
    document: bytes | None
    published_hash: str | None


class NewWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """`document` is the JSON of the first draft, which need not be fit to run. `actor` says who makes the workflow."""

    slug: str
    name: str
    kind: Kind = "workflow"
    document: bytes | None = None
    actor: str | None = None


class WorkflowFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`archived`: only those that are archived, or only those that are not; None for both. `text` is part of the slug or name."""

    kind: Kind | None = None
    archived: bool | None = False
    text: str | None = None


class VersionRecord(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    name: str
    hash: str
    note: str | None
    created_by: str | None
    created_at: int
    active: bool


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """`new`: there was no version with this document yet."""

    version: VersionRecord
    new: bool


class Workflows(Protocol):
    """`revisions`, where a call has it, are the drafts on which the caller builds: at any other, `Outdated` is raised."""

    async def page(
        self, scope: Scope, wanted: WorkflowFilter, *, limit: int, before: str | None = None, after: str | None = None
    ) -> list[WorkflowRecord]:
        """Return workflows newest first, made before the one with the id `before`; or, with `after`, the oldest of those made after it."""
        ...

    async def create(self, scope: Scope, new: NewWorkflow) -> WorkflowRecord:
        """Raises `Refused` when the slug is taken."""
        ...

    async def get(self, scope: Scope, key: str) -> WorkflowRecord: ...

    async def draft(self, scope: Scope, key: str) -> Draft: ...

    async def put_draft(self, scope: Scope, key: str, document: bytes, name: str | None, revisions: Container[int]) -> WorkflowRecord:
        """Make the document (JSON) the draft, and `name`, if there is one, the workflow's."""
        ...

    async def rename(
        self, scope: Scope, key: str, *, name: str | None, slug: str | None, revisions: Container[int] | None = None
    ) -> WorkflowRecord:
        """Give the workflow another name, its draft too, and another slug. Raises `Refused` when the slug is taken."""
        ...

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
        """Keep the document as the next version, or return the version that it is already.

        Runs start with the version from then on if `activate`; else as before, also when that is none.
        """
        ...

    async def activate(self, scope: Scope, key: str, number: int) -> WorkflowRecord:
        """Let runs start with this version. Raises `NotFound`."""
        ...

    async def archive(self, scope: Scope, key: str, archived: bool) -> WorkflowRecord: ...

    async def delete(self, scope: Scope, key: str) -> None:
        """Delete the workflow, its versions, and the documents that no other version has. Its runs are the journal's."""
        ...

    async def versions(
        self, scope: Scope, key: str, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[VersionRecord]:
        """Return versions newest first, as `page` does."""
        ...

    async def version(self, scope: Scope, key: str, number: int | Literal["latest", "active"]) -> tuple[VersionRecord, bytes]:
        """Return a version and the JSON of its document. Raises `NotFound`."""
        ...

    async def startable(self, scope: Scope, key: str, number: int | None = None) -> Version:
        """Return the version that a run starts with: the active one, or the given one.

        Raises `NotFound`, and `Refused` when the workflow is archived or has no version that is active.
        """
        ...
