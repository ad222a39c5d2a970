"""An http step by way of a stored connection: its address, its headers, and the origins that it never leaves."""

import asyncio
from typing import Any

import pytest
from tests.http_exchange import step
from tests.local_server import LocalServer, Received, answer
from tests.step_context import FakeContext

from runwell.adapters.http import GuardedHttp
from runwell.model.errors import StepError
from runwell.model.scope import Scope
from runwell.ports.secrets import OpenConnection, Secret
from runwell.steps.http import send_http

BEARER = "bearer-0123456789"


class Vault:
    def __init__(self, server: LocalServer, **fields: Any) -> None:
        known = {"base_url": server.url("/v1"), "headers": {"X-Team": "support"}, "secret_headers": {"Authorization": f"Bearer {BEARER}"}}
        origins = (server.url("").rstrip("/"),)
        self._connection = OpenConnection(
            **{"connection_id": "con_1", "name": "desk", "type": "http", "api_key": None, "origins": origins, **known, **fields}
        )

    async def reveal(self, scope: Scope, name: str) -> Secret:
        raise NotImplementedError

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        assert (scope, name) == (Scope("org_1", "prj_1"), "desk")
        return self._connection


def called(respond: Any = lambda received: answer(), *, request: dict[str, Any], **fields: Any) -> tuple[Any, list[Received]]:
    """Make one attempt; return its result or error, and what came to the server, whose address `{url}` stands for."""

    async def main() -> tuple[Any, list[Received]]:
        async with LocalServer(respond) as server:
            http = GuardedHttp(["127.0.0.1/32", "::1/128"])
            given = {name: value.replace("{url}", server.url("")) if name == "url" else value for name, value in request.items()}
            spec = step({**given, "connection": "desk"})
            ctx = FakeContext(spec, {"request": given}, http=http, secrets=Vault(server, **fields), scope=Scope("org_1", "prj_1"))
            try:
                return await send_http(ctx), server.requests
            except StepError as error:
                return error, server.requests
            finally:
                await http.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "target"),
    [("/tickets", "/v1/tickets"), ("tickets?a=1", "/v1/tickets?a=1"), ("", "/v1"), ("?a=1", "/v1?a=1"), ("{url}/other", "/other"),
     ("//evil.example/x", "/v1/evil.example/x"), ("/users:1", "/v1/users:1")],
)  # fmt: skip
def test_what_a_step_gives_follows_the_base_url(url: str, target: str) -> None:
    result, [received] = called(request={"url": url})
    assert result["status"] == 200
    assert received.target == target
    assert (received.headers["authorization"], received.headers["x-team"]) == (f"Bearer {BEARER}", "support")


def test_the_steps_own_headers_go_before_plain_ones_and_never_before_secret_ones() -> None:
    _, [received] = called(request={"url": "/", "headers": {"x-team": "mine", "authorization": "mine"}})
    assert (received.headers["authorization"], received.headers["x-team"]) == (f"Bearer {BEARER}", "mine")


@pytest.mark.parametrize("url", ["https://evil.example/x", "{url}@evil.example/", "http://127.0.0.1:1/"])
def test_no_other_origin_is_asked(url: str) -> None:
    error, requests = called(request={"url": url})
    assert (error.code, error.retryable, requests) == ("SECRET_REFUSED", False, [])
    assert BEARER not in error.message


def test_a_base_url_outside_of_the_origins_is_not_asked() -> None:
    error, requests = called(request={"url": "/"}, origins=("https://a.example",))
    assert (error.code, requests) == ("SECRET_REFUSED", [])


def test_without_base_url_the_url_is_whole() -> None:
    error, _ = called(request={"url": "/x"}, base_url=None)
    assert error.code == "HTTP_FAILED"
    assert "no base_url" in error.message
    result, _ = called(request={"url": "{url}/x"}, base_url=None)
    assert result["status"] == 200


def test_a_redirect_to_another_origin_carries_nothing_of_the_connection() -> None:
    def respond(received: Received) -> bytes:
        port = received.headers["host"].partition(":")[2]
        return answer(302, location=f"http://localhost:{port}/there") if received.target == "/v1/from" else answer()

    _, [first, second] = called(respond, request={"url": "/from"})
    assert (first.headers["authorization"], second.target) == (f"Bearer {BEARER}", "/there")
    assert not {"authorization", "x-team"} & set(second.headers)


def test_a_connection_for_models_is_none_for_requests() -> None:
    error, requests = called(request={"url": "/"}, type="openai")
    assert (error.code, requests) == ("CONNECTION_MISSING", [])
