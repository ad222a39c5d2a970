"""Runs: one, and what belongs to it."""

from typing import Annotated

from fastapi import Path

from runwell.api.answers import Answer, answers
from runwell.api.ids import RunId
from runwell.api.route import Caller, Server, needs, router
from runwell.model.run import RunGraph, RunView

routes = router("runs")

Id = Annotated[RunId, Path(description="The run's id, or its bare UUID.")]


@routes.get("/v1/runs/{run_id}", responses=answers(RunView, "The run, whole."))
@needs("workflow:read")
async def get_run(run_id: Id, caller: Caller, server: Server) -> Answer:
    """Return one run with its steps, input, output and error."""
    return Answer(await server.runs.view(caller.scope, run_id))


@routes.get("/v1/runs/{run_id}/graph", responses=answers(RunGraph, "The graph of the run's version, with statuses."))
@needs("workflow:read")
async def get_run_graph(run_id: Id, caller: Caller, server: Server) -> Answer:
    """Return the steps and edges of the run's exact version, and how far each step is."""
    return Answer(await server.runs.graph(caller.scope, run_id))
