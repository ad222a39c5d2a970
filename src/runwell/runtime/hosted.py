"""The embedded runtime's runs behind the port, each within its scope."""

from typing import Any

from runwell.engine.graph_view import run_graph
from runwell.engine.overview import run_overview
from runwell.engine.state import RunState
from runwell.engine.view import run_context, run_row, run_view
from runwell.model.commands import Command, CompleteTask
from runwell.model.errors import NotFound
from runwell.model.run import RunGraph, RunRow, RunView
from runwell.model.run_overview import RunOverview
from runwell.model.scope import Scope
from runwell.ports.keeping import Trouble
from runwell.ports.runs import StartRequest
from runwell.runtime.runtime import Runtime


class HostedRuns:
    """`Runs` of this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.feed = runtime.feed

    def trouble(self) -> Trouble | None:
        return self.feed.keeping.trouble(self._runtime.clock.now())

    async def start(self, request: StartRequest) -> RunRow:
        return run_row(await self._runtime.started(request))

    async def command(self, scope: Scope, run_id: str, command: Command) -> RunRow:
        await self._state(scope, run_id)
        return run_row(await self._runtime.command(run_id, command))

    def as_kept(self, scope: Scope, decision: CompleteTask) -> CompleteTask:
        rules = self._runtime.redaction.of(scope.project_id)
        return decision if rules is None else rules.decision(decision)

    async def row(self, scope: Scope, run_id: str) -> RunRow:
        return run_row(await self._state(scope, run_id))

    async def view(self, scope: Scope, run_id: str) -> RunView:
        return run_view(await self._state(scope, run_id))

    async def overview(self, scope: Scope, run_id: str) -> RunOverview:
        return run_overview(await self._state(scope, run_id), self._runtime.clock.now())

    async def context(self, scope: Scope, run_id: str) -> dict[str, Any]:
        return run_context(await self._state(scope, run_id))

    async def graph(self, scope: Scope, run_id: str) -> RunGraph:
        return run_graph(await self._state(scope, run_id))

    async def document(self, scope: Scope, run_id: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self._state(scope, run_id)).plan.document
        return document

    async def _state(self, scope: Scope, run_id: str) -> RunState:
        state = await self._runtime.state(run_id)
        if (state.created.org_id, state.created.project_id) != (scope.org_id, scope.project_id):
            raise NotFound(f"there is no run {run_id!r}")
        return state
