"""Errors that only the HTTP interface knows, and which status each error answers with.

RunwellError
├── Unauthenticated        no credentials, or none that count
├── Forbidden              known, but not allowed this
├── Conflict               the request contradicts what is there, or one like it is under way
├── PreconditionFailed     somebody changed it first
├── PreconditionRequired   an `If-Match` is wanted
├── Malformed              the request cannot be read
├── PayloadTooLarge
├── UnsupportedMediaType
├── TooManyRequests
└── UpstreamFailed         what lies behind a connection did not answer as it should
"""

from typing import ClassVar, Final

from runwell.model.errors import (
    CommandRefused,
    DataDirectoryBusy,
    InvalidInput,
    JournalUnavailable,
    NotFound,
    NotIdentified,
    Outdated,
    PositionConflict,
    ProviderUnavailable,
    QueueFull,
    Refused,
    RunStoreUnavailable,
    RunwellError,
    SealBroken,
    SearchTooLarge,
)


class ApiError(RunwellError):
    """An error with a status of its own; `headers` go out with the answer."""

    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, *, hint: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.headers = headers or {}


class Unauthenticated(ApiError):
    """No valid credentials came with the request."""

    code, status = "UNAUTHENTICATED", 401


class Forbidden(ApiError):
    """The credentials do not allow this."""

    code, status = "FORBIDDEN", 403


class Conflict(ApiError):
    """The request contradicts the current state."""

    code, status = "CONFLICT", 409


class PreconditionFailed(ApiError):
    """It was changed meanwhile."""

    code, status = "PRECONDITION_FAILED", 412


class PayloadTooLarge(ApiError):
    """The request is too large."""

    code, status = "PAYLOAD_TOO_LARGE", 413


class Malformed(ApiError):
    """The request cannot be read."""

    code, status = "MALFORMED_REQUEST", 400


class UnsupportedMediaType(ApiError):
    """The request is in a form that is not read here."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


class PreconditionRequired(ApiError):
    """The request needs an If-Match header."""

    code, status = "PRECONDITION_REQUIRED", 428


class TooManyRequests(ApiError):
    """Too many requests."""

    code, status = "TOO_MANY_REQUESTS", 429


class UpstreamFailed(ApiError):
    """What lies behind the connection did not answer as it should."""

    code, status = "UPSTREAM_FAILED", 502


_STATUSES: Final[dict[type[RunwellError], int]] = {
    InvalidInput: 422,
    NotFound: 404,
    NotIdentified: 401,
    ProviderUnavailable: 503,
    Refused: 409,
    Outdated: 412,
    SealBroken: 409,
    CommandRefused: 409,
    QueueFull: 429,
    PositionConflict: 409,
    JournalUnavailable: 503,
    RunStoreUnavailable: 503,
    SearchTooLarge: 422,
    DataDirectoryBusy: 503,
}


def status_of(error: RunwellError) -> int:
    """Return the HTTP status with which the error answers; 500 for one that no caller caused."""
    if isinstance(error, ApiError):
        return error.status
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def headers_of(error: RunwellError) -> dict[str, str] | None:
    """Return the headers that go out with the error."""
    if isinstance(error, ApiError):
        return error.headers
    return {"Retry-After": "1"} if isinstance(error, QueueFull) else None
