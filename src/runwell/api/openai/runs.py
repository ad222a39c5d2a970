"""From a call to the run that it is: one of a model, or one of an agent."""

from typing import Any, Final, NamedTuple

import msgspec
from fastapi import Request

from runwell.api.errors import ApiError
from runwell.api.openai.contents import unsupported
from runwell.api.parts import Parts
from runwell.model.errors import NotFound
from runwell.model.ids import new_id
from runwell.model.principal import Principal
from runwell.model.scope import Scope
from runwell.ports.journal import Version
from runwell.ports.models import ChatRequest
from runwell.ports.runs import StartRequest
from runwell.query.live_run import LiveRun

TRIGGER: Final = "openai"
AGENT: Final = "agent:"


class ModelNotFound(ApiError):
    """Nobody answers for the model's name."""

    code, status = "MODEL_NOT_FOUND", 404


class _Asked(NamedTuple):
    version: Version
    input: Any
    history: list[dict[str, Any]] | None = None


async def called(request: Request, caller: Principal, server: Parts, asked: ChatRequest, metadata: dict[str, str]) -> LiveRun:
    """Return the run that answers the call; it is not open yet."""
    told = await _told(server, caller.scope, asked)
    start = StartRequest(
        version=told.version,
        input=told.input,
        history=told.history,
        org_id=caller.scope.org_id,
        project_id=caller.scope.project_id,
        trigger=TRIGGER,
        metadata=metadata,
        actor=caller.actor,
    )
    run_id: str = getattr(request.state, "run_id", None) or new_id("run")
    request.state.run_id = run_id  # for the log
    return LiveRun(server.runs, server.journal, start, run_id)


async def _told(server: Parts, scope: Scope, asked: ChatRequest) -> _Asked:
    if not asked.model.startswith(AGENT):
        return _Asked(await server.chats.version(scope), msgspec.to_builtins(asked))
    for name, given in (("tools", asked.tools), ("response_format", asked.output_schema)):
        if given:
            raise unsupported(f"/{name}", f"{name} is the agent's own", f"leave {name} out, or name a model")
    slug = asked.model.removeprefix(AGENT)
    try:
        version = await server.workflows.startable(scope, slug)
    except NotFound as exc:
        raise ModelNotFound(f"there is no agent {slug!r}", hint="GET /v1/models lists them") from exc
    if version.kind != "agent":
        raise ModelNotFound(f"{slug!r} is no agent", hint="GET /v1/models lists them")
    return _of_agent(version, asked)


def _of_agent(version: Version, asked: ChatRequest) -> _Asked:
    """Return what the agent is asked: the last message, read as JSON where that is an object. What was said before goes along."""
    last = asked.messages[-1].text
    only = len(asked.messages) == 1 and isinstance(asked.messages[0].content, str)
    return _Asked(version, _as_input(last), None if only else msgspec.to_builtins(asked.messages))


def _as_input(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, dict) else text
