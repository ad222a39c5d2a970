"""The http step against a real server: what is sent, how answers are read, what a document may say."""

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError
from tests.http_exchange import RecordingHttp, exchange, failed, step
from tests.local_server import answer
from tests.step_context import FakeContext

from runwell.adapters.http import GuardedHttp
from runwell.model.errors import StepError
from runwell.model.workflow import parse_workflow
from runwell.ports.steps import AttemptLimits
from runwell.steps.http import STEP, HttpStep, send_http
from runwell.steps.http_message import retry_after_s


@pytest.mark.parametrize(
    ("fields", "content_type", "body"),
    [
        ({"json": {"a": [1, None, "é"]}}, "application/json", '{"a":[1,null,"é"]}'.encode()),
        ({"json": None}, "application/json", b"null"),
        ({"json": "text"}, "application/json", b'"text"'),
        ({"form": {"a": "x y", "b": [1, True], "c": None}}, "application/x-www-form-urlencoded", b"a=x+y&b=1&b=true"),
        ({"body": "plain é"}, "text/plain; charset=utf-8", "plain é".encode()),
        ({"body": {"from": "a template"}}, "application/json", b'{"from":"a template"}'),
        ({}, None, b""),
        ({"json": {}, "headers": {"content-type": "application/ld+json"}}, "application/ld+json", b"{}"),
    ],
)
def test_bodies(fields: dict[str, Any], content_type: str | None, body: bytes) -> None:
    result, [received] = exchange({"method": "POST", "url": "{url}/x", **fields})
    assert result["status"] == 200
    assert (received.method, received.headers.get("content-type"), received.body) == ("POST", content_type, body)


def test_query_and_headers() -> None:
    request = {
        "url": "{url}/x?a=1#part",
        "query": {"b": ["x y", 2, True], "c": None, "d": "&="},
        "headers": {"X-Number": 5, "X-Flag": False, "X-None": None},
    }
    result, [received] = exchange(request)
    assert result["status"] == 200
    assert received.target == "/x?a=1&b=x+y&b=2&b=true&d=%26%3D"
    assert (received.headers["x-number"], received.headers["x-flag"]) == ("5", "false")
    assert "x-none" not in received.headers


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"url": 5},
            {"url": None},
            {"headers": {"X-A": {"an": "object"}}},
            {"headers": {"X-A": "1\r\nX-B: 2"}},
            {"query": {"a": {"b": 1}}},
        ),
        *({"method": "GET /x HTTP/1.1\r\n"}, {"method": 5}, {"url": "http://x:port/"}, {"url": "http:///x"}),
    ],
)
def test_what_a_template_yields_must_fit(fields: dict[str, Any]) -> None:
    async def main() -> None:
        http = GuardedHttp()
        rendered = {"url": "http://127.0.0.1:1/", **fields}
        with pytest.raises(StepError) as raised:
            await send_http(FakeContext(step({"url": "https://x.example"}), {"request": rendered}, http=http))
        await http.aclose()
        assert (raised.value.code, raised.value.retryable) == ("HTTP_FAILED", False)

    asyncio.run(main())


@pytest.mark.parametrize("method", ["POST", "put", "PATCH", "DELETE"])
def test_writes_carry_the_idempotency_key(method: str) -> None:
    _, [received] = exchange({"method": method, "url": "{url}"})
    assert received.headers["idempotency-key"] == "key-of-the-step"
    _, [received] = exchange({"method": method, "url": "{url}", "headers": {"idempotency-key": "own"}})
    assert received.headers["idempotency-key"] == "own"


@pytest.mark.parametrize("method", ["GET", "head", "OPTIONS"])
def test_reads_do_not(method: str) -> None:
    _, [received] = exchange({"method": method, "url": "{url}"})
    assert "idempotency-key" not in received.headers


JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("content_type", "body", "parse", "expected"),
    [
        (JSON, b'{"a": 1}', None, {"a": 1}),
        ("application/problem+json", b"[1.5]", None, [1.5]),
        (JSON, b"\xef\xbb\xbf[]", None, []),
        (JSON, b"", None, None),
        (JSON, b"[1]", "text", "[1]"),
        (JSON, b"[1]", "bytes", "WzFd"),
        ("text/plain; charset=latin-1", b"\xe9", None, "é"),
        ("text/html; charset=nonsense", "é".encode(), None, "é"),
        ("text/plain", b"\xff", None, "\ufffd"),
        ("application/rss+xml", b"<a/>", None, "<a/>"),
        ("text/plain", b"[1]", "json", [1]),
        ("image/png", b"\x89PNG", None, base64.b64encode(b"\x89PNG").decode()),
        (None, b"text", None, "text"),
        (None, b"\xff\xfe", None, "//4="),
    ],
)
def test_answers_are_read_by_content_type_or_as_the_step_says(
    content_type: str | None, body: bytes, parse: str | None, expected: Any
) -> None:
    headers = {"content_type": content_type} if content_type else {}
    result, _ = exchange({"url": "{url}"}, lambda received: answer(200, body, **headers), parse=parse)
    assert result["body"] == expected
    msgspec.json.encode(result)


@pytest.mark.parametrize("body", [b"{", b"", b"NaN", b"[1,]", b'"\\ud800"'])
def test_invalid_json_is_not_worth_another_attempt(body: bytes) -> None:
    error = failed(exchange({"url": "{url}"}, lambda received: answer(200, body), parse="json")[0])
    assert (error.code, error.retryable) == ("HTTP_FAILED", False)
    assert "parse: text" in error.message
    assert error.details == {"status": 200, "body": body.decode()}


def test_no_content_is_null_even_where_json_is_insisted_on() -> None:
    result, _ = exchange({"url": "{url}"}, lambda received: answer(204), parse="json")
    assert result == {"status": 204, "headers": {"content-length": "0"}, "body": None}


EXPECTED = [
    *((200, None, True), (299, None, True), (304, None, False), (404, None, False)),
    *((404, 404, True), (200, 404, False), (409, [200, 409], True), (500, [200, 409], False)),
]


@pytest.mark.parametrize(("status", "expect", "succeeds"), EXPECTED)
def test_expected_statuses(status: int, expect: Any, succeeds: bool) -> None:
    outcome, _ = exchange({"url": "{url}"}, lambda received: answer(status), expect_status=expect)
    assert isinstance(outcome, dict) == succeeds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 501, 502, 503, 504, 505])
def test_which_statuses_are_retryable(status: int) -> None:
    error = failed(exchange({"url": "{url}/p?q=1"}, lambda received: answer(status, b"why " * 1_000, retry_after="7"))[0])
    assert error.code == "HTTP_FAILED"
    assert error.retryable == (status in {408, 425, 429, 500, 502, 503, 504})
    assert error.retry_after_s == 7.0
    assert str(status) in error.message
    assert error.details is not None
    assert error.details["status"] == status
    assert error.details["body"] == ("why " * 1_000)[:2_048]


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *((None, None), ("0", 0.0), (" 120 ", 120.0), ("Thu, 01 Jan 2026 12:01:30 GMT", 90.0), ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0)),
        *(("soon", None), ("", None), ("-5", None), ("9" * 400, None), ("1.5", None), ("Thu, 99 Jan 2026 12:01:30 GMT", None)),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


@pytest.mark.parametrize(("timeout_s", "expected"), [(None, 30.0), (5.0, 30.0), (120.0, 120.0)])
def test_the_transport_gets_limits(timeout_s: float | None, expected: float) -> None:
    http = RecordingHttp()
    spec = step({"url": "https://x.example"}, timeout_s=timeout_s)
    ctx = FakeContext(spec, {"request": {"url": "https://x.example"}}, limits=AttemptLimits(output_bytes=77), http=http)
    asyncio.run(send_http(ctx))
    assert http.request is not None
    assert (http.request.timeout_s, http.request.max_bytes) == (expected, 77)


def test_documents_say_json() -> None:
    spec = step({"method": "POST", "url": "https://x", "json": {"a": 1}})
    assert spec.request.json_ == {"a": 1}
    assert spec.model_dump(exclude_unset=True)["request"] == {"method": "POST", "url": "https://x", "json": {"a": 1}}
    assert "json" in HttpStep.model_json_schema()["$defs"]["HttpCall"]["properties"]
    with pytest.raises(ValidationError):
        step({"url": "https://x", "json_": 1})


def test_a_document_parses() -> None:
    call = {"id": "call", "type": "http", "request": {"url": "https://x.example"}, "expect_status": [200, 404], "parse": "json"}
    parsed = parse_workflow({"name": "w", "steps": [call]}, {"http": HttpStep})
    assert isinstance(parsed.workflow.steps[0], HttpStep)


@pytest.mark.parametrize("expect", [99, 600, [], [200, 1], "2xx"])
def test_an_expected_status_is_a_status(expect: Any) -> None:
    with pytest.raises(ValidationError):
        step({"url": "https://x"}, expect_status=expect)


@pytest.mark.parametrize(
    ("request_fields", "pointer"),
    [
        ({"json": None, "body": "x"}, "/request"),
        ({"form": {}, "json": 1}, "/request"),
        ({"method": "GET IT"}, "/request/method"),
        ({"url": "ftp://x"}, "/request/url"),
        ({"connection": "{{ input.crm }}"}, "/request/connection"),
        ({"connection": "crm", "url": "ftp://x/tickets"}, "/request/url"),
    ],
)
def test_problems(request_fields: dict[str, Any], pointer: str) -> None:
    [(found, message, hint)] = STEP.problems(step({"url": "https://x", **request_fields}))
    assert (found, bool(message), bool(hint)) == (pointer, True, True)


@pytest.mark.parametrize(
    "request_fields",
    [
        {},
        {"connection": "crm", "url": "/tickets?x={{ input.x }}"},
        {"url": "{{ input.url }}", "method": "{{ input.method }}"},
        {"json": 1},
        {"body": None, "form": {}},
    ],
)
def test_no_problems(request_fields: dict[str, Any]) -> None:
    assert STEP.problems(step({"url": "https://x", **request_fields})) == []


@pytest.mark.parametrize(
    ("declared", "rendered", "unsafe"),
    [
        *(({}, {}, False), ({"method": "GET"}, {"method": "GET"}, False), ({"method": "head"}, {"method": "head"}, False)),
        *(({}, {"method": "OPTIONS"}, False), ({"method": "POST"}, {"method": "POST"}, True), ({"method": "DELETE"}, {}, True)),
        *(({"method": "{{ x }}"}, {"method": "GET"}, False), ({"method": "{{ x }}"}, {"method": "put"}, True), ({}, {"method": 5}, True)),
    ],
)
def test_what_may_change_something_is_unsafe(declared: dict[str, Any], rendered: dict[str, Any], unsafe: bool) -> None:
    assert STEP.unsafe(step({"url": "https://x", **declared}), {"request": rendered}) is unsafe
