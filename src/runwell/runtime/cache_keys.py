"""The keys of results that can be had again: all that a result follows from, in one hash.

A key is of the organization and project, and holds what a document cannot tell: a mark of what the project's steps reach (its
stored connections and secrets) and one of its redaction rules. So whatever of these changes, nothing that was kept before is
found again. Runs that are set apart, trials and evaluations, have no keys.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from runwell.engine.caching import Caching
from runwell.engine.state import RunState
from runwell.model.caching import MOST_KEYED
from runwell.model.canonical import canonical_json
from runwell.model.errors import RunwellError
from runwell.model.events import RunCreated
from runwell.model.run import SET_APART
from runwell.model.scope import Scope
from runwell.model.step import StepSpec
from runwell.ports.redaction import Redactions
from runwell.ports.steps import StepContext

Marks = Callable[[Scope], Awaitable[str]]
"""Returns the mark of what steps of the scope reach: another one once that was changed."""

_ANY_STEPS: Final = frozenset(StepSpec.model_fields) - {"type"}
"""What every step has, and what says nothing about its result."""


async def no_marks(scope: Scope) -> str:
    return ""


class CacheKeys:
    def __init__(self, redactions: Redactions, marks: Marks) -> None:
        self._redactions, self._marks = redactions, marks

    async def of_run(self, created: RunCreated, caching: Caching) -> str:
        """Return the run's key; empty when its result cannot be had again. Its input is as it is kept: all that its steps see."""
        if caching.least == "never" or created.environment in SET_APART:
            return ""
        about = [created.version_hash]
        if caching.reads_run:
            about += [created.workflow_slug, created.trigger, created.environment]
        given = [created.input, created.history]
        given += [created.tags, created.metadata] if caching.reads_run else []
        return await self._key("run", Scope(created.org_id, created.project_id), about, given)

    async def of_step(self, state: RunState, context: StepContext) -> str:
        """Return the step's key: of its own definition, wherever it stands, and of its input; empty when it cannot be cached."""
        if state.created.environment in SET_APART:
            return ""
        spec = context.spec
        defined = spec.model_dump(mode="json", by_alias=True, exclude=set(_ANY_STEPS | spec.templates))
        if spec.tools_named():
            defined["tools of the document"] = state.plan.document.get("tools")
        return await self._key("step", context.scope, [], [defined, context.input, list(context.history)])

    async def _key(self, kind: str, scope: Scope, about: list[str], given: list[Any]) -> str:
        rules = self._redactions.of(scope.project_id)  # those by which the input was just kept
        try:
            content = canonical_json(given)
            if len(content) > MOST_KEYED:
                return ""
            mark = await self._marks(scope)
        except (RunwellError, msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            return ""  # it is carried out, which says what is wrong, if anything is
        head = canonical_json([kind, scope.org_id, scope.project_id, mark, "" if rules is None else rules.mark, *about])
        return hashlib.sha256(head + b"\0" + content).hexdigest()[:32]
