"""Secrets of an http step reach the server, and nothing else: no result, error or redirect."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote

import pytest
from tests.http_exchange import AWKWARD, SECRETS, TOKEN, RecordingHttp, exchange, failed, secret, step
from tests.local_server import Received, Respond, answer
from tests.step_context import FakeContext

from runwell.model.errors import StepError
from runwell.model.scope import Scope
from runwell.ports.http import HttpRequest, HttpResponse
from runwell.ports.secrets import OpenConnection, Secret
from runwell.ports.steps import AttemptLimits
from runwell.steps.http import send_http

JSON = "application/json"


def everything(outcome: Any) -> str:
    """Return all text that could be kept of an outcome."""
    if isinstance(outcome, StepError):
        return f"{outcome} {outcome!r} {outcome.message} {json.dumps(outcome.details)} {outcome.__cause__} {outcome.__context__}"
    return json.dumps(outcome, ensure_ascii=False)


def echo(received: Received) -> bytes:
    """Return everything that was sent, as JSON and in a header."""
    sent = {"target": received.target, "headers": received.headers, "body": received.body.decode(), "pin": 82736455}
    return answer(200, json.dumps(sent).encode(), content_type=JSON, x_echo=received.headers.get("authorization", ""))


REVEALING = {
    "method": "POST",
    "url": "{url}/x",
    "headers": {"Authorization": secret("PLAIN", "Bearer "), "X-Pin": secret("PIN")},
    "query": {"key": secret("TOKEN")},
    "json": {"deep": [secret("TOKEN", "<", ">")]},
}


def test_the_server_gets_the_secrets_and_the_journal_does_not() -> None:
    result, [received] = exchange(REVEALING, echo)
    assert received.headers["authorization"] == "Bearer plain-topsecret"
    assert json.loads(received.body) == {"deep": [f"<{TOKEN}>"]}
    shown = everything(result)
    assert "topsecret" not in shown
    assert "82736455" not in shown
    assert result["body"]["headers"]["authorization"] == "Bearer ***"
    assert result["headers"]["x-echo"] == "Bearer ***"


@pytest.mark.parametrize("parse", ["text", "bytes"])
def test_an_echo_is_scrubbed_however_it_is_read(parse: str) -> None:
    result, _ = exchange(REVEALING, echo, parse=parse)
    body = result["body"] if parse == "text" else base64.b64decode(result["body"]).decode()
    assert "Bearer ***" in body
    assert "topsecret" not in body
    assert "82736455" not in body


@pytest.mark.parametrize(
    "respond",
    [
        lambda received: answer(500, b"x" * 2_040 + received.headers["authorization"].encode() + received.target.encode()),
        lambda received: answer(200, b"{" + received.headers["authorization"].encode(), content_type=JSON),
        lambda received: answer(302, location="/x?" + received.target),
        lambda received: b"HTTP/1.1 200 " + received.headers["authorization"].encode() + b"\r\nbroken plain-topsecret\r\n\r\n",
        lambda received: answer(200, b"x" * 2_000_000),
    ],
)
def test_no_failure_tells_a_secret(respond: Respond) -> None:
    error = failed(exchange(REVEALING, respond, limits=AttemptLimits(output_bytes=1_000_000))[0])
    assert error.code == "HTTP_FAILED"
    assert "topsecret" not in everything(error)
    assert "plain-to" not in everything(error)


def test_a_secret_that_does_not_fit_a_header_is_not_told() -> None:
    request = {"url": "{url}", "headers": {"X-Key": secret("TOKEN", "a\r\nb")}}
    error = failed(exchange(request)[0])
    assert "'x-key'" in error.message
    assert "topsecret" not in everything(error)


def test_a_defect_does_not_tell_a_secret() -> None:
    class Broken(RecordingHttp):
        async def send(self, request: HttpRequest) -> HttpResponse:
            raise RuntimeError(f"cannot send {request!r}")

    given = {"url": "https://x.example", "headers": {"A": secret("PLAIN")}}
    ctx = FakeContext(
        step({"url": "https://x.example"}), {"request": given}, frozenset({"/request/headers/A"}), http=Broken(), secrets=SECRETS
    )
    with pytest.raises(StepError) as raised:
        asyncio.run(send_http(ctx))
    assert raised.value.code == "STEP_CRASHED"
    assert "topsecret" not in everything(raised.value)


def test_a_secret_in_the_url_is_shown_as_a_mask() -> None:
    def respond(received: Received) -> bytes:
        return b"nonsense\r\n\r\n"

    error = failed(exchange({"url": secret("PLAIN", "{url}/bot", "/send")}, respond)[0])
    assert "127.0.0.1" in error.message
    assert "topsecret" not in everything(error)


class Bound:
    """A vault in which everything is bound to one origin."""

    def __init__(self, values: dict[str, str], origins: tuple[str, ...] | None = None) -> None:
        self._values, self._origins = values, origins

    async def reveal(self, scope: Scope, name: str) -> Secret:
        return Secret(name=name, value=self._values[name], origins=self._origins)

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        raise NotImplementedError


@pytest.mark.parametrize("origin", ["https://api.example", "https://other.example"])
def test_a_secret_goes_to_its_origins_only(origin: str) -> None:
    http = RecordingHttp()
    given = {"url": secret("A", "https://api.example/bot", "/send"), "headers": {"X-Key": secret("B")}}
    places = frozenset({"/request/url", "/request/headers/X-Key"})
    vault = Bound({"A": "topsecret", "B": "topsecret"}, (origin,))
    ctx = FakeContext(step({"url": "https://x"}), {"request": given}, places, http=http, secrets=vault)
    if origin == "https://other.example":
        with pytest.raises(StepError) as caught:
            asyncio.run(send_http(ctx))
        assert (caught.value.code, caught.value.retryable, http.request) == ("SECRET_REFUSED", False, None)
        assert "https://other.example" in caught.value.message
        assert "topsecret" not in everything(caught.value)
        return
    asyncio.run(send_http(ctx))
    assert http.request is not None
    assert http.request.url == "https://api.example/bottopsecret/send"
    assert (http.request.shown_url, http.request.secret_headers) == ("https://api.example/bot***/send", frozenset({"x-key"}))


def test_a_secret_that_begins_the_url_is_checked_as_what_it_makes_of_it() -> None:
    http = RecordingHttp()
    vault = Bound({"A": "https://evil.example/hook"}, ("https://hooks.example",))
    ctx = FakeContext(step({"url": "https://x"}), {"request": {"url": secret("A")}}, frozenset({"/request/url"}), http=http, secrets=vault)
    with pytest.raises(StepError) as caught:
        asyncio.run(send_http(ctx))
    assert (caught.value.code, http.request) == ("SECRET_REFUSED", None)


def test_a_secret_in_the_body_goes_to_no_redirect() -> None:
    request = {"method": "POST", "url": "{url}/from", "json": {"key": secret("PLAIN")}}
    outcome, requests = exchange(request, lambda received: answer(307, location="/to"))
    assert failed(outcome).code == "HTTP_FAILED"
    assert [received.target for received in requests] == ["/from"]


def test_a_missing_secret_sends_nothing() -> None:
    outcome, requests = exchange({"url": "{url}", "headers": {"A": secret("OTHER")}})
    assert failed(outcome).code == "SECRET_MISSING"
    assert requests == []


def test_the_shape_of_a_secret_in_data_stays_data() -> None:
    request = {"method": "POST", "url": "{url}", "json": secret("PLAIN")}
    _, [received] = exchange(request, secret_pointers=frozenset())
    assert json.loads(received.body) == secret("PLAIN")


def test_a_secret_stays_one_segment_of_the_path() -> None:
    result, [received] = exchange({"url": secret("AWKWARD", "{url}/bot", "/send?x=1")}, echo)
    assert received.target == f"/bot{quote(AWKWARD, safe='')}/send?x=1"
    assert unquote(received.target.split("/")[1]) == f"bot{AWKWARD}"
    assert "topsecret" not in everything(result)


def test_a_secret_stays_one_value_of_the_query() -> None:
    request = {"url": secret("AWKWARD", "{url}/x?a=1&key=", "&b=2"), "query": {"more": [secret("AWKWARD"), "<&>"]}}
    result, [received] = exchange(request, echo)
    path, _, query = received.target.partition("?")
    assert path == "/x"
    assert parse_qsl(query) == [("a", "1"), ("key", AWKWARD), ("b", "2"), ("more", AWKWARD), ("more", "<&>")]
    assert "topsecret" not in everything(result)


def url_sent(text: dict[str, Any], values: dict[str, str]) -> str:
    """Return the URL that is asked for when the step's URL is this text."""

    http = RecordingHttp()
    ctx = FakeContext(step({"url": "https://x"}), {"request": {"url": text}}, frozenset({"/request/url"}), http=http, secrets=Bound(values))
    asyncio.run(send_http(ctx))
    assert http.request is not None
    return http.request.url


@pytest.mark.parametrize("after", ["", "&k=v"])
def test_a_secret_may_be_the_url_itself(after: str) -> None:
    hook = "https://hooks.example/hook?a=b%20c"
    assert url_sent(secret("HOOK", "", after), {"HOOK": hook}) == hook + after


def test_a_second_secret_is_encoded_behind_one_that_begins_the_url() -> None:
    text = {"$secret_text": [{"secret": "BASE"}, "/", {"secret": "KEY"}]}
    assert url_sent(text, {"BASE": "https://api.example", "KEY": "a/b"}) == "https://api.example/a%2Fb"


def test_a_header_refuses_a_secret_with_a_line_break() -> None:
    outcome, requests = exchange({"url": "{url}", "headers": {"Authorization": secret("AWKWARD", "Bearer ")}})
    error = failed(outcome)
    assert (error.code, error.retryable, requests) == ("HTTP_FAILED", False, [])
    assert "'authorization' holds a line break" in error.message
    assert "topsecret" not in everything(error)


def test_a_secret_in_a_body_is_written_as_the_body_is() -> None:
    def body(**fields: Any) -> str:
        _, [received] = exchange({"method": "POST", "url": "{url}", **fields}, echo)
        return received.body.decode()

    assert json.loads(body(json={"key": secret("AWKWARD", "<", ">")})) == {"key": f"<{AWKWARD}>"}
    assert parse_qs(body(form={"a": "1", "key": secret("AWKWARD")})) == {"a": ["1"], "key": [AWKWARD]}
    assert body(body=secret("AWKWARD", "key=")) == f"key={AWKWARD}"
