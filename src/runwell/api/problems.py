"""Every error as a problem document (RFC 9457), with the request's id and without a trace of our insides."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from runwell.api.answers import ProblemDetails
from runwell.api.errors import headers_of, status_of
from runwell.api.request_id import request_id_of
from runwell.api.validation_words import pointer_start, words_for
from runwell.model.errors import InvalidInput, Problem, RunwellError

_log = structlog.get_logger("runwell.api")


def install_problems(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(RunwellError, _runwell_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def problem_response(
    request: HTTPConnection,
    status: int,
    code: str,
    detail: str,
    *,
    hint: str | None = None,
    errors: tuple[Problem, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the response of a problem."""
    problem = ProblemDetails(
        type=f"/problems/{code.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=request_id_of(request.scope),
        hint=hint,
        errors=errors,
    )
    return Response(msgspec.json.encode(problem), status, headers, "application/problem+json")


async def _runwell_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RunwellError)
    return await error_response(request, exc)


async def error_response(connection: HTTPConnection, exc: RunwellError) -> Response:
    """Return the response to a request, or to one for an upgrade, that ended in this error."""
    status = status_of(exc)
    if status == 500:
        return await _unexpected(connection, exc)
    errors = exc.problems if isinstance(exc, InvalidInput) else ()
    return problem_response(connection, status, exc.code, exc.message, hint=exc.hint, errors=errors, headers=headers_of(exc))


async def answered(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    """Return the handler's response, or that of the error it raised, as the application would answer it."""
    try:
        return await handler(request)
    except RunwellError as exc:
        return await _runwell_error(request, exc)
    except RequestValidationError as exc:
        return await _bad_request(request, exc)
    except HTTPException as exc:
        return await _http_error(request, exc)


async def _bad_request(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    errors = tuple(_problem(error, exc.body) for error in exc.errors())
    alone = errors[0] if len(errors) == 1 else None
    detail = "the request is not valid" if alone is None else f"the request is not valid: {alone.message}"
    hint = "see `errors` for each place" if alone is None or alone.hint is None else alone.hint
    return problem_response(request, 422, "INVALID_REQUEST", detail, hint=hint, errors=errors)


def _problem(error: Any, body: Any) -> Problem:
    where, *path = error["loc"] or ("body",)
    if where == "body":
        path = _placed(path, body, missing=error["type"] == "missing")
    pointer = pointer_start(str(where)) + "".join(f"/{_escaped(part)}" for part in path)
    message, hint = words_for(error, str(where), path)
    return Problem(code=error["type"], message=message, pointer=pointer, hint=hint)


def _placed(path: list[Any], body: Any, *, missing: bool) -> list[Any]:
    """Return the path without what pydantic adds: which choice of a union it speaks of."""
    placed = []
    for index, part in enumerate(path):
        within = part in body if isinstance(body, dict) else isinstance(body, list) and isinstance(part, int) and part < len(body)
        if within:
            body = body[part]
        elif not (missing and index == len(path) - 1):
            continue
        placed.append(part)
    return placed


def _escaped(part: object) -> str:
    return str(part).encode(errors="replace").decode().replace("~", "~0").replace("/", "~1")


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    code = HTTPStatus(exc.status_code).name
    hint = "see /openapi.json for what there is" if exc.status_code in (404, 405) else None
    detail = "there is nothing at this path" if exc.status_code == 404 else str(exc.detail)
    return problem_response(request, exc.status_code, code, detail, hint=hint, headers=dict(exc.headers or {}))


async def _unexpected(request: HTTPConnection, exc: Exception) -> Response:
    _log.error("request failed", request_id=request_id_of(request.scope), path=request.url.path, exc_info=exc)
    hint = "look for the request id in the server's log, and report it"
    return problem_response(request, 500, "INTERNAL_ERROR", "the server failed at this request: a defect of Runwell", hint=hint)
