"""Errors as OpenAI writes them, with the statuses by which its clients choose their exceptions."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runwell.api.answers import ANSWER_TYPES, Answer
from runwell.api.errors import status_of
from runwell.api.problems import answered
from runwell.api.route import GuardedRoute, Handler
from runwell.model.errors import ErrorInfo, RunwellError
from runwell.model.model_call import Reason

RUN_ID: Final = "x-runwell-run-id"

_NO_RETRY: Final = {"x-should-retry": "false"}
"""What OpenAI's clients heed: they would send again what got 409 or a status from 500 on."""

_KINDS: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}

_REASONS: Final[dict[Reason, tuple[int, str]]] = {
    "rate_limit": (429, "rate_limit_exceeded"),
    "auth": (502, "provider_auth"),
    "context_length": (400, "context_length_exceeded"),
    "content_filter": (400, "content_filter"),
    "overloaded": (503, "overloaded"),
    "timeout": (504, "timeout"),
    "connection": (502, "connection"),
    "bad_request": (400, "bad_request"),
    "invalid_response": (502, "invalid_response"),
    "invalid_output": (502, "invalid_output"),
    "unknown_model": (404, "model_not_found"),
    "missing_key": (400, "missing_key"),
}
"""What came of the model call. A key that the provider refused is not the caller's: that one was good enough for Runwell."""

_CODES: Final[dict[str, int]] = {
    "LLM_INVALID_OUTPUT": 502,
    "CONNECTION_MISSING": 400,
    "STEP_TIMED_OUT": 504,
    "RUN_TIMED_OUT": 504,
    "RUN_STOPPED": 409,
    "RUN_WAITING": 409,
    "INSUFFICIENT_CREDITS": 429,
    "INTERNAL_ERROR": 500,
    "STEP_CRASHED": 500,
}

_FINAL: Final = frozenset({"provider_auth", "run_stopped", "run_waiting", "insufficient_credits", "llm_invalid_output"})


_SHOWN: Final = 5
"""So many problems of a request are told at most."""


class OpenAIError(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is for programs; `param` is the part of the request that is at fault."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """An error as OpenAI's clients read it."""

    error: OpenAIError


ANSWER_TYPES[OpenAIErrorBody.__name__] = OpenAIErrorBody


class Failure(msgspec.Struct, frozen=True):
    """Why a call came to nothing."""

    status: int
    error: OpenAIError
    headers: Mapping[str, str] = {}

    def answer(self, run_id: str) -> Response:
        return Answer(OpenAIErrorBody(error=self.error), self.status, {**self.headers, RUN_ID: run_id})


class OpenAIRoute(GuardedRoute):
    """Every error of the operation goes out in OpenAI's form."""

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        ref = {"$ref": "#/components/schemas/OpenAIErrorBody"}
        self.responses.setdefault("default", {"description": "An error.", "content": {"application/json": {"schema": ref}}})

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def speaking(request: Request) -> Response:
            return _translated(await answered(request, handler))

        return speaking


def failure_of(error: ErrorInfo | RunwellError) -> Failure:
    """Return the failure that a run's error is to its caller, or one of Runwell's within a stream."""
    if isinstance(error, RunwellError):
        return Failure(status_of(error), _error(status_of(error), str(error), error.code.lower()))
    details: dict[str, Any] = error.details or {}
    status, code = _REASONS.get(details.get("reason", ""), (0, ""))
    if error.code != "LLM_REQUEST_FAILED" or not status:
        status, code = _CODES.get(error.code, 502), error.code.lower()
    wait = details.get("retry_after_s")
    headers = {"retry-after": str(math.ceil(wait))} if isinstance(wait, int | float) and wait >= 0 else {}
    return Failure(status, _error(status, error.message, code), {**headers, **(_NO_RETRY if code in _FINAL else {})})


def _error(status: int, message: str, code: str | None, param: str | None = None) -> OpenAIError:
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    return OpenAIError(message=message, type=kind, code=code, param=param)


def _translated(response: Response) -> Response:
    """Return a problem document as OpenAI's error, with 400 for what cannot be processed; anything else as it is."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return response
    problem = msgspec.json.decode(bytes(response.body))
    status = 400 if problem["status"] == 422 else problem["status"]
    places = problem.get("errors", [])
    hint = (places[0].get("hint") if len(places) == 1 else None) or problem.get("hint")
    told = problem["detail"] if hint is None else f"{problem['detail']} ({hint})"
    if len(places) > 1:
        told = "; ".join(f"{_param(place)}: {place['message']}" for place in places[:_SHOWN])
    param = _param(places[0]) if places else None
    kept = {name: value for name, value in response.headers.items() if name not in ("content-type", "content-length")}
    return Answer(OpenAIErrorBody(error=_error(status, told, problem["code"].lower(), param)), status, kept)


def _param(place: dict[str, Any]) -> str | None:
    """Return the part of the request that a problem is about, in OpenAI's way of writing it."""
    return place.get("pointer", "").strip("/").replace("/", ".") or None
