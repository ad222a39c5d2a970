"""Holds: runs and workflows that are kept whatever the rules say, for a court or an investigation."""

from typing import Annotated

import msgspec
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.ids import WorkflowKey
from runwell.api.json_values import KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import FoundRun, LongLimit, on_run
from runwell.model.errors import NotFound
from runwell.model.retention import Hold
from runwell.query.finding import find_workflow

routes = router("holds")

After = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$", description="`next_after` of the answer before.")]


class HoldBody(BaseModel):
    """Why it is held."""

    model_config = ConfigDict(extra="forbid")

    reason: KeptText = Field(min_length=1, max_length=1_000, examples=["Case 2026-114: keep until legal says otherwise"])


class HoldPage(msgspec.Struct, frozen=True, kw_only=True):
    """Holds by the ids of what they are about. `next_after` leads on; null at the end."""

    data: list[Hold]
    next_after: str | None = None


@routes.get("/v1/holds", responses=answers(HoldPage, "Some of the holds."))
@needs("admin")
async def list_holds(caller: Caller, server: Server, limit: LongLimit = 200, after: After = None) -> Answer:
    """Return the project's holds."""
    found = await server.holds.page(caller.scope, limit + 1, after)
    last = found[limit - 1] if len(found) > limit else None
    return Answer(HoldPage(data=found[:limit], next_after=None if last is None else last.run_id or last.workflow_id))


@on_run(routes, "/hold", answers(Hold, "The hold."), method="PUT")
@needs("admin")
async def hold_run(run: FoundRun, body: HoldBody, caller: Caller, server: Server) -> Answer:
    """Keep a run: neither the retention rules nor the deletion of its workflow delete it. A second hold takes the first one's place."""
    async with server.holds.guard:
        if await server.journal.row(run.run_id) is None:
            raise NotFound(f"there is no run {run.run_id!r}")
        return Answer(await server.holds.put(caller.scope, run.workflow_id, run.run_id, reason=body.reason, by=caller.actor))


@on_run(routes, "/hold", no_content("It is held no more."), method="DELETE", status=204)
@needs("admin")
async def release_run(run: FoundRun, caller: Caller, server: Server) -> Response:
    """Let go of a run: the rules are about it again."""
    await server.holds.remove(caller.scope, run.run_id)
    return Response(status_code=204)


@routes.put("/v1/workflows/{workflow_id}/hold", responses=answers(Hold, "The hold."))
@needs("admin")
async def hold_workflow(workflow_id: WorkflowKey, body: HoldBody, caller: Caller, server: Server) -> Answer:
    """Keep a workflow with all of its runs, also those to come: nothing of it is deleted."""
    async with server.holds.guard:
        found = await find_workflow(server.definitions, caller.scope, workflow_id)
        return Answer(await server.holds.put(caller.scope, found, None, reason=body.reason, by=caller.actor))


@routes.delete("/v1/workflows/{workflow_id}/hold", status_code=204, responses=no_content("It is held no more."))
@needs("admin")
async def release_workflow(workflow_id: WorkflowKey, caller: Caller, server: Server) -> Response:
    """Let go of a workflow. Runs of it that are held by themselves stay so."""
    await server.holds.remove(caller.scope, await find_workflow(server.definitions, caller.scope, workflow_id))
    return Response(status_code=204)
