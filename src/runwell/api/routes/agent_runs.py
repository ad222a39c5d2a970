"""Runs of agents: asked and waited for, and replied to."""

import re
from typing import Annotated, Any, Final

import msgspec
from fastapi import Header, Request
from pydantic import Field
from starlette.responses import Response

from runwell.api.answers import Answer, answers
from runwell.api.json_values import JsonValue, Text
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.agents import FoundAgent
from runwell.api.routes.streams import reading_check
from runwell.api.routes.workflow_bodies import Body, UseCache
from runwell.api.routes.workflow_commands import Tag
from runwell.api.run_routes import FoundRun, Responses, on_run
from runwell.api.sse import EventStream
from runwell.model.errors import InvalidInput
from runwell.model.principal import Principal
from runwell.model.run import RunRow, RunView
from runwell.model.run_parts import Accepted
from runwell.model.statuses import TERMINAL
from runwell.ports.runs import StartRequest
from runwell.query.places import RunPlace
from runwell.query.replies import what_was_said
from runwell.query.resting import at_rest

routes = router("agents")

PATIENCE_S: Final = 300.0
_WAIT: Final = re.compile(r"wait=(\d{1,4})")

Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`respond-async`: answer 202 once the run is durable. `wait=<seconds>`: wait so long for its end; left out, 300.",
    ),
]


class _Running(Body):
    tags: tuple[Tag, ...] = Field(default=(), max_length=50)
    metadata: dict[Tag, Annotated[str, Field(max_length=1_000)]] = Field(default={}, max_length=50)
    use_cache: UseCache = "auto"
    stream: bool = Field(default=False, description="Answer with the run's events as server-sent events, as `/v1/runs/{id}/stream` does.")


class AgentRunBody(_Running):
    """What the agent is asked."""

    input: JsonValue = Field(default=None, description="Checked against the version's `input_schema`.", examples=["Where is my parcel?"])
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: the active one.")
    environment: str = Field(default="production", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="`testing`: left out of lists.")


class ReplyBody(_Running):
    """What is said next."""

    message: Text = Field(min_length=1, max_length=1_000_000, examples=["And when will it be here?"])


_RUN: Final[Responses] = {
    **answers(RunView, "The run, which has ended; with `stream` its events."),
    **answers(Accepted, "The run is durable, and has not ended: it still works, or waits for somebody.", 202),
}
_RUN[200]["content"]["text/event-stream"] = {}


@routes.post("/v1/agents/{agent_id}/runs", responses=_RUN)
@needs("workflow:run")
async def run_agent(
    agent: FoundAgent, body: AgentRunBody, request: Request, caller: Caller, server: Server, prefer: Prefer = None
) -> Response:
    """Run the agent, and answer with the run once it has ended; as `Prefer` and `stream` say, at once or event by event.

    A caller that hangs up does not stop the run. One that waits for a person is answered with 202.
    """
    start = StartRequest(
        version=await server.workflows.startable(caller.scope, agent.id, body.version),
        input=body.input,
        environment=body.environment,
        **_of_caller(request, caller, body),
    )
    return await _run(start, "/input", request, caller, server, body, prefer)


@on_run(routes, "/reply", _RUN, method="POST", response_class=Response)
@needs("workflow:run")
async def reply_to_run(run: FoundRun, body: ReplyBody, request: Request, caller: Caller, server: Server, prefer: Prefer = None) -> Response:
    """Go on with what an agent's run said: a new run of the same version and input, whose messages begin with those of this one.

    Its `source_run_id` is this run. It answers as `POST /v1/agents/{id}/runs` does.
    """
    said = await what_was_said(server.journal, run)
    start = StartRequest(
        version=await server.workflows.startable(caller.scope, run.workflow_id, run.version),
        input=said.created.input,
        environment=said.created.environment,
        source_run_id=run.run_id,
        history=[*said.messages, {"role": "user", "content": body.message}],
        **(_of_caller(request, caller, body) | {"trigger": "reply"}),
    )
    return await _run(start, "/message", request, caller, server, body, prefer)


def _of_caller(request: Request, caller: Principal, body: _Running) -> dict[str, Any]:
    return {
        "run_id": getattr(request.state, "run_id", None),
        "org_id": caller.scope.org_id,
        "project_id": caller.scope.project_id,
        "tags": body.tags,
        "metadata": body.metadata,
        "use_cache": body.use_cache,
        "actor": caller.actor,
        "trigger": "api",
    }


async def _run(
    start: StartRequest, place: str, request: Request, caller: Principal, server: Parts, body: _Running, prefer: str | None
) -> Response:
    row = await _started(server, start, place)
    request.state.run_id = row.run_id  # for the log
    if body.stream:
        check = reading_check(server, request, caller, row.run_id)
        return EventStream(server.streams, RunPlace(server.journal, row.run_id, 0), check, _accepted(row))
    patience_s = _patience(prefer)
    if patience_s == 0:
        return _accepted(row)
    row = await at_rest(server.runs.feed, server.journal, row.run_id, patience_s)
    if row.status not in TERMINAL:
        return _accepted(row)
    return Answer(await server.runs.view(caller.scope, row.run_id), 200, _location(row))


async def _started(server: Parts, start: StartRequest, place: str) -> RunRow:
    try:
        return await server.runs.start(start)
    except InvalidInput as exc:
        placed = (msgspec.structs.replace(problem, pointer=f"{place}{problem.pointer}") for problem in exc.problems)
        raise InvalidInput(exc.message, hint=exc.hint, problems=tuple(placed)) from exc


def _patience(prefer: str | None) -> float:
    wanted = prefer or ""
    if "respond-async" in wanted:
        return 0.0
    wait = _WAIT.search(wanted)
    return PATIENCE_S if wait is None else min(float(wait[1]), PATIENCE_S)


def _accepted(row: RunRow) -> Answer:
    return Answer(Accepted(run_id=row.run_id, status=row.status), 202, _location(row))


def _location(row: RunRow) -> dict[str, str]:
    return {"Location": f"/v1/runs/{row.run_id}"}
