"""`client.agents`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from runwell.model.caching import CacheUse
from runwell.model.run import RunView
from runwell.model.run_parts import Accepted
from runwell.model.workflow_views import VersionSummary, VersionView, WorkflowSummary, WorkflowView
from runwell.sdk.faces import Awaiting, Listing, Resource, Waiting, listing, operation
from runwell.sdk.flow import Flow, ask, tell
from runwell.sdk.request import Request, request
from runwell.sdk.starting import with_key
from runwell.sdk.waiting import ended, until

Document = Mapping[str, Any]


class _Operations(Resource):
    @operation
    def create(self, document: Document | None = None, *, slug: str | None = None, name: str | None = None) -> Flow[WorkflowView]:
        """Make an agent with a first draft: a document whose one step is an agent. Raises `Refused` when its slug is taken."""
        body = {"document": document, "slug": slug, "name": name}
        return ask(self._connection, request("POST", "agents", body=_given(body)), WorkflowView)

    @listing
    def list(self, *, archived: bool = False, text: str | None = None, limit: int = 50) -> Listing[WorkflowSummary]:
        """Return the project's agents, newest first. `text` is part of the slug or name; `limit` is for one page."""
        return Listing(request("GET", "agents", query={"archived": archived, "q": text, "limit": limit}), WorkflowSummary)

    @operation
    def get(self, agent: str) -> Flow[WorkflowView]:
        """Return one agent, by its id or slug, with its draft. Raises `NotFound` for a workflow that is none."""
        return ask(self._connection, request("GET", "agents", agent), WorkflowView)

    @operation
    def replace_draft(self, agent: str, document: Document, *, etag: str) -> Flow[WorkflowView]:
        """Replace the draft that has this `draft_etag`; `*` is for whichever it is. Raises `Outdated` when somebody was quicker."""
        return ask(self._connection, request("PUT", "agents", agent, body={"document": document}, if_match=etag), WorkflowView)

    @operation
    def publish(
        self,
        agent: str,
        document: Document | None = None,
        *,
        activate: bool = True,
        note: str | None = None,
        etag: str | None = None,
    ) -> Flow[VersionSummary]:
        """Publish the draft, or the document, and return the version. Raises `InvalidDocument` with every problem.

        A document that is a version already gives that version.
        """
        body = _given({"document": document, "activate": activate, "note": note})
        return ask(self._connection, request("POST", "agents", agent, "versions", body=body, if_match=etag), VersionSummary)

    @listing
    def versions(self, agent: str, *, limit: int = 50) -> Listing[VersionSummary]:
        """Return the agent's versions, newest first."""
        return Listing(request("GET", "agents", agent, "versions", query={"limit": limit}), VersionSummary)

    @operation
    def version(self, agent: str, number: int | str) -> Flow[VersionView]:
        """Return a version with its document, by number or as `latest` or `active`."""
        return ask(self._connection, request("GET", "workflows", agent, "versions", str(number)), VersionView)

    @operation
    def delete(self, agent: str, *, stop: bool = False) -> Flow[None]:
        """Delete the agent with all of its versions and runs. Raises `Refused` while runs are under way, unless `stop`."""
        return tell(self._connection, request("DELETE", "agents", agent, query={"stop": stop}))

    @operation
    def start(
        self,
        agent: str,
        input: Any = None,
        *,
        version: int | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
    ) -> Flow[Accepted]:
        """Start a run of the active version, or of `version`. Raises `InvalidInput` when the input breaks the schema."""
        body = {"input": input, "version": version, "environment": environment, **_about(tags, metadata, use_cache)}
        return ask(self._connection, _at_once(request("POST", "agents", agent, "runs", body=body), idempotency_key), Accepted)

    @operation
    def run(
        self,
        agent: str,
        input: Any = None,
        *,
        version: int | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Flow[RunView]:
        """Run the agent and return the run once it has ended. Raises `RunNotEnded` when that takes longer than `timeout_s`."""
        body = {"input": input, "version": version, "environment": environment, **_about(tags, metadata, use_cache)}
        asked = _at_once(request("POST", "agents", agent, "runs", body=body), idempotency_key)
        started = yield from ask(self._connection, asked, Accepted)
        return (yield from ended(self._connection, started.run_id, until(timeout_s)))

    @operation
    def reply(
        self,
        run_id: str,
        message: str,
        *,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Flow[RunView]:
        """Go on with what an agent's run said, in a run of its own; return that once it has ended. Raises `RunNotEnded`."""
        body = {"message": message, **_about(tags, metadata, use_cache)}
        asked = _at_once(request("POST", "runs", run_id, "reply", body=body), idempotency_key)
        started = yield from ask(self._connection, asked, Accepted)
        return (yield from ended(self._connection, started.run_id, until(timeout_s)))


def _about(tags: Sequence[str], metadata: Mapping[str, str] | None, use_cache: CacheUse) -> dict[str, Any]:
    return {"tags": list(tags), "metadata": dict(metadata or {}), "use_cache": use_cache}


def _at_once(asked: Request, idempotency_key: str | None) -> Request:
    """Return the request for an answer as soon as the run is durable: a wait is better done on the run's stream, which can be cut."""
    return with_key(msgspec.structs.replace(asked, headers={**asked.headers, "Prefer": "respond-async"}), idempotency_key)


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


class Agents(_Operations, Waiting):
    """Agents: made, found, published, run, replied to, deleted."""


class AsyncAgents(_Operations, Awaiting):
    """Agents: made, found, published, run, replied to, deleted."""
