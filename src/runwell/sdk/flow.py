"""What the client does, without I/O: generators that say what is to be done next and are given what came of it.

Each operation is written once, as a `Flow`. Two drivers (`driving`) carry flows out, one waiting, one with `await`.
A step that could not be done is thrown into the flow as `ServerUnreachable`.
"""

import random
from collections.abc import Generator
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from runwell.model.errors import RunwellError
from runwell.sdk.connection import Connection
from runwell.sdk.errors import ServerFailed, ServerUnreachable, error_of
from runwell.sdk.request import Reply, Request

T = TypeVar("T")


class Send(msgspec.Struct, frozen=True):
    """Send the request; gives its `Reply`."""

    request: Request


class Open(msgspec.Struct, frozen=True):
    """Send the request and leave its answer to be read in pieces; gives a `Reply`, whole when it is a refusal."""

    request: Request


class Read(msgspec.Struct, frozen=True):
    """Gives the next bytes of what was opened; none at its end."""


class Rest(msgspec.Struct, frozen=True):
    """Let so many seconds pass."""

    seconds: float


class Emit(msgspec.Struct, frozen=True):
    """Hand something out."""

    item: Any


Step: TypeAlias = Send | Open | Read | Rest | Emit
Flow: TypeAlias = Generator[Step, Any, T]


class Course(Generic[T]):
    """A flow under way: the `step` that is to be done now, None once it is over."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.step: Step | None = None
        self.give(None)

    def give(self, answer: Any) -> None:
        """Say what came of the step. Raises what ends the flow."""
        try:
            self.step = self._flow.send(answer)
        except StopIteration as end:
            self.step, self._result = None, end.value

    def fail(self, error: RunwellError) -> None:
        """Say that the step could not be done."""
        try:
            self.step = self._flow.throw(error)
        except StopIteration as end:
            self.step, self._result = None, end.value

    @property
    def result(self) -> T:
        result: T = self._result
        return result


def ask(connection: Connection, request: Request, kind: type[T]) -> Flow[T]:
    """Return what the server answers, decoded."""
    reply = yield from exchange(connection, request)
    return decoded(reply, kind)


def tell(connection: Connection, request: Request) -> Flow[None]:
    """Send what has no answer but that it was done."""
    yield from exchange(connection, request)


def exchange(connection: Connection, request: Request) -> Flow[Reply]:
    """Return the server's answer to the request, repeated as often as is allowed and safe. Raises what the server refuses with."""
    tried, lost = 0, False
    while True:
        tried += 1
        try:
            reply: Reply = yield Send(request)
        except ServerUnreachable as exc:
            if tried > connection.retries or (exc.sent and not request.repeatable):
                raise
            lost = lost or exc.sent
            yield Rest(connection.pause_s(tried, random.random()))
            continue
        if 200 <= reply.status < 300 or (lost and reply.status == 404 and request.method == "DELETE"):
            return reply
        if tried > connection.retries or not worth_repeating(request, reply):
            raise error_of(reply.status, reply.headers, reply.body)
        lost = lost or reply.status >= 500
        yield Rest(max(connection.pause_s(tried, random.random()), wish_of(reply)))


def worth_repeating(request: Request, reply: Reply) -> bool:
    """Whether the same request may have a better answer later: it is like one under way, one of too many, or the server failed."""
    if reply.status == 429:
        return True
    if reply.status == 409:
        return request.repeatable and "retry-after" in reply.headers
    return reply.status >= 500 and reply.status != 501 and request.repeatable


def wish_of(reply: Reply) -> float:
    """Return for how many seconds the server wants to be left alone."""
    text = reply.headers.get("retry-after", "")
    return float(min(int(text), 3_600)) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0


def decoded(reply: Reply, kind: type[T]) -> T:
    """Return the answer's data. Raises `ServerFailed` for an answer of another shape."""
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        error = ServerFailed(f"the server's answer makes no sense here: {exc}", hint="is it a Runwell, of this client's version or newer?")
        error.request_id = reply.headers.get("x-request-id")
        raise error from exc
