"""No request body over the limit is read to its end."""

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runwell.api.problems import problem_response

_MOST_DIGITS: Final = 18
"""More digits announce more than any limit; and of thousands Python makes no number."""


class BodyLimit:
    """Answers 413 to a request whose body is larger than `limit` bytes, announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and (len(announced) > _MOST_DIGITS or int(announced) > self._limit):
            await self._refuse(scope, receive, send)
            return
        seen, begun = 0, False

        async def receiving() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise _TooLarge
            return message

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        except _TooLarge:
            if begun:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"the request's body is larger than {self._limit} bytes"
        hint = "send less, or ask the operator to raise RUNWELL_MAX_BODY_BYTES"
        response = problem_response(Request(scope), 413, "PAYLOAD_TOO_LARGE", detail, hint=hint, headers={"Connection": "close"})
        await response(scope, receive, send)


class _TooLarge(BaseException):
    """Passes every handler on its way out."""
