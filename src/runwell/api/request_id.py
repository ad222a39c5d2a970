"""An id for every request: in its answer, in its log lines, in its problems."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

_HEADER: Final = b"x-request-id"
_STARTS: Final = ("http.response.start", "websocket.http.response.start", "websocket.accept")
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Takes the caller's `X-Request-Id` when it is plain, or makes one, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        request_id = given.decode() if _GIVEN.fullmatch(given) else f"req_{uuid7().hex}"
        scope["runwell.request_id"] = request_id

        async def sending(message: Message) -> None:
            if message["type"] in _STARTS:
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, sending)


def request_id_of(scope: MutableMapping[str, Any]) -> str:
    """Return the request's id; empty for one that did not pass `RequestId`."""
    request_id: str = scope.get("runwell.request_id", "")
    return request_id
