"""A secret that is a URL, or stands in one: no part of it is told."""

import asyncio
from typing import Any

import pytest
from tests.http_exchange import failed, step
from tests.local_server import LocalServer, Received, Respond, answer
from tests.step_context import FakeContext

from runwell.adapters.http import GuardedHttp
from runwell.adapters.secrets import EnvironmentSecrets
from runwell.model.errors import StepError
from runwell.steps.http import send_http

HOOK = {"$secret_text": [{"secret": "HOOK"}]}
PARTS = ("T0PS3CRET", "QQZZQQ", "t0ps3cret")


def asked(
    url: Any, respond: Respond = lambda received: answer(), hook: str = "{url}/st/500/T0PS3CRET?tok=QQZZQQ", allow: bool = True, **more: Any
) -> Any:
    """Return the result or the error of a POST to the URL. `{url}` is the server's, the secret `HOOK` what `hook` says."""

    async def main() -> Any:
        async with LocalServer(respond) as server:
            vault = EnvironmentSecrets({"RUNWELL_SECRET_HOOK": hook.replace("{url}", server.url(""))})
            http = GuardedHttp(["127.0.0.1/32"] if allow else [])
            request = {"method": "POST", "url": url, **more}
            places = frozenset({"/request/url", *(f"/request/query/{name}" for name in more.get("query", {}))})
            ctx = FakeContext(step({"url": "https://x"}), {"request": request}, places, http=http, secrets=vault)
            try:
                return await send_http(ctx)
            except StepError as error:
                return error
            finally:
                await http.aclose()

    return asyncio.run(main())


def told(error: Any) -> str:
    error = failed(error)
    return f"{error.message} {error.details} {error.__cause__} {error.__context__}"


def path_echo(status: int) -> Respond:
    def respond(received: Received) -> bytes:
        path, _, query = received.target.partition("?")
        said = f"{received.target} | {path} | {path.split('/')[-1]} | {query} | {query.split('=')[-1]} | {received.headers['host']}"
        return answer(status, said.encode(), content_type="text/plain")

    return respond


def test_an_error_names_a_secret_url_by_its_mask() -> None:
    error = failed(asked(HOOK, path_echo(500)))
    assert error.message.startswith("POST '***' answered 500")
    assert not any(part in told(error) for part in (*PARTS, "127.0.0.1"))


def test_an_echo_of_a_secret_urls_parts_is_masked() -> None:
    body = asked(HOOK, path_echo(200))["body"]
    assert body.startswith("*** | *** | *** | *** | *** | ***")


@pytest.mark.parametrize(
    "respond",
    [
        lambda received: b"nonsense\r\n\r\n",
        lambda received: answer(302, location=received.target),
        lambda received: answer(302, location="http://t0ps3cret.invalid/QQZZQQ"),
        lambda received: answer(302, location="t0ps3cret://x/"),
        lambda received: answer(302, location="http://T0PS3CRET@x/"),
        lambda received: answer(302, location="http://[T0PS3CRET/"),
        lambda received: answer(200, b"x" * 20_000_000),
    ],
)
def test_nothing_on_the_way_of_a_secret_url_is_told(respond: Respond) -> None:
    assert "POST '***'" in told(asked(HOOK, respond)).replace("GET '", "POST '")
    assert not any(part in told(asked(HOOK, respond)) for part in (*PARTS, "127.0.0.1"))


def test_an_address_that_is_refused_is_not_told_of_a_secret_url() -> None:
    error = failed(asked(HOOK, allow=False))
    assert error.code == "HTTP_BLOCKED"
    assert "127.0.0.1" not in told(error)
    assert "RUNWELL_HTTP_ALLOW" in error.message


@pytest.mark.parametrize("hook", ["T0PS3CRET", "T0PS3CRET:x"])
def test_what_is_no_url_is_not_told(hook: str) -> None:
    assert not any(part in told(asked(HOOK, hook=hook)) for part in PARTS)


def test_a_secret_in_the_host_is_not_told() -> None:
    error = failed(asked({"$secret_text": ["http://", {"secret": "HOOK"}, ".invalid/x"]}, hook="T0PS3CRET"))
    assert error.message.startswith("POST 'http://***.invalid/x'")
    assert error.retryable
    assert not any(part in told(error) for part in PARTS)


def test_a_secret_behind_a_plain_host_keeps_the_host() -> None:
    url = {"$secret_text": ["http://127.0.0.1:1/bot", {"secret": "HOOK"}, "/send"]}
    error = failed(asked(url, hook="T0PS3CRET", query={"key": {"$secret_text": [{"secret": "HOOK"}]}}))
    assert error.message.startswith("POST 'http://127.0.0.1:1/bot***/send?key=***': no connection (127.0.0.1 port 1")
    assert not any(part in told(error) for part in PARTS)


@pytest.mark.parametrize("hook", ["a/T0PS3CRET", "a?T0PS3CRET", "a#T0PS3CRET", "a@T0PS3CRET", "a:T0PS3CRET", "a\\T0PS3CRET", "a T0PS3CRET"])
@pytest.mark.parametrize("before", ["http://", "http://x."])
def test_a_secret_in_the_host_cannot_change_where_it_ends(before: str, hook: str) -> None:
    error = failed(asked({"$secret_text": [before, {"secret": "HOOK"}, ".invalid/"]}, hook=hook))
    assert error.code == "HTTP_FAILED"
    assert "stands in the host of request.url" in error.message
    assert "T0PS3CRET" not in told(error)
