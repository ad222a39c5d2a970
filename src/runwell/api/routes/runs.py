"""Runs: one of them, and how it stands."""

from typing import Any

from starlette.responses import StreamingResponse

from runwell.api.answers import Answer, answers
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import FoundRun, Responses, on_run
from runwell.model.run import RunGraph, RunView
from runwell.model.run_overview import RunContext, RunOverview
from runwell.query.export import RunExport, export_run
from runwell.query.runs import run_overview

routes = router("runs")

_SCHEMA: dict[str, Any] = {"type": "object", "description": "As in /schemas/workflow.json."}
_DOCUMENT: Responses = {
    200: {"description": "The workflow document of the run's version.", "content": {"application/json": {"schema": _SCHEMA}}}
}


@on_run(routes, "", answers(RunView, "The run, whole."))
@needs("workflow:read")
async def get_run(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return one run with its steps, input, output and error."""
    return Answer(await server.runs.view(caller.scope, run.run_id))


@on_run(routes, "/summary", answers(RunOverview, "How the run stands."))
@needs("workflow:read")
async def get_run_summary(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return how the run stands: progress, what it waits for and since when, what failed and why, where the time went.

    Inputs and results are left out.
    """
    return Answer(await run_overview(server.runs, caller.scope, run.run_id))


@on_run(routes, "/context", answers(RunContext, "What the run's expressions see."))
@needs("workflow:read")
async def get_run_context(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return what the run's expressions see: its input, its variables, and status, input, result and error of its steps."""
    return Answer(await server.runs.context(caller.scope, run.run_id))


@on_run(routes, "/graph", answers(RunGraph, "The graph of the run's version, with statuses."))
@needs("workflow:read")
async def get_run_graph(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return the steps and edges of the run's exact version, and how far each step is."""
    return Answer(await server.runs.graph(caller.scope, run.run_id))


@on_run(routes, "/document", _DOCUMENT)
@needs("workflow:read")
async def get_run_document(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return the workflow document of the run's exact version."""
    return Answer(await server.runs.document(caller.scope, run.run_id))


@on_run(routes, "/export", answers(RunExport, "One JSON file."))
@needs("workflow:read")
async def export_run_file(run: FoundRun, caller: Caller, server: Server) -> StreamingResponse:
    """Return the run as one JSON file: the run, its version's document, and every event kept so far."""
    headers = {"Content-Disposition": f'attachment; filename="{run.run_id}.json"'}
    pieces = await export_run(server.runs, server.journal, caller.scope, run)
    return StreamingResponse(pieces, headers=headers, media_type="application/json")
