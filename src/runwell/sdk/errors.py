"""Errors that only a client of the server meets, and which error a problem document stands for.

RunwellError
├── ServerUnreachable    no answer came
├── ServerFailed         the server failed at the request, or its answer makes no sense
├── Unauthenticated      no key, or none that counts
├── Forbidden            the key does not allow this
├── TooManyRequests      still too many after all retries
├── StreamCut            a stream ended before its time, and trying again did not help
└── RunNotEnded          `wait` had no more time

`NotFound`, `InvalidInput`, `InvalidDocument`, `CommandRefused`, `Refused`, `Outdated` and `JournalUnavailable` are those of
`runwell.model.errors`. All that the server told have its `code` and the `request_id` under which its log has it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from runwell.model.errors import (
    CommandRefused,
    InvalidDocument,
    InvalidInput,
    JournalUnavailable,
    NotFound,
    Outdated,
    Problem,
    Refused,
    RunwellError,
)


class ServerUnreachable(RunwellError):
    """The server did not answer."""

    code = "SERVER_UNREACHABLE"

    def __init__(self, message: str | None = None, *, hint: str | None = None, sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent
        """Whether the server may have got the request."""


class ServerFailed(RunwellError):
    """The server failed at the request."""


class Unauthenticated(RunwellError):
    """The server wants an API key."""

    code = "UNAUTHENTICATED"


class Forbidden(RunwellError):
    """The API key does not allow this."""

    code = "FORBIDDEN"


class TooManyRequests(RunwellError):
    """Too many requests."""

    code = "TOO_MANY_REQUESTS"


class StreamCut(RunwellError):
    """The stream ended before its time."""

    code = "STREAM_CUT"


class RunNotEnded(RunwellError):
    """The run has not ended in the time that there was."""

    code = "RUN_NOT_ENDED"


_BY_CODE: Final[dict[str, type[RunwellError]]] = {
    kind.code: kind for kind in (InvalidDocument, CommandRefused, JournalUnavailable, Refused, Outdated)
}

_BY_STATUS: Final[dict[int, type[RunwellError]]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Refused,
    410: NotFound,
    412: Outdated,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    428: Outdated,
    429: TooManyRequests,
}


class _Told(msgspec.Struct):
    """What matters of a problem document."""

    code: str
    detail: str
    request_id: str | None = None
    hint: str | None = None
    errors: tuple[Problem, ...] = ()


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> RunwellError:
    """Return the error that an answer with this status tells."""
    try:
        told = msgspec.json.decode(body, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # from a proxy, or from another server
        words = f"{status} {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else str(status)
        told = _Told(code="UNEXPECTED_ANSWER", detail=f"the server answered {words}", hint="is it a Runwell, and nothing in between?")
    error = _error(_kind(status, told.code), told)
    error.code = told.code
    error.request_id = told.request_id or headers.get("x-request-id")
    return error


def _kind(status: int, code: str) -> type[RunwellError]:
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or (ServerFailed if status >= 500 or status < 400 else Refused)


def _error(kind: type[RunwellError], told: _Told) -> RunwellError:
    if issubclass(kind, InvalidInput):
        return kind(told.detail, hint=told.hint, problems=told.errors)
    return kind(told.detail, hint=told.hint)
