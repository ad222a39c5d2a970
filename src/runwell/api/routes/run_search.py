"""Lists of runs and searches for them."""

import time

import msgspec

from runwell.api.answers import Answer, answers
from runwell.api.ids import WorkflowKey
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_filters import Columns, Count, Filters, SearchBody, Workflows, in_address, placing
from runwell.api.run_routes import Limit, PageCursor
from runwell.model.run_search import RunFields, RunPage
from runwell.query.exports.columns import fields
from runwell.query.finding import find_workflow
from runwell.query.run_fields import list_fields
from runwell.query.run_search import PageAsked, RunIndex
from runwell.query.run_search import list_runs as page_of_runs
from runwell.query.run_values import MOST

routes = router("runs")


@routes.get("/v1/runs", responses=answers(RunPage, "A page of runs, newest first."))
@needs("workflow:read")
async def list_runs(
    caller: Caller,
    server: Server,
    filters: Filters,
    workflow: Workflows = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
    count: Count = False,
    column: Columns = None,
) -> Answer:
    """Return the project's runs, newest first: those of the last 7 days, but archived and trial runs, unless something else is asked."""
    wanted = msgspec.structs.replace(filters, workflows=tuple(workflow or ()))
    page = PageAsked(limit=limit, cursor=cursor, count=count, columns=fields(column or (), MOST), now=_now())
    with in_address():
        return Answer(await page_of_runs(RunIndex(server.run_store, server.projection), caller.scope, wanted, page))


@routes.get("/v1/workflows/{workflow_id}/runs", responses=answers(RunPage, "A page of the workflow's runs, newest first."))
@needs("workflow:read")
async def list_workflow_runs(
    workflow_id: WorkflowKey,
    caller: Caller,
    server: Server,
    filters: Filters,
    limit: Limit = 50,
    cursor: PageCursor = None,
    count: Count = False,
    column: Columns = None,
) -> Answer:
    """Return a workflow's runs as `/v1/runs` does."""
    found = await find_workflow(server.definitions, caller.scope, workflow_id)
    wanted = msgspec.structs.replace(filters, workflows=(found,))
    page = PageAsked(limit=limit, cursor=cursor, count=count, columns=fields(column or (), MOST), now=_now())
    with in_address():
        return Answer(await page_of_runs(RunIndex(server.run_store, server.projection), caller.scope, wanted, page))


@routes.post("/v1/runs/search", responses=answers(RunPage, "A page of the runs that were found, newest first."))
@needs("workflow:read")
async def search_runs(body: SearchBody, caller: Caller, server: Server) -> Answer:
    """Return the runs for which all of the search holds, as `/v1/runs` does. It takes conditions on fields, too."""
    page = PageAsked(limit=body.limit, cursor=body.cursor, count=body.count, now=_now())
    with placing("/query", ""):
        return Answer(await page_of_runs(RunIndex(server.run_store, server.projection), caller.scope, body.filters(), page))


@routes.get("/v1/runs/fields", responses=answers(RunFields, "The fields."))
@needs("workflow:read")
async def list_run_fields(caller: Caller, server: Server) -> Answer:
    """Return what can be asked about runs, with types, operators and suggested values; `seen` is what runs of the last 90 days have."""
    return Answer(await list_fields(RunIndex(server.run_store, server.projection), caller.scope, _now()))


def _now() -> int:
    return int(time.time() * 1000)
