"""`client.workflows`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from runwell.model.caching import CacheUse
from runwell.model.errors import NotFound, Refused
from runwell.model.run_parts import Accepted
from runwell.model.workflow_views import Check, Kind, VersionSummary, VersionView, WorkflowSummary, WorkflowView
from runwell.sdk.connection import Connection
from runwell.sdk.faces import Awaiting, Listing, Resource, Waiting, listing, operation
from runwell.sdk.flow import Flow, ask, tell
from runwell.sdk.request import request
from runwell.sdk.starting import start_request

Document = Mapping[str, Any]


class _Operations(Resource):
    @operation
    def create(
        self, document: Document | None = None, *, slug: str | None = None, name: str | None = None, kind: Kind = "workflow"
    ) -> Flow[WorkflowView]:
        """Make a workflow with a first draft. Raises `Refused` when its slug is taken."""
        body = {"document": document, "slug": slug, "name": name, "kind": kind}
        return ask(self._connection, request("POST", "workflows", body=_given(body)), WorkflowView)

    @listing
    def list(
        self, *, kind: Kind | None = None, archived: bool = False, text: str | None = None, limit: int = 50
    ) -> Listing[WorkflowSummary]:
        """Return the project's workflows, newest first. `text` is part of the slug or name; `limit` is for one page."""
        query = {"kind": kind, "archived": archived, "q": text, "limit": limit}
        return Listing(request("GET", "workflows", query=query), WorkflowSummary)

    @operation
    def get(self, workflow: str) -> Flow[WorkflowView]:
        """Return one workflow, by its id or slug, with its draft."""
        return ask(self._connection, request("GET", "workflows", workflow), WorkflowView)

    @operation
    def replace_draft(self, workflow: str, document: Document, *, etag: str) -> Flow[WorkflowView]:
        """Replace the draft that has this `draft_etag`; `*` is for whichever it is. Raises `Outdated` when somebody was quicker."""
        asked = request("PUT", "workflows", workflow, body={"document": document}, if_match=etag)
        return ask(self._connection, asked, WorkflowView)

    @operation
    def rename(self, workflow: str, *, name: str | None = None, slug: str | None = None) -> Flow[WorkflowView]:
        """Give the workflow another name or slug."""
        return ask(self._connection, request("PATCH", "workflows", workflow, body=_given({"name": name, "slug": slug})), WorkflowView)

    @operation
    def validate(self, document: Document, *, workflow: str | None = None) -> Flow[Check]:
        """Return every problem of the document; with `workflow`, of it as that one's next version. Nothing is kept."""
        path = ("workflows", "validate") if workflow is None else ("workflows", workflow, "validate")
        return ask(self._connection, request("POST", *path, body={"document": document}), Check)

    @operation
    def publish(
        self,
        workflow: str,
        document: Document | None = None,
        *,
        activate: bool = True,
        note: str | None = None,
        etag: str | None = None,
    ) -> Flow[VersionSummary]:
        """Publish the draft, or the document, and return the version. Raises `InvalidDocument` with every problem.

        A document that is a version already gives that version.
        """
        body = {"document": document, "activate": activate, "note": note}
        asked = request("POST", "workflows", workflow, "versions", body=_given(body), if_match=etag)
        return ask(self._connection, asked, VersionSummary)

    @operation
    def put(self, slug: str, document: Document, *, kind: Kind = "workflow") -> Flow[VersionSummary]:
        """Publish a document as a version of the workflow of this slug, which is made if there is none."""
        return publish_document(self._connection, slug, document, kind)

    @listing
    def versions(self, workflow: str, *, limit: int = 50) -> Listing[VersionSummary]:
        """Return the workflow's versions, newest first."""
        return Listing(request("GET", "workflows", workflow, "versions", query={"limit": limit}), VersionSummary)

    @operation
    def version(self, workflow: str, number: int | str) -> Flow[VersionView]:
        """Return a version with its document, by number or as `latest` or `active`."""
        return ask(self._connection, request("GET", "workflows", workflow, "versions", str(number)), VersionView)

    @operation
    def activate(self, workflow: str, number: int) -> Flow[WorkflowSummary]:
        """Let runs start with this version from now on."""
        return ask(self._connection, request("POST", "workflows", workflow, "versions", str(number), "activate"), WorkflowSummary)

    @operation
    def archive(self, workflow: str) -> Flow[WorkflowSummary]:
        """Hide the workflow from lists and let it start no more runs."""
        return ask(self._connection, request("POST", "workflows", workflow, "archive"), WorkflowSummary)

    @operation
    def unarchive(self, workflow: str) -> Flow[WorkflowSummary]:
        """Take the workflow out of the archive."""
        return ask(self._connection, request("POST", "workflows", workflow, "unarchive"), WorkflowSummary)

    @operation
    def delete(self, workflow: str, *, stop: bool = False) -> Flow[None]:
        """Delete the workflow with all of its versions and runs. Raises `Refused` while runs are under way, unless `stop`."""
        return tell(self._connection, request("DELETE", "workflows", workflow, query={"stop": stop}))

    @operation
    def start(
        self,
        workflow: str,
        input: Any = None,
        *,
        version: int | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
    ) -> Flow[Accepted]:
        """Start a run of the active version, or of `version`. Raises `InvalidInput` when the input breaks the schema.

        The same `idempotency_key` starts one run, whoever repeats it; without one each call starts its own. `use_cache`: whether
        the run may have the output of an earlier one like it, at no cost.
        """
        asked = start_request(workflow, input, version, tags, metadata, environment, use_cache, idempotency_key)
        return ask(self._connection, asked, Accepted)


def publish_document(connection: Connection, slug: str, document: Document, kind: Kind) -> Flow[VersionSummary]:
    """Return the version that has the document, of the workflow of this slug. Raises `InvalidDocument`."""
    body = {"document": document}
    with suppress(NotFound):
        return (yield from ask(connection, request("POST", "workflows", slug, "versions", body=body), VersionSummary))
    with suppress(Refused):  # somebody was quicker
        yield from ask(connection, request("POST", "workflows", body={**body, "slug": slug, "kind": kind}), WorkflowView)
    return (yield from ask(connection, request("POST", "workflows", slug, "versions", body=body), VersionSummary))


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


class Workflows(_Operations, Waiting):
    """Workflows: made, found, changed, published, deleted."""


class AsyncWorkflows(_Operations, Awaiting):
    """Workflows: made, found, changed, published, deleted."""
