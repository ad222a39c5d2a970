"""The step `http`: one request, its answer checked and read."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from runwell.model.errors import StepError
from runwell.model.origins import permits
from runwell.model.scrubber import Scrubber
from runwell.model.step import Part, StepSpec
from runwell.ports.http import HttpRequest, HttpResponse
from runwell.ports.secrets import OpenConnection
from runwell.ports.steps import StepContext, StepType
from runwell.steps.http_checks import Problem, connection_problems, header_problems, method_problems, pair_problems, url_problems
from runwell.steps.http_connection import address_at, with_headers
from runwell.steps.http_message import (
    METHOD,
    Parse,
    form_content,
    full_url,
    header_fields,
    json_content,
    parse_of,
    parsed_json,
    retry_after_s,
    secret_in_url,
    shown_url,
    text_content,
    text_of,
)
from runwell.steps.secret_text import Revealed, reveal_secrets, tokens

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RETRYABLE: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
BODILESS: Final = frozenset({204, 205, 304})
MIN_TIMEOUT_S: Final = 30.0
EXCERPT_BYTES: Final = 2_048
CONTENTS: Final[Mapping[str, Callable[[Any], tuple[bytes, str]]]] = {"json": json_content, "form": form_content, "body": text_content}
"""The fields that make the body; a request has at most one."""

Status = Annotated[int, Field(ge=100, le=599)]


class HttpCall(Part):
    """What to send. At most one of `json`, `form` and `body`.

    With a `connection`, `url` may be what follows its base URL, as in `/tickets`; the whole must lie at one of its allowed origins.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    method: str = "GET"
    url: str
    headers: dict[str, str | int | float | bool | None] = {}
    query: dict[str, Any] = {}
    json_: Any = Field(default=None, alias="json")
    form: dict[str, Any] | None = None
    body: str | None = None
    connection: str | None = Field(default=None, description="a stored connection of the project: its headers are sent along")

    def content_fields(self) -> list[str]:
        """Return which of `json`, `form`, `body` the document sets; `json: null` is a body, the others may be null."""
        given = [("json", "json_" in self.model_fields_set), ("form", self.form is not None), ("body", self.body is not None)]
        return [name for name, is_given in given if is_given]


class HttpStep(StepSpec):
    """Send `request`. The result is `{status, headers, body}`; another status than expected fails the step.

    Without `timeout_s` the whole answer must come within 30 s.
    """

    templates = frozenset({"request"})
    secret_fields = frozenset({"request"})

    type: Literal["http"]
    request: HttpCall
    expect_status: Status | Annotated[tuple[Status, ...], Field(min_length=1)] | None = Field(
        default=None, description="left out, 200 to 299"
    )
    parse: Parse | None = Field(default=None, description="left out, by the answer's content type")


async def send_http(ctx: StepContext) -> dict[str, Any]:
    """Make the request of the step. Nothing that it returns or raises holds a secret's value."""
    revealed = await reveal_secrets(ctx, _spelled)
    connection = await _connection(ctx)
    scrubber = Scrubber([*(secret.value for secret in revealed.secrets), *(connection.secret_values if connection else ())])
    try:
        return await _exchange(ctx, revealed, connection, scrubber)
    except StepError as exc:
        failure = exc
    except Exception as exc:
        if not ctx.secret_pointers and connection is None:
            raise
        failure = StepError("STEP_CRASHED", f"{type(exc).__name__}: {exc}")
    raise scrubber.clean(failure)


async def _connection(ctx: StepContext) -> OpenConnection | None:
    name = _http(ctx.spec).request.connection
    if name is None:
        return None
    connection = await ctx.services.secrets.connection(ctx.scope, name)
    if connection.type != "http":
        what = "tools" if connection.type == "mcp" else "models"
        raise StepError("CONNECTION_MISSING", f"the connection {name!r} is for {what} ({connection.type}); name one of type http")
    return connection


def _spelled(pointer: str, before: str, value: str) -> str:
    """Encode a secret within the URL. Queries, forms and JSON are encoded as a whole, headers and `body` are taken literally."""
    return secret_in_url(before, value) if pointer == "/request/url" else value


async def _exchange(ctx: StepContext, revealed: Revealed, connection: OpenConnection | None, scrubber: Scrubber) -> dict[str, Any]:
    spec = _http(ctx.spec)
    request = _request(ctx, spec, revealed, connection)
    revealed.check(request.url)
    if connection is not None and not permits(connection.origins, request.url):
        allowed = ", ".join(connection.origins)
        raise StepError(
            "SECRET_REFUSED", f"the connection {connection.name!r} may only be used for {allowed}; send it there, or change that"
        )
    response = await ctx.services.http.send(request)
    if not _is_expected(response.status, spec):
        raise _unexpected(request, response, spec, scrubber)
    return {
        "status": response.status,
        "headers": scrubber.data(dict(response.headers)),
        "body": _body(response, spec.parse, scrubber),
    }


def _body(response: HttpResponse, parse: Parse | None, scrubber: Scrubber) -> Any:
    """Return the answer's body as JSON data: a value, text, or base64 text for bytes.

    An empty JSON body is null, unless the step insists on JSON where the status promises a body.
    """
    match parse or parse_of(response):
        case "bytes":
            return base64.b64encode(scrubber.content(response.body)).decode("ascii")
        case "text":
            return scrubber.text(text_of(response))
    if not response.body and (parse is None or response.status in BODILESS):
        return None
    try:
        return scrubber.data(parsed_json(response))
    except StepError as exc:
        exc.details = {"status": response.status, "body": _excerpt(response, scrubber)}
        raise


def _request(ctx: StepContext, spec: HttpStep, revealed: Revealed, connection: OpenConnection | None) -> HttpRequest:
    call, masked = revealed.input["request"], revealed.masked["request"]
    method = _method(spec, call)
    content, content_type = _content(spec, call)
    headers = header_fields(call.get("headers") or {})
    given = {name.lower() for name, _ in headers}
    if content_type is not None and "content-type" not in given:
        headers.append(("Content-Type", content_type))
    if method not in SAFE_METHODS and "idempotency-key" not in given:
        headers.append(("Idempotency-Key", ctx.idempotency_key))
    headers, bound = with_headers(headers, connection)
    secret = _SecretPlaces(ctx.secret_pointers)
    return HttpRequest(
        method=method,
        url=full_url(address_at(connection, call.get("url")), call.get("query") or {}),
        headers=tuple(headers),
        body=content,
        secret_headers=secret.headers | bound,
        shown_url=shown_url(address_at(connection, masked.get("url")), masked.get("query") or {}) if secret.url else None,
        max_bytes=ctx.limits.output_bytes,
        timeout_s=max(MIN_TIMEOUT_S, spec.timeout_s or 0.0),
        # A redirect could carry a secret of the body to another origin, and the request cannot say that one is in it.
        **({"max_redirects": 0} if secret.body else {}),
    )


class _SecretPlaces:
    """Where in the request secrets stand."""

    def __init__(self, pointers: frozenset[str]) -> None:
        paths = [path for path in map(tokens, pointers) if path[:1] == ["request"] and len(path) > 1]
        self.headers = frozenset(path[2].lower() for path in paths if path[1] == "headers" and len(path) > 2)
        self.url = any(path[1] in ("url", "query") for path in paths)
        self.body = any(path[1] in CONTENTS for path in paths)


def _method(spec: HttpStep, call: Mapping[str, Any]) -> str:
    method = call.get("method") or spec.request.method
    if not isinstance(method, str) or not METHOD.fullmatch(method):
        raise StepError("HTTP_FAILED", f"{method!r} is not a method; use GET, POST, PUT, PATCH or DELETE")
    return method.upper()


def _content(spec: HttpStep, call: Mapping[str, Any]) -> tuple[bytes, str | None]:
    for name in spec.request.content_fields():
        return CONTENTS[name](call.get(name))
    return b"", None


def _is_expected(status: int, spec: HttpStep) -> bool:
    match spec.expect_status:
        case None:
            return 200 <= status < 300
        case int(expected):
            return status == expected
        case expected:
            return status in expected


def _unexpected(request: HttpRequest, response: HttpResponse, spec: HttpStep, scrubber: Scrubber) -> StepError:
    expected = "2xx" if spec.expect_status is None else str(spec.expect_status).strip("(),")
    shown = (request.url if request.shown_url is None else request.shown_url).partition("?")[0]
    return StepError(
        "HTTP_FAILED",
        f"{request.method} {shown!r} answered {response.status}, not {expected}; if that is right, name it in expect_status",
        retryable=response.status in RETRYABLE,
        retry_after_s=retry_after_s(response.headers.get("retry-after"), datetime.now(UTC)),
        details={"status": response.status, "body": _excerpt(response, scrubber)},
    )


def _excerpt(response: HttpResponse, scrubber: Scrubber) -> str:
    """Return the body's beginning. It is scrubbed before it is cut: half a secret would not be found."""
    return scrubber.text(text_of(response)).encode()[:EXCERPT_BYTES].decode("utf-8", "ignore")


def is_unsafe(spec: StepSpec, input: Mapping[str, Any]) -> bool:
    """Whether the request may change something at the other side."""
    method = input["request"].get("method") or _http(spec).request.method
    return not (isinstance(method, str) and method.upper() in SAFE_METHODS)


def http_problems(spec: StepSpec) -> list[Problem]:
    """Return what is wrong with the request beyond its shape."""
    call = _http(spec).request
    problems: list[Problem] = []
    contents = call.content_fields()
    if len(contents) > 1:
        problems.append(("/request", f"the request has {' and '.join(contents)}", "keep one of json, form and body"))
    problems += [*method_problems(call.method), *header_problems(call.headers)]
    problems += url_problems(call.url) if call.connection is None else connection_problems(call.connection, call.url)
    problems += [*pair_problems("query", call.query), *pair_problems("form", call.form)]
    return problems


def _http(spec: StepSpec) -> HttpStep:
    assert isinstance(spec, HttpStep)
    return spec


STEP = StepType(name="http", spec=HttpStep, handler=send_http, unsafe=is_unsafe, problems=http_problems)
