"""From documents to versions: compiled before they are kept, so that what is kept can run."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from runwell.engine.compile import Reach, compile_workflow
from runwell.engine.plan import Plan
from runwell.model.canonical import canonical_json
from runwell.model.documents import kind_of, workflows_named
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.scope import Scope
from runwell.model.workflow import read_workflow, workflow_json_schema
from runwell.model.workflow_views import Kind
from runwell.ports.journal import Definitions, Version
from runwell.ports.publishing import Publishable
from runwell.ports.steps import StepTypes

ReachOf = Callable[[Scope], Awaitable[Reach]]
"""From a scope to what can be reached there now."""


class Publisher:
    """Compiles documents against the step types of this installation and keeps them."""

    def __init__(self, definitions: Definitions, types: StepTypes, reach: ReachOf | None = None) -> None:
        self._definitions = definitions
        self._reach = reach
        self._specs = {name: step_type.spec for name, step_type in types.items()}
        self._checks = {name: step_type.problems for name, step_type in types.items()}

    def compile(self, document: Any, reach: Reach | None = None) -> Plan:
        """Return the plan of a document (JSON data). Raises `InvalidDocument` with every problem.

        `reach` looks at what this installation can reach: for documents that a person brings, not for versions that were kept.
        """
        return compile_workflow(read_workflow(document, self._specs), self._checks, reach)

    async def reach_of(self, scope: Scope) -> Reach | None:
        """Return what can be reached in the scope: what its documents are checked against before they are published."""
        return None if self._reach is None else await self._reach(scope)

    async def publish(self, scope: Scope, plan: Plan, slug: str | None = None) -> Version:
        """Keep the plan's document as a version of its workflow; the same document gives the same version."""
        workflow = plan.workflow
        body, kind = canonical_json(plan.document), kind_of(plan.document)
        return await self._definitions.put(scope, slug or workflow.slug, workflow.name, plan.hash, body, kind)

    async def prepare(self, scope: Scope, document: Any, slug: str | None = None, kind: Kind = "workflow") -> Publishable:
        """Return what to publish, compiled on another thread. Raises `InvalidDocument` with every problem."""
        found: list[Problem] = []
        plan = None
        try:
            plan = await asyncio.to_thread(self.compile, document, await self.reach_of(scope))
        except InvalidDocument as exc:
            found += exc.problems
        if kind == "agent" and kind_of(document) != "agent":
            hint = "write one step of type agent with its own model; to do more, make it a workflow"
            found.append(Problem(code="no_agent", message="the document of an agent is one agent step", pointer="/steps", hint=hint))
        found += await self._unpublished(scope, document, slug or (None if plan is None else plan.workflow.slug))
        if plan is None or found:
            count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
            raise InvalidDocument(f"the workflow document is not valid: {count}", hint="see `errors` for each", problems=tuple(found))
        return Publishable(name=plan.workflow.name, slug=plan.workflow.slug, hash=plan.hash, body=canonical_json(plan.document))

    async def problems(self, scope: Scope, document: Any, slug: str | None = None, kind: Kind = "workflow") -> tuple[Problem, ...]:
        try:
            await self.prepare(scope, document, slug, kind)
        except InvalidDocument as exc:
            return exc.problems
        return ()

    async def _unpublished(self, scope: Scope, document: Any, own_slug: str | None) -> list[Problem]:
        """Return a problem for each workflow that the document runs and that is not there."""
        found = []
        for pointer, slug, number, step in workflows_named(document):
            if not isinstance(slug, str) or not isinstance(number, int | None) or (slug == own_slug and number is None):
                continue
            step_id = step["id"] if isinstance(step.get("id"), str) else None
            version = await self._definitions.get(scope, slug, number)
            if version is None:
                wanted = slug if number is None else f"{slug} version {number}"
                hint = "publish it first, and name it by its slug; one that is archived starts no runs"
                message = f"there is no workflow {wanted!r} in this project"
                found.append(Problem(code="unknown_workflow", message=message, pointer=pointer, step_id=step_id, hint=hint))
            elif pointer.endswith("/agent") and version.kind != "agent":
                hint = f"run it by a step of its own: type: workflow, workflow: {slug}"
                found.append(Problem(code="no_agent", message=f"{slug!r} is no agent", pointer=pointer, step_id=step_id, hint=hint))
        return found

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of documents with the step types that are installed here."""
        return self._json_schema

    @functools.cached_property
    def _json_schema(self) -> dict[str, Any]:
        return workflow_json_schema(self._specs)
