"""Deleting a workflow with everything that is kept of it."""

from contextlib import suppress
from typing import Final

from runwell.api.parts import Parts
from runwell.model.commands import StopRun
from runwell.model.errors import CommandRefused, Held, NotFound, Refused
from runwell.model.principal import Principal
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import RunFilter

_LIVE: Final = tuple(status for status in RunStatus if status not in TERMINAL)
_ROUNDS: Final = 10


async def delete_whole(server: Parts, caller: Principal, key: str, *, stop: bool) -> None:
    """Delete the runs first, from the journal, then from the run store.

    Whatever ends this half-way, the workflow is still there and can be deleted again, with what is left of its runs; once the
    journal has none, nothing brings any back.
    Raises `RunStoreUnavailable` when the store cannot be reached, `Refused` while runs are live, unless they are to be stopped, and
    `Held` when somebody holds the workflow or a run of it.
    """
    workflow = await server.workflows.get(caller.scope, key)
    await _refuse_held(server, caller, workflow.id)
    if stop:
        await server.workflows.archive(caller.scope, workflow.id, True)  # so that no more runs start meanwhile
    for _ in range(_ROUNDS if stop else 0):
        await _stop_runs(server, caller, workflow.id)
        with suppress(Refused):
            await _delete_runs(server, caller, workflow.id)
            break
    else:
        await _delete_runs(server, caller, workflow.id)
    await server.projection.remove_workflow(workflow.id)
    await server.workflows.delete(caller.scope, workflow.id)
    await server.journal.delete_runs(workflow.id)  # of none: what the log still has of the workflow itself goes, too


async def _delete_runs(server: Parts, caller: Principal, workflow_id: str) -> None:
    async with server.holds.guard:  # a hold that comes now finds nothing to hold, and says so
        await _refuse_held(server, caller, workflow_id)
        await server.journal.delete_runs(workflow_id)


async def _refuse_held(server: Parts, caller: Principal, workflow_id: str) -> None:
    holds = await server.holds.held(caller.scope, [workflow_id])
    if holds:
        what = f"the workflow {workflow_id!r}" if holds[-1].run_id is None else f"the run {holds[-1].run_id!r} of the workflow"
        raise Held(f"{what} is held: {holds[-1].reason}", hint="nothing is deleted until each hold is removed; GET /v1/holds lists them")


async def _stop_runs(server: Parts, caller: Principal, workflow_id: str) -> None:
    while rows := await server.journal.rows(RunFilter(scope=caller.scope, workflow_id=workflow_id, statuses=_LIVE), limit=200):
        for row in rows:
            with suppress(CommandRefused, NotFound):
                await server.runs.command(caller.scope, row.run_id, StopRun(actor=caller.actor))
