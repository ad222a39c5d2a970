"""The exchange: redirects, caps, time, translated errors, pooled connections, TLS."""

import asyncio
import gzip
import inspect
import ssl
import zlib
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.local_server import LocalServer, Received, Respond, answer

from runwell.adapters import guarded_transport
from runwell.adapters.addresses import AddressPolicy
from runwell.adapters.guarded_transport import EXCEPTIONS, GuardedTransport
from runwell.adapters.http import GuardedHttp, failure_of
from runwell.model.errors import StepError
from runwell.ports.http import HttpRequest, HttpResponse

LOOPBACK = ["127.0.0.1/32"]

Scenario = Callable[[GuardedHttp, LocalServer], Coroutine[Any, Any, None]]


def with_server(respond: Respond, scenario: Scenario) -> None:
    async def main() -> None:
        async with LocalServer(respond) as server:
            http = GuardedHttp(LOOPBACK)
            try:
                await scenario(http, server)
            finally:
                await http.aclose()

    asyncio.run(main())


def request(url: str, method: str = "GET", **fields: Any) -> HttpRequest:
    return HttpRequest(method=method, url=url, **{"timeout_s": 5.0, **fields})


async def error_of(sending: Coroutine[Any, Any, HttpResponse]) -> StepError:
    with pytest.raises(StepError) as raised:
        await sending
    return raised.value


def test_the_answer_is_whole_and_decoded() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        response = await http.send(request(server.url("/x"), "PUT", body=b"sent", headers=(("X-One", "1"), ("X-Utf8", "é"))))
        assert (response.status, response.body, response.encoding) == (201, b"hello " * 100, "latin-1")
        assert response.headers["x-many"] == "a, b"
        assert response.url == server.url("/x")
        received = server.requests[0]
        assert (received.method, received.body, received.headers["x-one"]) == ("PUT", b"sent", "1")

    zipped = gzip.compress(b"hello " * 100)
    head = "HTTP/1.1 201 X\r\ncontent-encoding: gzip\r\nX-Many: a\r\nx-many: b\r\ncontent-type: text/plain; charset=latin-1\r\n"
    with_server(lambda received: f"{head}content-length: {len(zipped)}\r\n\r\n".encode() + zipped, scenario)


def test_connections_are_pooled() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        for _ in range(5):
            await http.send(request(server.url()))
        assert (server.connections, len(server.requests)) == (1, 5)

    with_server(lambda received: answer(body=b"x"), scenario)


def test_no_cookie_is_kept() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        for _ in range(2):
            await http.send(request(server.url()))
        assert all("cookie" not in received.headers for received in server.requests)

    with_server(lambda received: answer(set_cookie="session=1; Path=/"), scenario)


REDIRECTED = [
    *((301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"), (302, "PUT", "PUT")),
    *((307, "POST", "POST"), (308, "POST", "POST"), (301, "GET", "GET")),
]


@pytest.mark.parametrize(("status", "method", "then"), REDIRECTED)
def test_redirects_keep_or_change_the_method(status: int, method: str, then: str) -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        sent = (b"{}", "application/json") if method != "HEAD" else (b"", "text/plain")
        response = await http.send(request(server.url("/from?x=1"), method, body=sent[0], headers=(("Content-Type", sent[1]),)))
        assert response.status == 200
        second = server.requests[1]
        assert (second.method, second.target) == (then, "/to")
        assert (second.body, second.headers.get("content-type")) == (sent if then == method else (b"", None))
        assert "referer" not in second.headers

    with_server(lambda received: answer(status, location="/to") if received.target != "/to" else answer(), scenario)


def test_too_many_redirects() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        error = await error_of(http.send(request(server.url("/0"), max_redirects=3)))
        assert (error.code, error.retryable) == ("HTTP_FAILED", False)
        assert "redirect" in error.message
        assert len(server.requests) == 4

    with_server(lambda received: answer(302, location=received.target + "0"), scenario)


def test_another_origin_does_not_get_what_was_meant_for_the_first() -> None:
    secret = (("Authorization", "Bearer s"), ("Cookie", "s"), ("Proxy-Authorization", "s"), ("X-Api-Key", "s"), ("Referer", "s"))
    sent = request("", headers=(*secret, ("X-Plain", "p")), secret_headers=frozenset({"x-api-key"}))

    async def main() -> None:
        async with LocalServer() as other, LocalServer() as first:
            first.respond = lambda received: answer(307, location="/same" if received.target == "/" else other.url())
            http = GuardedHttp(LOOPBACK)
            await http.send(HttpRequest(method="GET", url=first.url(), headers=sent.headers, secret_headers=sent.secret_headers))
            await http.aclose()
            assert all(first.requests[1].headers[name.lower()] for name, _ in secret)
            got = other.requests[0].headers
            assert [name for name, _ in secret if name.lower() in got] == []
            assert got["x-plain"] == "p"
            assert got["host"] == f"127.0.0.1:{other.port}"

    asyncio.run(main())


def test_what_was_dropped_does_not_come_back() -> None:
    async def main() -> None:
        async with LocalServer() as other:

            def back(received: Received) -> bytes:
                return answer(307, location=first.url("/back"))

            other.respond = back
            async with LocalServer(lambda received: answer() if received.target == "/back" else answer(307, location=other.url())) as first:
                http = GuardedHttp(LOOPBACK)
                await http.send(request(first.url(), headers=(("Authorization", "s"),)))
                await http.aclose()
                assert "authorization" not in first.requests[1].headers

    asyncio.run(main())


def bomb() -> bytes:
    body = gzip.compress(b"\0" * 50_000_000)
    return answer(body=body, content_encoding="gzip")


def double_bomb() -> bytes:
    return answer(body=gzip.compress(gzip.compress(b"\0" * 50_000_000)), content_encoding="gzip, gzip")


def trailing() -> bytes:
    """A small compressed body, followed by what decodes to nothing."""
    return answer(body=gzip.compress(b"x") + b"y" * 5_000_000, content_encoding="gzip")


@pytest.mark.parametrize("respond", [lambda: answer(body=b"x" * 1_001), bomb, double_bomb, trailing])
def test_the_body_is_capped_as_decoded(respond: Callable[[], bytes]) -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        error = await error_of(http.send(request(server.url(), max_bytes=1_000)))
        assert (error.code, error.retryable) == ("HTTP_FAILED", False)
        assert "larger than 1000 bytes" in error.message
        assert "output_bytes" in error.message

    with_server(lambda received: respond(), scenario)


def test_a_body_of_exactly_the_cap_passes() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        assert len((await http.send(request(server.url(), max_bytes=1_000))).body) == 1_000

    with_server(lambda received: answer(body=zlib.compress(b"x" * 1_000), content_encoding="deflate"), scenario)


def test_the_whole_exchange_is_timed() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        error = await error_of(http.send(request(server.url("/slow"), timeout_s=0.05)))
        assert (error.code, error.retryable) == ("HTTP_FAILED", True)
        assert "timeout_s" in error.message

    with_server(lambda received: b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\nab", scenario)


def test_a_cancelled_exchange_ends_and_leaves_the_pool_usable() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        sending = asyncio.create_task(http.send(request(server.url("/hang"))))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await http.send(request(server.url("/ok")))).status == 200

    arrived = asyncio.Event()

    def hang(received: Received) -> bytes:
        arrived.set()
        return b"" if received.target == "/hang" else answer()

    with_server(hang, scenario)


@pytest.mark.parametrize(
    ("raw", "retryable"),
    [(b"nonsense\r\n\r\n", True), (b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", False)],
)
def test_a_broken_answer(raw: bytes, retryable: bool) -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        error = await error_of(http.send(request(server.url("/broken"))))
        assert (error.code, error.retryable) == ("HTTP_FAILED", retryable)
        assert server.url("/broken") in error.message

    with_server(lambda received: raw, scenario)


def test_a_header_cannot_smuggle_another() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        for header in (("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("X-A:", "1"), ("", "1")):
            error = await error_of(http.send(request(server.url(), headers=(header,))))
            assert (error.code, error.retryable) == ("HTTP_FAILED", False)
        await http.send(request(server.url(), "POST", body=b"ab", headers=(("Content-Length", "1"), ("Transfer-Encoding", "chunked"))))
        assert len(server.requests) == 1
        assert server.requests[0].body == b"ab"

    with_server(lambda received: answer(), scenario)


def test_messages_show_what_stands_for_a_secret_url() -> None:
    async def scenario(http: GuardedHttp, server: LocalServer) -> None:
        shown = f"http://127.0.0.1:{server.port}/hook/***"
        error = await error_of(http.send(request(server.url("/hook/t0ken?key=s3cret"), shown_url=shown)))
        assert "t0ken" not in error.message
        assert "s3cret" not in error.message
        assert repr(shown) in error.message

    with_server(lambda received: b"nonsense\r\n\r\n", scenario)


class Failing(httpx2.AsyncBaseTransport):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise self._error


def exceptions_of(module: Any) -> list[type[Exception]]:
    members = [getattr(module, name) for name in module.__all__]
    return [member for member in members if inspect.isclass(member) and issubclass(member, Exception)]


def instance_of(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    error.args = ("said",)
    return error


def test_there_are_exceptions_to_translate() -> None:
    assert len(exceptions_of(httpx2)) > 20
    assert len(exceptions_of(httpcore2)) > 10


@pytest.mark.parametrize("kind", exceptions_of(httpx2), ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx2_becomes_a_step_error(kind: type[Exception]) -> None:
    async def main() -> None:
        http = GuardedHttp(transport=Failing(instance_of(kind)))
        error = await error_of(http.send(request("http://x.example/")))
        assert error.code == "HTTP_FAILED"
        assert failure_of(kind)[1] in error.message

    asyncio.run(main())


@pytest.mark.parametrize("kind", exceptions_of(httpcore2), ids=lambda kind: kind.__name__)
def test_every_exception_of_httpcore2_becomes_one_of_httpx2(kind: type[Exception]) -> None:
    assert kind in EXCEPTIONS
    with pytest.raises(EXCEPTIONS[kind]), guarded_transport.translated():
        raise instance_of(kind)


def test_the_special_stands_before_the_general() -> None:
    kinds = list(EXCEPTIONS)
    assert not any(issubclass(late, early) for i, early in enumerate(kinds) for late in kinds[i + 1 :])


@pytest.mark.parametrize("error", [OSError("x"), ConnectionResetError("x"), ssl.SSLError("x"), TimeoutError("x")])
def test_errors_of_sockets_are_translated(error: OSError) -> None:
    with pytest.raises(httpx2.NetworkError), guarded_transport.translated():
        raise error


def test_the_environment_gives_no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = guarded_transport.certified()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.keylog_filename is None
    assert len(context.get_ca_certs()) > 50


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for tls.example, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tls.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tls.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return path


def test_tls_verifies_the_name_that_was_asked_for(certificate: Path) -> None:
    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def main() -> None:
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(certificate)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.load_verify_locations(certificate)
        seen: list[str | None] = []
        serving.sni_callback = lambda socket, name, context: seen.append(name)
        async with LocalServer(tls=serving) as server:
            policy = AddressPolicy(LOOPBACK)
            trusted = GuardedHttp(transport=GuardedTransport(policy, resolver=loopback, ssl_context=trusting))
            assert (await trusted.send(request(server.url(host="tls.example", scheme="https")))).status == 200
            wrong = await error_of(trusted.send(request(server.url(host="other.example", scheme="https"))))
            untrusting = GuardedHttp(transport=GuardedTransport(policy, resolver=loopback))
            unknown = await error_of(untrusting.send(request(server.url(host="tls.example", scheme="https"))))
            await trusted.aclose()
            await untrusting.aclose()
        assert seen == ["tls.example", "other.example", "tls.example"]
        for error in (wrong, unknown):
            assert (error.code, error.retryable) == ("HTTP_FAILED", False)
            assert "certificate" in error.message

    asyncio.run(main())
