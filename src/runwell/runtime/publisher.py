"""From documents to versions: compiled before they are kept, so that what is kept can run."""

from collections.abc import Awaitable, Callable
from typing import Any

from runwell.engine.compile import Reach, compile_workflow
from runwell.engine.plan import Plan
from runwell.model.canonical import canonical_json
from runwell.model.scope import Scope
from runwell.model.workflow import read_workflow
from runwell.ports.journal import Definitions, Version
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
        return await self._definitions.put(scope, slug or workflow.slug, workflow.name, plan.hash, canonical_json(plan.document))
