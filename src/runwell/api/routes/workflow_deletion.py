"""Deleting a workflow with everything that is kept of it."""

from contextlib import suppress
from typing import Final

import structlog

from runwell.api.parts import Parts
from runwell.model.commands import StopRun
from runwell.model.errors import CommandRefused, Held, NotFound, Refused, RunStoreUnavailable
from runwell.model.principal import Principal
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import RunFilter

_LIVE: Final = tuple(status for status in RunStatus if status not in TERMINAL)
_ROUNDS: Final = 10

_log = structlog.get_logger("runwell.server")


async def delete_whole(server: Parts, caller: Principal, key: str, *, stop: bool) -> bool:
    """Delete the runs from the journal, the workflow, and the runs from the run store; False when the store is away.

    From the first run's deletion on nothing takes it back: what ends it half-way leaves the rest to the background, or to
    the next process. No list shows any of the runs meanwhile.
    Raises `Refused` while runs are live, unless they are to be stopped, and `Held` when somebody holds the workflow or a run of it.
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
    await server.workflows.delete(caller.scope, workflow.id)
    await server.journal.delete_runs(workflow.id)  # of none: what the log still has of the workflow itself goes, too
    try:
        await server.projection.remove_deleted()
    except RunStoreUnavailable as exc:
        _log.warning("deletion_waits_for_the_run_store", workflow_id=workflow.id, error=exc.message)
        return False
    return True


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
