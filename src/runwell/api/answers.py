"""Answers: msgspec structs as JSON, and their schemas in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from runwell.model.errors import Problem

_encoder = msgspec.json.Encoder()

REF: Final = "#/components/schemas/{name}"
ANSWER_TYPES: Final[dict[str, type]] = {}
"""Every struct that an operation answers with, by name; filled as routes are declared."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457). `code` is for programs, `detail` for people, `hint` says what to do.

    `errors` lists each thing wrong with the request, with a JSON pointer into it.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    hint: str | None = None
    errors: tuple[Problem, ...] = ()


class Answer(Response):
    """JSON of a struct or of plain data."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(_encoder.encode(content), status, dict(headers or {}))


class SecretAnswer(Answer):
    """An answer with something that opens a door. It is told once, and kept nowhere: not even for an `Idempotency-Key`."""

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status, {"Cache-Control": "no-store", **(headers or {})})


def answers(kind: type, description: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for an operation that answers with this struct."""
    ANSWER_TYPES[kind.__name__] = kind
    schema = {"$ref": REF.format(name=kind.__name__)}
    return {status: {"description": description, "content": {"application/json": {"schema": schema}}}}


def answers_or_streams(kind: type, description: str) -> dict[int | str, dict[str, Any]]:
    """As `answers`, for an operation that answers with server-sent events when it is asked to."""
    told = answers(kind, description)
    told[200]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    return told


def no_content(description: str) -> dict[int | str, dict[str, Any]]:
    return {204: {"description": description}}


def answer_schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all answers, for `components.schemas`."""
    _, components = msgspec.json.schema_components([*ANSWER_TYPES.values(), ProblemDetails], ref_template=REF)
    return dict(components)
