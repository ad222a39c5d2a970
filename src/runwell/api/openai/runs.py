"""From a call to the run that it is."""

from typing import Any

import msgspec
from fastapi import Request

from runwell.api.parts import Parts
from runwell.model.ids import new_id
from runwell.model.principal import Principal
from runwell.ports.models import ChatRequest
from runwell.ports.runs import StartRequest
from runwell.query.live_run import LiveRun

TRIGGER = "openai"


async def called(request: Request, caller: Principal, server: Parts, asked: ChatRequest, metadata: dict[str, str]) -> LiveRun:
    """Return the run that answers the call; it is not open yet."""
    version = await server.chats.version(caller.scope)
    start = StartRequest(
        version=version,
        input=as_input(asked),
        org_id=caller.scope.org_id,
        project_id=caller.scope.project_id,
        trigger=TRIGGER,
        metadata=metadata,
        actor=caller.actor,
    )
    run_id: str = getattr(request.state, "run_id", None) or new_id("run")
    request.state.run_id = run_id  # for the log
    return LiveRun(server.runs, server.journal, start, run_id)


def as_input(asked: ChatRequest) -> Any:
    return msgspec.to_builtins(asked)
