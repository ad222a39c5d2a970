"""The guard on real sockets: whatever the spelling, a refused address is never dialled."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import httpcore2
import pytest
from tests.local_server import LocalServer, answer

from runwell.adapters.addresses import AddressPolicy
from runwell.adapters.guarded_transport import GuardedTransport, Resolver
from runwell.adapters.http import GuardedHttp
from runwell.model.errors import StepError
from runwell.ports.http import HttpRequest, HttpResponse

LOOPBACK = ["127.0.0.1/32"]

SPELLINGS = [
    *("127.0.0.1", "localhost", "localhost.", "LOCALHOST", "127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "0177.0.0.1"),
    *(
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::127.0.0.1]",
    ),
    *("[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]"),
    *("169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.100.100.200", "224.0.0.1", "255.255.255.255"),
]


def get(http: GuardedHttp, url: str, **fields: Any) -> Coroutine[Any, Any, HttpResponse]:
    return http.send(HttpRequest(method="GET", url=url, timeout_s=5.0, **fields))


def guarded(allow: Sequence[str] = (), resolver: Resolver | None = None, dial: httpcore2.AsyncNetworkBackend | None = None) -> GuardedHttp:
    policy = AddressPolicy(allow)
    return GuardedHttp(
        transport=GuardedTransport(policy, resolver=resolver, dial=dial) if resolver else GuardedTransport(policy, dial=dial)
    )


async def error_of(sending: Coroutine[Any, Any, HttpResponse]) -> StepError:
    with pytest.raises(StepError) as raised:
        await sending
    return raised.value


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_reaches_an_inside_address(host: str) -> None:
    async def main() -> None:
        async with LocalServer() as server:
            http = guarded()
            error = await error_of(get(http, server.url(host=host)))
            await http.aclose()
            # Some spellings are no URL, and some the resolver of this machine refuses already; none is dialled.
            refused_before = "does not resolve" in error.message or "URL is not valid" in error.message
            assert error.code == "HTTP_BLOCKED" or refused_before
            assert server.connections == 0

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]"])
def test_the_well_known_spellings_are_blocked_by_address(host: str) -> None:
    async def main() -> None:
        http = guarded()
        error = await error_of(get(http, f"http://{host}/"))
        await http.aclose()
        assert (error.code, error.retryable) == ("HTTP_BLOCKED", False)
        assert "RUNWELL_HTTP_ALLOW" in error.message

    asyncio.run(main())


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata", "instance-data", "kubernetes.default.svc", "evil.example"])
def test_names_that_lead_inside_are_blocked(name: str) -> None:
    async def inside(host: str, port: int) -> list[str]:
        assert host == name
        return ["169.254.169.254", "10.0.0.10"]

    async def main() -> None:
        http = guarded(LOOPBACK, inside)
        error = await error_of(get(http, f"http://{name}/computeMetadata/v1/"))
        await http.aclose()
        assert error.code == "HTTP_BLOCKED"
        assert name in error.message
        assert "169.254.169.254" in error.message

    asyncio.run(main())


def test_an_allowed_network_is_reached_and_the_name_is_kept() -> None:
    async def named(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def main() -> None:
        async with LocalServer(lambda received: answer(body=b"hello", x_seen=received.headers["host"])) as server:
            http = guarded(LOOPBACK, named)
            response = await get(http, server.url("/a?b=c", host="api.example"))
            await http.aclose()
            assert (response.status, response.body) == (200, b"hello")
            assert response.headers["x-seen"] == f"api.example:{server.port}"
            assert server.requests[0].target == "/a?b=c"

    asyncio.run(main())


def test_a_rebinding_name_is_resolved_once_and_dialled_as_it_was_vetted() -> None:
    """The second answer, for a connection made after the look-up that was vetted, would be another address."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    dialled: list[str] = []

    class Recording(httpcore2.AnyIOBackend):
        async def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
            dialled.append(host)
            return await super().connect_tcp(host, *args, **kwargs)

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def main() -> None:
        async with LocalServer(close_after_answer=True) as server:
            http = guarded(LOOPBACK, rebinding, Recording())
            assert (await get(http, server.url(host="rebind.example"))).status == 200
            error = await error_of(get(http, server.url(host="rebind.example")))
            await http.aclose()
            assert error.code == "HTTP_BLOCKED"
            assert dialled == ["127.0.0.1"]
            assert server.connections == 1

    asyncio.run(main())


def test_of_many_addresses_only_vetted_ones_are_dialled_until_one_connects() -> None:
    dialled: list[str] = []

    class Network(httpcore2.AnyIOBackend):
        async def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
            dialled.append(host)
            if host != "127.0.0.1":
                raise httpcore2.ConnectError("refused")
            return await super().connect_tcp(host, *args, **kwargs)

    async def many(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "8.8.8.8", "::1", "127.0.0.1", "1.1.1.1"]

    async def main() -> None:
        async with LocalServer() as server:
            http = guarded(LOOPBACK, many, Network())
            assert (await get(http, server.url(host="many.example"))).status == 200
            await http.aclose()
        assert dialled == ["8.8.8.8", "127.0.0.1"]

    asyncio.run(main())


def test_a_host_that_does_not_connect_names_the_addresses() -> None:
    async def main() -> None:
        async with LocalServer() as server:
            port = server.port
        http = guarded(LOOPBACK)
        error = await error_of(get(http, f"http://127.0.0.1:{port}/x"))
        await http.aclose()
        assert (error.code, error.retryable) == ("HTTP_FAILED", True)
        assert f"127.0.0.1 port {port}" in error.message

    asyncio.run(main())


@pytest.mark.parametrize(
    "inside", ["http://127.0.0.2:{port}/", "http://169.254.169.254/latest/meta-data/", "http://[::1]:{port}/", "//0x7f.2/"]
)
def test_a_redirect_is_vetted_anew(inside: str) -> None:
    async def main() -> None:
        async with LocalServer(lambda received: answer(302, location=inside.format(port=server.port))) as server:
            http = guarded(LOOPBACK)
            error = await error_of(get(http, server.url("/start")))
            await http.aclose()
            assert error.code == "HTTP_BLOCKED"
            assert len(server.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "unix:///run/x", "ws://127.0.0.1/", "data:,x"]
)
def test_only_http_and_https(url: str) -> None:
    async def main() -> None:
        async with LocalServer(lambda received: answer(302, location=url)) as server:
            http = guarded(LOOPBACK)
            direct, redirected = await error_of(get(http, url)), await error_of(get(http, server.url()))
            await http.aclose()
            assert {direct.code, redirected.code} == {"HTTP_BLOCKED"}

    asyncio.run(main())


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    async def main() -> None:
        http = guarded(LOOPBACK)
        error = await error_of(get(http, "http://user:hunter2@127.0.0.1/"))
        await http.aclose()
        assert error.code == "HTTP_BLOCKED"
        assert "hunter2" not in str(error)

    asyncio.run(main())


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with LocalServer() as server, LocalServer() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url())
            http = GuardedHttp(LOOPBACK)
            assert (await get(http, server.url())).status == 200
            await http.aclose()
            assert (server.connections, proxy.connections) == (1, 0)

    asyncio.run(main())
