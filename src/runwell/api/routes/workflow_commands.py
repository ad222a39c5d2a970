"""Commands: runs started and steered through their workflow."""

from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import Body as FastApiBody
from fastapi import Request
from pydantic import Field, model_validator

from runwell.api.answers import Answer, answers
from runwell.api.ids import RunId, TaskId
from runwell.api.json_values import JsonObject, JsonValue, Text
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, check, needs, router
from runwell.api.routes.workflow_bodies import Body, Key, UseCache
from runwell.model.commands import Command, CompleteTask, PauseRun, ResumeRun, SendMessage, StopRun
from runwell.model.errors import InvalidInput, NotFound
from runwell.model.principal import Permission, Principal
from runwell.model.run import RunRow
from runwell.model.run_parts import Accepted
from runwell.ports.runs import StartRequest
from runwell.query.conversations import conversation_of

routes = router("commands")

Tag = Annotated[str, Field(min_length=1, max_length=100)]


class Known(Body):
    """Fields of one command; others are refused in words that name these."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:
        unknown = sorted(str(name) for name in given if name not in cls.model_fields) if isinstance(given, dict) else []
        if unknown:
            known = ", ".join(cls.model_fields) or "none"
            raise ValueError(f"{unknown[0][:80]!r} is not known here: the fields of this command are {known}")
        return given


class NoParams(Known):
    pass


class StartParams(Known):
    """What the run is given."""

    input: JsonValue = Field(default=None, description="Checked against the version's `input_schema`.")
    tags: tuple[Tag, ...] = Field(default=(), max_length=50)
    metadata: dict[Tag, Annotated[str, Field(max_length=1_000)]] = Field(default={}, max_length=50)
    environment: str = Field(
        default="production", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="`testing` and `evaluation`: left out of lists."
    )
    use_cache: UseCache = "auto"


class StopParams(Known):
    """`immediate` cancels what is in flight; `graceful` lets it end, for `drain_timeout_s` at most."""

    mode: Literal["immediate", "graceful"] = "immediate"
    drain_timeout_s: float | None = Field(default=None, ge=0, le=31_536_000, allow_inf_nan=False)


class CompleteTaskParams(Known):
    """The decision; `result` edits what was proposed."""

    task_id: TaskId
    approved: bool
    result: JsonObject | None = None
    comment: str | None = Field(default=None, max_length=10_000)


class SendMessageParams(Known):
    """A message with the same `message_id` counts once."""

    name: str = Field(min_length=1, max_length=200)
    body: JsonValue = None
    message_id: str | None = Field(default=None, min_length=1, max_length=200)


class DataParams(Known):
    """What a person says. Data with the same `message_id` counts once."""

    message: Text | None = Field(default=None, max_length=100_000, description="What the person says.")
    variables: JsonObject = Field(default={}, description="Set in the conversation's `vars` before it goes on.")
    step: Text | None = Field(
        default=None, min_length=1, max_length=1_000, description="The conversation step's path, if the run has several under way."
    )
    message_id: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _refuse_nothing(self) -> Self:
        if self.message is None and not self.variables:
            raise ValueError("there is nothing to tell the conversation: give message (what the person says), variables, or both")
        return self


class StartCommand(Known):
    """Start a run of the active version, or of `version`."""

    command: Literal["start"]
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    params: StartParams = StartParams()


class PauseCommand(Known):
    """Nothing new starts; steps in flight may end."""

    command: Literal["pause"]
    run_id: RunId
    params: NoParams = NoParams()


class ResumeCommand(Known):
    """Go on with a paused run."""

    command: Literal["resume"]
    run_id: RunId
    params: NoParams = NoParams()


class StopCommand(Known):
    """End the run."""

    command: Literal["stop"]
    run_id: RunId
    params: StopParams = StopParams()


class CompleteTaskCommand(Known):
    """Decide what a run asks a person, once. Needs the permission `task:complete`."""

    command: Literal["complete_task"]
    run_id: RunId
    params: CompleteTaskParams


class SendMessageCommand(Known):
    """Tell the run something for which it waits, or will."""

    command: Literal["send_message"]
    run_id: RunId
    params: SendMessageParams


class DataCommand(Known):
    """Tell a run's conversation what the person says. It is the message that the conversation step waits for, or will."""

    command: Literal["data"]
    run_id: RunId
    params: DataParams


Steering = PauseCommand | ResumeCommand | StopCommand | CompleteTaskCommand | SendMessageCommand | DataCommand
AnyCommand = Annotated[StartCommand | Steering, Field(discriminator="command")]


@routes.post("/v1/workflows/{key}/command", status_code=202, responses=answers(Accepted, "The command is durable.", 202))
@needs("workflow:run", "task:complete")
async def command_workflow(
    key: Key, body: Annotated[AnyCommand, FastApiBody()], request: Request, caller: Caller, server: Server
) -> Answer:
    """Start a run, or steer one. A command that changes nothing any more, like a second stop, is accepted all the same."""
    permission: Permission = "task:complete" if isinstance(body, CompleteTaskCommand) else "workflow:run"
    check(caller, permission)
    if isinstance(body, StartCommand):
        row = await _start(server, caller, key, body, getattr(request.state, "run_id", None))
    else:
        row = await _steer(server, caller, key, body)
    request.state.run_id = row.run_id  # for the log
    return Answer(Accepted(run_id=row.run_id, status=row.status), 202, {"Location": f"/v1/runs/{row.run_id}"})


async def _start(server: Parts, caller: Principal, key: str, body: StartCommand, run_id: str | None) -> RunRow:
    version = await server.workflows.startable(caller.scope, key, body.version)
    request = StartRequest(
        version=version,
        input=body.params.input,
        run_id=run_id,
        org_id=caller.scope.org_id,
        project_id=caller.scope.project_id,
        tags=body.params.tags,
        metadata=body.params.metadata,
        environment=body.params.environment,
        use_cache=body.params.use_cache,
        actor=caller.actor,
    )
    try:
        return await server.runs.start(request)
    except InvalidInput as exc:
        placed = (msgspec.structs.replace(problem, pointer=f"/params/input{problem.pointer}") for problem in exc.problems)
        raise InvalidInput(exc.message, hint=exc.hint, problems=tuple(placed)) from exc


async def _steer(server: Parts, caller: Principal, key: str, body: Steering) -> RunRow:
    workflow = await server.workflows.get(caller.scope, key)
    row = await server.runs.row(caller.scope, body.run_id)
    if row.workflow_id != workflow.id:
        raise NotFound(f"there is no run {body.run_id!r}")
    if isinstance(body, DataCommand):
        return await server.runs.command(caller.scope, body.run_id, await _said(server, caller, body))
    return await server.runs.command(caller.scope, body.run_id, _command(body, caller.actor))


async def _said(server: Parts, caller: Principal, body: DataCommand) -> SendMessage:
    params = body.params
    path = await conversation_of(server.runs, caller.scope, body.run_id, params.step)
    said = {"message": params.message, "variables": params.variables}
    return SendMessage(actor=caller.actor, name=path, body=said, message_id=params.message_id)


def _command(body: PauseCommand | ResumeCommand | StopCommand | CompleteTaskCommand | SendMessageCommand, actor: str) -> Command:
    match body:
        case PauseCommand():
            return PauseRun(actor=actor)
        case ResumeCommand():
            return ResumeRun(actor=actor)
        case StopCommand(params=params):
            return StopRun(actor=actor, mode=params.mode, drain_timeout_s=params.drain_timeout_s)
        case CompleteTaskCommand(params=params):
            return CompleteTask(actor=actor, task_id=params.task_id, approved=params.approved, result=params.result, comment=params.comment)
        case SendMessageCommand(params=params):
            return SendMessage(actor=actor, name=params.name, body=params.body, message_id=params.message_id)
