"""Compiled workflow versions, kept by hash."""

from collections.abc import Callable
from typing import Any

import msgspec

from runwell.engine.caching import Caching, caching_of
from runwell.engine.plan import Plan
from runwell.model.errors import InvalidInput, NotFound
from runwell.model.schema import SchemaCheck
from runwell.ports.journal import Documents
from runwell.ports.runs import StartRequest

Compile = Callable[[Any], Plan]
"""From a document (JSON data) to its plan."""


class Prepared(msgspec.Struct, frozen=True):
    """A plan, the check of its runs' input, and how their results can be had again."""

    plan: Plan
    input_check: SchemaCheck
    caching: Caching


class Plans:
    """Loads each version once. Versions are immutable, so nothing here grows old."""

    def __init__(self, documents: Documents, compile_document: Compile) -> None:
        self._documents = documents
        self._compile = compile_document
        self._plans: dict[str, Prepared] = {}

    async def startable(self, request: StartRequest) -> Prepared:
        """Return the plan of what is to be started. Raises `InvalidInput` when it cannot be, or not with this input."""
        prepared = await self.get(request.version.hash)
        if prepared.plan.is_traced:
            raise InvalidInput("the workflow's runs come from traces: it cannot be started", hint="send its spans to /v1/traces")
        prepared.input_check.require(request.input, "the input")
        return prepared

    async def get(self, version_hash: str) -> Prepared:
        """Return the version's plan. Raises `NotFound`."""
        held = self._plans.get(version_hash)
        if held is not None:
            return held
        document = await self._documents.by_hash(version_hash)
        if document is None:
            raise NotFound(f"there is no workflow version with hash {version_hash[:12]}")
        plan = self._compile(msgspec.json.decode(document))
        return self._plans.setdefault(version_hash, Prepared(plan, SchemaCheck(plan.workflow.input_schema), caching_of(plan)))
