"""Operations on one run, which stand under `/v1/runs/{run_id}` and under its workflow's path alike.

Under a workflow's path a run of another workflow does not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from runwell.api.ids import RunKey, WorkflowKey
from runwell.api.route import Caller, Server
from runwell.model.run import RunRow
from runwell.query.finding import find_run, find_workflow

Operation = Callable[..., Awaitable[Response]]
Responses = dict[int | str, dict[str, Any]]


async def _of_workflow(workflow_id: WorkflowKey) -> None:
    """Declare the path's parameter; `_found` reads it."""


async def _found(request: Request, run_id: RunKey, caller: Caller, server: Server) -> RunRow:
    workflow = request.path_params.get("workflow_id")
    workflow_id = None if workflow is None else await find_workflow(server.definitions, caller.scope, workflow)
    return await find_run(server.journal, caller.scope, run_id, workflow_id)


FoundRun = Annotated[RunRow, Depends(_found)]
"""The run of the path, which is within the caller's scope and, if the path names one, of that workflow."""

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
LongLimit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
PageCursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` or `prev_cursor` of an answer to the same request.")]
StepPath = Annotated[
    str | None, Query(max_length=1000, pattern=r"^[^\x00]*$", description="A step's path: its id, in loops like `each[3].send`.")
]
Environment = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00]+$",
        description="Only of this environment. Trial runs show with `testing` only, runs that evaluate others with `evaluation`.",
    ),
]
Words = list[Annotated[str, Field(max_length=100)]]


def on_run(
    routes: APIRouter,
    path: str,
    responses: Responses,
    *,
    method: str = "GET",
    status: int = 200,
    response_class: type[Response] = JSONResponse,
) -> Callable[[Operation], Operation]:
    """Declare an operation at `path` under both of a run's paths; the second operation's id ends in `_of_workflow`."""

    def declare(operation: Operation) -> Operation:
        name: str = getattr(operation, "__name__")  # noqa: B009 - a Callable is not known to have one
        options: dict[str, Any] = {"methods": [method], "responses": responses, "status_code": status, "response_class": response_class}
        routes.add_api_route(f"/v1/runs/{{run_id}}{path}", operation, **options)
        routes.add_api_route(
            f"/v1/workflows/{{workflow_id}}/runs/{{run_id}}{path}",
            operation,
            **options,
            operation_id=f"{name}_of_workflow",
            dependencies=[Depends(_of_workflow)],
        )
        return operation

    return declare
