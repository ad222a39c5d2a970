"""Workflows and their versions, as the outside sees them."""

from typing import Any, Literal

import msgspec

from runwell.model.errors import Problem

Kind = Literal["workflow", "agent", "trace"]


class WorkflowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow in a list. Runs start with `active_version`; null: with none. `latest_version` is the newest there is."""

    id: str
    slug: str
    name: str
    kind: Kind
    active_version: int | None
    latest_version: int | None
    created_by: str | None
    created_at: str
    updated_at: str
    archived_at: str | None


class WorkflowView(WorkflowSummary, frozen=True, kw_only=True):
    """A workflow with the draft of its next version; where there is none, `document` is the newest version's.

    `draft_etag` is what `If-Match` takes. `unpublished_changes`: no version has this document. `problems`: why it cannot
    be published yet; only in answers to what changes the draft.
    """

    document: dict[str, Any] | None
    draft_etag: str
    unpublished_changes: bool
    problems: tuple[Problem, ...] | None = None


class VersionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A published version, which never changes. `hash` is over its document's canonical JSON; `active`: runs start with it."""

    workflow_id: str
    number: int
    name: str
    hash: str
    note: str | None
    created_by: str | None
    created_at: str
    active: bool


class VersionView(VersionSummary, frozen=True, kw_only=True):
    """A published version with its document."""

    document: dict[str, Any]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a document can be published, and every problem that it has, with a JSON pointer into it.

    `line` is there when the document came as YAML.
    """

    valid: bool
    problems: tuple[Problem, ...] = ()
