"""What the server refuses with, and what httpx2 raises, as errors of Runwell."""

import asyncio
import inspect
from collections.abc import Iterator

import httpx2
import pytest
from tests.unit.sdk.answering import OVERVIEW, RUN, Server, problem, reply

import runwell
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
from runwell.sdk.driving import FOREIGN
from runwell.sdk.errors import Forbidden, ServerFailed, ServerUnreachable, TooManyRequests, Unauthenticated


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UNAUTHENTICATED", Unauthenticated),
        (403, "FORBIDDEN", Forbidden),
        (404, "NOT_FOUND", NotFound),
        (409, "COMMAND_REFUSED", CommandRefused),
        (409, "CONFLICT", Refused),
        (409, "POSITION_CONFLICT", Refused),
        (412, "PRECONDITION_FAILED", Outdated),
        (413, "PAYLOAD_TOO_LARGE", InvalidInput),
        (422, "INVALID_INPUT", InvalidInput),
        (422, "INVALID_REQUEST", InvalidInput),
        (422, "INVALID_DOCUMENT", InvalidDocument),
        (428, "PRECONDITION_REQUIRED", Outdated),
        (429, "TOO_MANY_REQUESTS", TooManyRequests),
        (500, "INTERNAL_ERROR", ServerFailed),
        (503, "JOURNAL_UNAVAILABLE", JournalUnavailable),
        (418, "SOMETHING_NEW", Refused),
    ],
)
def test_a_problem_document_becomes_its_error(status: int, code: str, kind: type[RunwellError]) -> None:
    with pytest.raises(RunwellError) as caught:
        Server(problem(status, code)).client(retries=0).runs.get(RUN)
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.message, error.hint, error.request_id) == (code, "it is so", "do it", "req_1")


def test_problems_come_along() -> None:
    body = {"type": "x", "title": "x", "status": 422, "code": "INVALID_DOCUMENT", "detail": "bad", "request_id": "r"}
    told = [{"code": "unknown_field", "message": "unknown field 'x'", "pointer": "/steps/0/x", "line": 4}]
    with pytest.raises(InvalidDocument) as caught:
        Server(reply(422, body | {"errors": told})).client().workflows.publish("greet")
    assert caught.value.problems == (Problem(code="unknown_field", message="unknown field 'x'", pointer="/steps/0/x", line=4),)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"code": 3}', b"\xff\xfe", b"null"])
@pytest.mark.parametrize(
    ("status", "kind"), [(502, ServerFailed), (404, NotFound), (302, ServerFailed), (599, ServerFailed), (403, Forbidden)]
)
def test_what_something_in_between_answers_is_told(body: bytes, status: int, kind: type[RunwellError]) -> None:
    answer = httpx2.Response(status, headers={"X-Request-Id": "req_2"}, content=body)
    with pytest.raises(kind) as caught:
        Server(answer).client(retries=0).runs.get(RUN)
    assert caught.value.request_id == "req_2"
    assert str(status) in caught.value.message


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"status": "great"}', b"[" * 100_000])
def test_an_answer_that_makes_no_sense_is_told(body: bytes) -> None:
    with pytest.raises(ServerFailed):
        Server(httpx2.Response(200, content=body)).client().runs.get(RUN)


def foreign() -> Iterator[Exception]:
    """Yield one of each kind of exception that httpx2 has."""
    for kind in vars(httpx2).values():
        if inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning):
            if kind is httpx2.HTTPStatusError:
                yield kind("x", request=httpx2.Request("GET", "http://x"), response=httpx2.Response(500))
            elif issubclass(kind, httpx2.StreamError) and kind is not httpx2.StreamError:
                yield kind()  # type: ignore[call-arg]  # its subclasses take none
            else:
                yield kind("x")


def test_all_of_them_are_looked_at() -> None:
    kinds = {type(exc).__name__ for exc in foreign()}
    assert {"ConnectError", "ReadTimeout", "InvalidURL", "StreamConsumed", "RemoteProtocolError", "DecodingError"} <= kinds
    assert all(isinstance(exc, FOREIGN) for exc in foreign())


@pytest.mark.parametrize("exc", list(foreign()), ids=lambda exc: type(exc).__name__)
def test_nothing_of_httpx2_leaks(exc: Exception) -> None:
    client = Server(exc).client(retries=0)
    for ask in (
        lambda: client.runs.get(RUN),
        lambda: client.runs.start("greet"),
        lambda: list(client.runs.list()),
        lambda: list(client.runs.stream(RUN)),
        lambda: client.runs.wait(RUN, timeout_s=1),
    ):
        with pytest.raises(ServerUnreachable) as caught:
            ask()
        assert caught.value.__cause__ is exc

    async def awaited() -> None:
        async with Server(exc).async_client(retries=0) as client:
            with pytest.raises(ServerUnreachable):
                await client.runs.get(RUN)
            with pytest.raises(ServerUnreachable):
                [event async for event in client.runs.stream(RUN)]

    asyncio.run(awaited())


def test_nothing_of_httpx2_leaks_from_the_middle_of_a_stream() -> None:
    class Broken(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b": hello\n\n"
            raise httpx2.ReadError("cut")

    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=Broken()))
    with runwell.Client("http://server.test", retries=0, transport=transport) as client, pytest.raises(ServerUnreachable):
        list(client.runs.stream(RUN))


@pytest.mark.parametrize("name", ["", ".", "..", " ", "\ud800", "x" * 301])
def test_what_names_nothing_is_not_sent(name: str) -> None:
    server = Server(reply(200, OVERVIEW))
    with pytest.raises(InvalidInput):
        server.client().runs.get(name)
    assert server.asked == []


def test_names_stay_in_their_place() -> None:
    server = Server(reply(404))
    for name in ("../tasks", "a/b?c#d", "%2e%2e", "größe"):
        with pytest.raises(NotFound):
            server.client().workflows.get(name)
        assert server.asked[-1].url.path == f"/v1/workflows/{name}"


@pytest.mark.parametrize("value", [object(), {1j}, "\ud800", float, float("nan"), {"a": [float("inf"), None]}])
def test_what_is_no_json_is_not_sent(value: object) -> None:
    server = Server(reply(200))
    with pytest.raises(InvalidInput):
        server.client().runs.start("greet", value)
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x", "http://", "http://a:b@c", "http://x/?a=b", "http://[::1", "http://x:99999", "http://a\nb"]
)
def test_a_bad_server_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNWELL_SERVER", raising=False)
    if url:
        with pytest.raises(InvalidInput):
            runwell.Client(url)
    else:
        assert runwell.Client(url).connection.base_url == "http://127.0.0.1:7878"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWELL_SERVER", "https://runwell.example/base/")
    monkeypatch.setenv("RUNWELL_API_KEY", "rw_secret")
    server = Server(reply(200, OVERVIEW))
    with runwell.Client(transport=httpx2.MockTransport(server)) as client:
        client.runs.summary(RUN)
        assert "rw_secret" not in repr(client)
    assert str(server.asked[0].url) == f"https://runwell.example/base/v1/runs/{RUN}/summary"
    assert server.asked[0].headers["authorization"] == "Bearer rw_secret"
    for bad in ("rw_a\nb", "rw_é", "a b"):
        monkeypatch.setenv("RUNWELL_API_KEY", bad)
        with pytest.raises(InvalidInput) as caught:
            runwell.Client()
        assert bad not in str(caught.value)
    for options in ({"timeout_s": 0.0}, {"timeout_s": float("nan")}):
        with pytest.raises(InvalidInput):
            runwell.Client(api_key="rw_x", **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        runwell.Client(api_key="rw_x", retries=-1)
