"""Runs: lists of them, one of them, and how it stands."""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import StreamingResponse

from runwell.api.answers import Answer, answers
from runwell.api.ids import WorkflowKey
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import Environment, FoundRun, Limit, PageCursor, Responses, Words, on_run
from runwell.model.run import RunGraph, RunView
from runwell.model.run_overview import RunContext, RunOverview
from runwell.model.status_words import STATUS_WORDS
from runwell.query.export import RunExport, export_run
from runwell.query.finding import find_workflow
from runwell.query.runs import RunPage, run_filter, run_overview
from runwell.query.runs import list_runs as page_of_runs

routes = router("runs")

_SCHEMA: dict[str, Any] = {"type": "object", "description": "As in /schemas/workflow.json."}
_DOCUMENT: Responses = {
    200: {"description": "The workflow document of the run's version.", "content": {"application/json": {"schema": _SCHEMA}}}
}

Statuses = Annotated[
    Words | None,
    Query(
        alias="status",
        max_length=50,
        description=f"Only runs of this status; may be given several times. Understood: {', '.join(STATUS_WORDS)}.",
        examples=[["failed", "timed_out"]],
    ),
]


@routes.get("/v1/runs", responses=answers(RunPage, "A page of runs, newest first."))
@needs("workflow:read")
async def list_runs(
    caller: Caller, server: Server, statuses: Statuses = None, environment: Environment = None, limit: Limit = 50, cursor: PageCursor = None
) -> Answer:
    """Return the project's runs, newest first. Trial runs (environment `testing`) show only when they are asked for."""
    wanted = run_filter(caller.scope, None, statuses or [], environment)
    return Answer(await page_of_runs(server.journal, wanted, limit, cursor))


@routes.get("/v1/workflows/{workflow_id}/runs", responses=answers(RunPage, "A page of the workflow's runs, newest first."))
@needs("workflow:read")
async def list_workflow_runs(
    workflow_id: WorkflowKey,
    caller: Caller,
    server: Server,
    statuses: Statuses = None,
    environment: Environment = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> Answer:
    """Return a workflow's runs, newest first. Trial runs (environment `testing`) show only when they are asked for."""
    found = await find_workflow(server.definitions, caller.scope, workflow_id)
    wanted = run_filter(caller.scope, found, statuses or [], environment)
    return Answer(await page_of_runs(server.journal, wanted, limit, cursor))


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
