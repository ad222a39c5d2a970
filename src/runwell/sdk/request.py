"""A request to the server as data, and its answer."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
from pydantic_core import PydanticSerializationError, to_jsonable_python

from runwell.model.errors import InvalidInput

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Given = str | int | bool | tuple[str, ...] | None
"""What a query parameter may be; None leaves it out."""

_MAX_ID: Final = 300


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`query` and `headers` are pairs, ready to send. `read_timeout_s`: how long the answer may be silent; None: as usual."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: bytes | None = None
    read_timeout_s: float | None = None
    only_reads: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does.

        A POST has an idempotency key. One with a precondition would find its own change and take it for somebody else's.
        """
        if self.method == "POST":
            return self.only_reads or "Idempotency-Key" in self.headers
        return self.method != "PATCH" and "If-Match" not in self.headers


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Header names are in lower case. The `body` of a stream that was opened is empty."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


def request(method: Method, *path: str, query: Mapping[str, Given] | None = None, body: Any = None, if_match: str | None = None) -> Request:
    """Return the request for `/v1/` and these parts of a path. Raises `InvalidInput` for what cannot be sent."""
    headers = {"Accept": "application/json, application/problem+json"}
    if method == "POST":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if body is not None:
        headers["Content-Type"] = "application/json"
    if if_match is not None:
        headers["If-Match"] = _header(if_match)
    return Request(
        method=method,
        path="/v1/" + "/".join(_quoted(part) for part in path),
        query=tuple(_pairs(query or {})),
        headers=headers,
        body=None if body is None else encoded(body),
    )


def question(*path: str, body: Any) -> Request:
    """Return a POST that only asks something: it needs no idempotency key to be sent again."""
    asked = request("POST", *path, body=body)
    headers = {name: value for name, value in asked.headers.items() if name != "Idempotency-Key"}
    return msgspec.structs.replace(asked, headers=headers, only_reads=True)


def with_body(asked: Request, body: Any) -> Request:
    """Return the request with another body. It must only read, or have no idempotency key."""
    return msgspec.structs.replace(asked, body=encoded(body))


def encoded(body: Any) -> bytes:
    """Return the JSON of data. Raises `InvalidInput` for what is none."""
    try:
        content = msgspec.json.encode(body)
        if b"null" in content:  # so NaN and infinity are written, too, which must not pass for nothing
            json.dumps(msgspec.to_builtins(body), allow_nan=False)
        return content
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as exc:
        raise InvalidInput(f"this is no JSON data: {exc}", hint="give dicts, lists, text, numbers, true, false and None") from exc


def as_input(value: Any) -> Any:
    """Return a run's input as JSON data: models, dataclasses and dates become what they say. Raises `InvalidInput` for what is none."""
    try:
        data = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError, RecursionError) as exc:
        raise InvalidInput(f"the input is no JSON data: {exc}", hint="give models, dicts, lists, text and numbers") from exc
    encoded(data)
    return data


def _quoted(part: str) -> str:
    """Return a part of a path; what would lead to another path is refused."""
    if not part.strip(". ") or len(part) > _MAX_ID:
        raise InvalidInput(f"{part!r:.80} names nothing", hint="give an id or a slug")
    try:
        return quote(part, safe="")
    except UnicodeEncodeError as exc:
        raise InvalidInput(f"{part!r:.80} is no Unicode text", hint="give an id or a slug") from exc


def _pairs(query: Mapping[str, Given]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                pairs.append((name, _text(one)))
    return pairs


def _text(value: str | int | bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInput(f"{text!r:.80} is no Unicode text", hint="take out the lone surrogates") from exc
    return text


def _header(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise InvalidInput(f"{text!r:.80} is no etag", hint="take `draft_etag` of the workflow")
    return text
