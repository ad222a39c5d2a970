"""Workflows that are written in Python, published and run on a server: `client.publish` and `client.run`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from runwell.model.caching import CacheUse
from runwell.model.canonical import content_hash
from runwell.model.errors import InvalidDocument, NotFound
from runwell.model.run import RunView
from runwell.model.run_parts import Accepted
from runwell.model.workflow_views import VersionSummary, VersionView
from runwell.sdk.authored import Authored
from runwell.sdk.connection import Connection
from runwell.sdk.faces import Awaiting, Resource, Waiting, operation
from runwell.sdk.flow import Flow, ask
from runwell.sdk.request import as_input, request
from runwell.sdk.starting import start_request
from runwell.sdk.waiting import ended, until
from runwell.sdk.workflows import publish_document


class _Operations(Resource):
    @operation
    def publish(self, authored: Authored) -> Flow[VersionSummary]:
        return _published(self._connection, authored, set())

    @operation
    def run(
        self,
        authored: Authored,
        input: Any = None,
        *,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Flow[RunView]:
        version = yield from _published(self._connection, authored, set())
        given = as_input(input)
        asked = start_request(authored.slug, given, version.number, tags, metadata, environment, use_cache, idempotency_key)
        started = yield from ask(self._connection, asked, Accepted)
        return (yield from ended(self._connection, started.run_id, until(timeout_s)))


def _published(connection: Connection, authored: Authored, seen: set[str]) -> Flow[VersionSummary]:
    """Return the version that has the document, after what it runs. It is published unless it is the active one already."""
    seen.add(authored.slug)
    for other in authored.needs():
        if other.slug not in seen:
            yield from _published(connection, other, seen)
    document = authored.document()
    with suppress(NotFound):
        active = yield from ask(connection, request("GET", "workflows", authored.slug, "versions", "active"), VersionView)
        if active.hash == content_hash(document):
            return msgspec.convert(active, VersionSummary, from_attributes=True)
    try:
        return (yield from publish_document(connection, authored.slug, document, authored.kind))
    except InvalidDocument as exc:
        told = f"{authored!r} cannot run there: {exc.problems[0]}" if exc.problems else exc.message
        error = InvalidDocument(told, problems=exc.problems)
        error.request_id = exc.request_id
        raise error from exc


class Publishing(_Operations, Waiting):
    """Workflows that are written in Python, on the server."""


class AsyncPublishing(_Operations, Awaiting):
    """Workflows that are written in Python, on the server."""
