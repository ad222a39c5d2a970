"""A run in one document, at the path and in the words of seed 004."""

from typing import Annotated

from fastapi import Path

from runwell.api.answers import Answer, answers
from runwell.api.route import Caller, Server, needs, router
from runwell.model.errors import NotFound
from runwell.model.run_document import RunDocument
from runwell.query.finding import find_run
from runwell.query.run_document import run_document
from runwell.query.vault import mcp_servers

routes = router("runs")

ShortId = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{24}$",
        description="The first 24 hex digits of the run's id.",
        examples=["5eb7cf5a86d9755df3a6c593"],
    ),
]


@routes.get("/workflows/v1/workflow-runs/{workflow_run_id}", responses=answers(RunDocument, "The run with everything that belongs to it."))
@needs("workflow:read")
async def get_workflow_run(workflow_run_id: ShortId, caller: Caller, server: Server) -> Answer:
    """Return one run whole: inputs and outputs, comments, token usage and latency by model, and the configuration that it ran with."""
    found = await find_run(server.journal, caller.scope, workflow_run_id)
    run = await server.runs.view(caller.scope, found.run_id)
    document = await server.runs.document(caller.scope, found.run_id)
    servers = await mcp_servers(server.vault, caller.scope)
    events = await server.journal.read(found.run_id)
    if not events:
        raise NotFound(f"there is no run {workflow_run_id!r}", hint="it was deleted while it was read")
    return Answer(run_document(run, events, document, caller.scope, servers))
