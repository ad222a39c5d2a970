"""Live events of a run or a workflow, as server-sent events or over a WebSocket: one envelope for both.

Each message is a JSON object with a `type`: an event as `GET .../events` has it, with its `cursor`; or `delta`,
`heartbeat`, `gap`, `pong`, `end` (`query/messages.py`).
"""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Header, Query, Request, WebSocket
from starlette.requests import HTTPConnection
from starlette.responses import Response

from runwell.api.errors import ApiError
from runwell.api.ids import WorkflowKey
from runwell.api.parts import Parts, parts_of
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import FoundRun, on_run
from runwell.api.sockets import deny, let_in, serve
from runwell.api.sse import EventStream
from runwell.model.errors import RunwellError
from runwell.model.principal import Principal
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL
from runwell.query.finding import find_workflow
from runwell.query.following import Check
from runwell.query.messages import Cursor, EndReason, parse_cursor, parse_seq
from runwell.query.places import RunPlace, WorkflowPlace

routes = router("streams")

MAX_KEY: Final = 200
"""Characters of a path's id that are looked at where no OpenAPI parameter bounds it."""

TICKET_LASTS_S: Final = 900.0
"""A ticket shows who opened a socket, and nothing afterwards whether they still may read: so the stream ends, to be opened anew."""

_SSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The events, each as `id: <cursor>` and `data: <JSON>`, and control messages without an id.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}
_SSE_RUN: Final[dict[int | str, dict[str, Any]]] = {**_SSE, 204: {"description": "The run has ended, and nothing is left to send."}}

AfterSeq = Annotated[str | None, Query(max_length=40, description="Only events with a `seq` over this one.", examples=["17"])]
AfterCursor = Annotated[
    str | None, Query(max_length=40, description="Go on after this `cursor`; `0`: from the beginning. Without it: from now.")
]
LastEventId = Annotated[str | None, Header(max_length=40, description="What a browser sends when it reconnects; goes before `after`.")]


@on_run(routes, "/stream", _SSE_RUN, response_class=Response)
@needs("workflow:read")
async def stream_run(
    run: FoundRun, request: Request, caller: Caller, server: Server, after: AfterSeq = None, last_event_id: LastEventId = None
) -> Response:
    """Send the run's events from its beginning or after one, then those that come, until the run has ended (server-sent events).

    Interrupted, it goes on with `Last-Event-ID` or `after` without a hole. A `gap` says which events could not be
    had; `end` is the last message, with the reason.
    """
    seq = parse_seq(last_event_id, "/header/last-event-id") if last_event_id else parse_seq(after) if after else 0
    if last_event_id and run.status in TERMINAL and seq == run.seq:
        return Response(status_code=204)  # what a browser takes as: do not connect again
    return EventStream(server.streams, RunPlace(server.journal, run.run_id, seq), reading_check(server, request, caller, run.run_id))


@routes.get("/v1/workflows/{workflow_id}/stream", response_class=Response, responses=_SSE)
@needs("workflow:read")
async def stream_workflow(
    workflow_id: WorkflowKey, request: Request, caller: Caller, server: Server, after: AfterCursor = None, last_event_id: LastEventId = None
) -> Response:
    """Send the events of all runs of the workflow as they come. The same path opens a WebSocket with the same messages.

    It goes on after a `cursor` without a hole, also when the server was started anew meanwhile. Browsers that cannot send
    a key open the WebSocket with `?ticket=`. The socket takes `{"type": "ping"}` and nothing else.
    """
    known = await find_workflow(server.definitions, caller.scope, workflow_id)
    place = WorkflowPlace(server.journal, known, _cursor(last_event_id, after))
    return EventStream(server.streams, place, reading_check(server, request, caller, known))


@routes.websocket("/v1/workflows/{workflow_id}/stream")
async def open_workflow_socket(socket: WebSocket) -> None:
    parts = parts_of(socket.app)
    query = socket.query_params
    try:
        caller = await let_in(socket, parts, "workflow:read", query.get("ticket"))
        known = await find_workflow(parts.definitions, caller.scope, socket.path_params["workflow_id"][:MAX_KEY])
        place = WorkflowPlace(parts.journal, known, _cursor(None, query.get("after")))
    except RunwellError as exc:
        await deny(socket, exc)
        return
    by_ticket = query.get("ticket") is not None and parts.redeem_ticket is not None
    await serve(socket, parts.streams, place, reading_check(parts, socket, caller, known, by_ticket=by_ticket))


def _cursor(last_event_id: str | None, after: str | None) -> Cursor | None:
    """Return where a workflow's stream goes on; None is from now."""
    if last_event_id:
        return parse_cursor(last_event_id, "/header/last-event-id")
    return parse_cursor(after) if after else None


def reading_check(server: Parts, connection: HTTPConnection, caller: Principal, about: str, *, by_ticket: bool = False) -> Check:
    """Return what tells, while a stream lasts, whether its reader may still read it and it is still there."""
    until = asyncio.get_running_loop().time() + TICKET_LASTS_S

    async def check() -> EndReason | None:
        if by_ticket:
            if asyncio.get_running_loop().time() > until:
                return "ticket_expired"
        elif not await _may_still_read(server, connection, caller):
            return "forbidden"
        return None if await _is_there(server, caller.scope, about) else "gone"

    return check


async def _may_still_read(server: Parts, connection: HTTPConnection, caller: Principal) -> bool:
    try:
        now = await server.authenticate(connection)
    except ApiError:
        return False
    return now is not None and now.scope == caller.scope and "workflow:read" in now.permissions


async def _is_there(server: Parts, scope: Scope, about: str) -> bool:
    if about.startswith("run_"):
        return await server.journal.row(about) is not None
    return await server.definitions.workflow_id_of(scope, about) is not None
