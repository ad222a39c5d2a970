"""Child runs: started for the steps that wait for them, stopped with them, and what came of them told.

Word between two runs is not in the journal, so a process that dies may take it along. Nothing is
lost by that: whoever takes a run up asks for its children (`check`) and for its parent
(`stop_if_orphan`), and what was not done before is done then. All of it may be done twice.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from runwell.engine.state import RunState, StepState
from runwell.engine.view import is_idle
from runwell.model.commands import ChildEnded, Command, StopRun
from runwell.model.errors import ErrorInfo, InvalidInput, JournalUnavailable, NotFound, RunwellError
from runwell.model.events import StopMode
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus, StepStatus
from runwell.ports.journal import Definitions, Journal, Version
from runwell.ports.runs import StartRequest
from runwell.runtime.cell import Cell
from runwell.runtime.request import child_request

MAX_DEPTH: Final = 20
"""How deep child runs may nest."""


class Family(Protocol):
    """What is needed of the runtime."""

    journal: Journal

    async def cell(self, run_id: str) -> Cell: ...
    async def start(self, request: StartRequest) -> str: ...
    async def command(self, run_id: str, command: Command) -> RunState: ...
    def spawn(self, work: Any) -> None: ...
    def later(self, work: Callable[[], Any]) -> None: ...


class Children:
    def __init__(self, family: Family, definitions: Definitions) -> None:
        self._family = family
        self._definitions = definitions

    async def start(self, parent: Cell, step_id: str, child_id: str) -> None:
        """Start the child run that a step waits for; tell the step when it cannot be.

        Only once it is durable that the step waits for this child: a step that began anew would
        wait for another one. Meanwhile the step may have stopped waiting; then so does the child.
        """
        run_id = parent.state.run_id
        if parent.durable is not None:
            await asyncio.shield(parent.durable)
        try:
            version = await self._version(parent.state, parent.state.steps[step_id])
            if await self._is_awaited(run_id, step_id, child_id):
                await self._family.start(child_request(parent.state, step_id, child_id, version))
        except JournalUnavailable:
            self._family.later(lambda: self._again(run_id, step_id, child_id))
        except RunwellError as exc:
            error = ErrorInfo(code="CHILD_RUN_FAILED", message=f"the child run could not start: {exc}", step_id=step_id)
            await self._family.command(run_id, ChildEnded(step_id=step_id, child_run_id=child_id, error=error))
        else:
            if not await self._is_awaited(run_id, step_id, child_id):
                await self.stop(child_id, "immediate")

    async def _again(self, run_id: str, step_id: str, child_id: str) -> None:
        if await self._is_awaited(run_id, step_id, child_id):
            await self.start(await self._family.cell(run_id), step_id, child_id)

    async def _is_awaited(self, run_id: str, step_id: str, child_id: str) -> bool:
        state = (await self._family.cell(run_id)).state
        return step_id in state.steps and _awaits(state.steps[step_id], child_id)

    async def _version(self, state: RunState, step: StepState) -> Version:
        """Return what the step wants to run: of a `workflow` step its document says so, of another its handler."""
        wanted: Any = step.suspended or step.plan.spec
        if state.created.depth >= MAX_DEPTH:
            raise InvalidInput(f"child runs nest deeper than {MAX_DEPTH}", hint="does a workflow call itself without end?")
        scope = Scope(state.created.org_id, state.created.project_id)
        version = await self._definitions.get(scope, wanted.workflow, wanted.version)
        if version is None:
            named = wanted.workflow if wanted.version is None else f"{wanted.workflow} version {wanted.version}"
            raise NotFound(f"there is no workflow {named!r}", hint="publish it first")
        return version

    async def stop(self, child_id: str, mode: StopMode) -> None:
        await self._family.command(child_id, StopRun(mode=mode))

    async def tell_parent(self, child: RunState) -> None:
        """Report a child run's end to the step that waits for it."""
        created = child.created
        error = None
        if child.status is not RunStatus.SUCCEEDED:
            why = child.error.message if child.error else child.status.value
            details: dict[str, object] = {"child_run_id": child.run_id, "status": child.status.value, "failed_step": child.failed_step}
            error = ErrorInfo(
                code="CHILD_RUN_FAILED",
                message=f"the child run ended {child.status}: {why}",
                step_id=created.parent_step_id,
                details=details,
            )
        report = ChildEnded(step_id=created.parent_step_id or "", child_run_id=child.run_id, output=child.output, error=error)
        await self._family.command(created.parent_run_id or "", report)

    async def check(self, parent: Cell) -> None:
        """Bring a parent that was taken up and the children for which it waits together again."""
        state = parent.state
        for path in list(state.waiting):
            child_id = state.steps[path].child_run_id
            if child_id is None:
                continue
            row = await self._family.journal.row(child_id)
            if row is None:
                self._family.spawn(self.start(parent, path, child_id))
            elif row.status in TERMINAL:
                self._family.spawn(self.tell_parent((await self._family.cell(child_id)).state))
            elif state.status is RunStatus.DRAINING and state.stop is not None:
                self._family.spawn(self.stop(child_id, state.stop))

    async def stop_if_orphan(self, child: RunRow, parent: RunRow | None = None) -> None:
        """Stop a child run for which nobody waits any more. `parent` is its parent's row, if it is at hand."""
        row = parent or await self._family.journal.row(child.parent_run_id or "")
        if row is not None and not await self._waits_for(row, child.run_id):
            self._family.spawn(self.stop(child.run_id, "immediate"))

    async def _waits_for(self, parent: RunRow, child_id: str) -> bool:
        if parent.status in TERMINAL or parent.idle:  # nobody who waits for a child is idle
            return False
        state = (await self._family.cell(parent.run_id)).state
        return not is_idle(state) and any(_awaits(state.steps[path], child_id) for path in state.waiting)


def _awaits(step: StepState, child_id: str) -> bool:
    return step.status is StepStatus.WAITING and step.child_run_id == child_id
