"""What names mean at one place of a run: its scope, and the scopes around it."""

from collections.abc import Iterator, Mapping
from typing import Any

from runwell.engine.state import RunState, Scope
from runwell.model.times import rfc3339


class ScopeEnvironment:
    """The environment of expressions in `scope`. Inner names hide outer ones."""

    __slots__ = ("_scope", "_state")

    def __init__(self, state: RunState, scope: Scope) -> None:
        self._state = state
        self._scope = scope

    def value(self, root: str) -> Any:
        if root == "input":
            return self._state.created.input
        if root == "run":
            return run_facts(self._state)
        for scope in self._scopes():
            control = scope.owner.plan.control if scope.owner else None
            if control == "for_each" and root in ("item", "index"):
                return scope.item if root == "item" else scope.index
            if control == "while" and root == "loop":
                return {"iteration": scope.index, "previous": _previous(scope)}
        raise KeyError(root)

    def step(self, step_id: str) -> dict[str, Any]:
        for scope in self._scopes():
            if step_id in scope.steps:
                return scope.steps[step_id].view()
        raise KeyError(step_id)

    def _scopes(self) -> Iterator[Scope]:
        scope: Scope | None = self._scope
        while scope is not None:
            yield scope
            scope = scope.parent


class LateEnvironment(ScopeEnvironment):
    """The environment of what a step fills in while it works: `names` go before those around it."""

    __slots__ = ("_names",)

    def __init__(self, state: RunState, scope: Scope, names: Mapping[str, Any]) -> None:
        super().__init__(state, scope)
        self._names = names

    def value(self, root: str) -> Any:
        return self._names[root] if root in self._names else super().value(root)


def _previous(scope: Scope) -> dict[str, Any]:
    return {step_id: step.view() for step_id, step in scope.previous.steps.items()} if scope.previous else {}


def run_facts(state: RunState) -> dict[str, Any]:
    """Return what expressions see as `run`."""
    created = state.created
    return {
        "id": state.run_id,
        "workflow": created.workflow_slug,
        "version": created.version,
        "created_at": rfc3339(state.created_at),
        "trigger": created.trigger,
        "environment": created.environment,
        "tags": list(created.tags),
        "metadata": created.metadata,
        "source_run_id": created.source_run_id,
    }
