"""Bytes that are no HTTP request, or one that does not end well."""

from typing import Final

from tests.acceptance.naughty import Naughty

CHUNKS: Final = (
    *(b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffff\r\n{}", b"fffffffffffffffffffffff\r\n{}", b"2\r\n{}{}\r\n0\r\n\r\n"),
    *(
        b"2;" + b"a" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}",
        b"0\r\n" + b"x: y\r\n" * 500 + b"\r\n",
        b"\r\n\r\n",
        b"",
    ),
    *(b"2\r\n{}\r\n0\r\nTransfer-Encoding: x\r\n\r\n", b" 2\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n"),
    b"2 \r\n{}\r\n0\r\n\r\n",
)


def _lines(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _post(*headers: bytes, body: bytes = b"{}") -> bytes:
    return _lines(b"POST /v1/session HTTP/1.1", b"host: x", b"content-type: application/json", *headers, body=body)


def _get(*headers: bytes, target: bytes = b"/healthz") -> bytes:
    return _lines(b"GET " + target + b" HTTP/1.1", *headers)


def _upgrade(*headers: bytes, target: bytes = b"/v1/workflows/x/stream") -> bytes:
    return _get(b"host: x", b"connection: upgrade", b"upgrade: websocket", *headers, target=target)


HEADS: Final = (
    *(b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\r\n" * 50, b"\x00" * 100),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"),
    *(_get(b"host: x", target=target) for target in (b"/%zz", b"/\xff", b"http://other/", b"*", b"//", b"/" + b"a" * 70_000, b"?", b"")),
    *(_get(b"host: x", b"host: y"), _get(), _get(b"host: x", b"a" + b"b" * 70_000 + b": c"), _get(b"host: x", b" folded: y")),
    *(_get(b"host : x"), _get(b"no colon"), _get(b"host: ["), _get(b"host: x", b"x: \x00"), _get(*[b"x: y"] * 3_000)),
    *(_get(b"host: x", b"upgrade: h2c", b"connection: upgrade, http2-settings", b"http2-settings: AAA"),),
    *(_post(b"content-length: -1"), _post(b"content-length: 5"), _post(b"content-length: 2", b"content-length: 3", body=b"{}{}")),
    *(_post(b"content-length: " + b"9" * 5_000), _post(b"content-length: 2", b"transfer-encoding: chunked"), _post(b"content-length: 2,2")),
    *(
        _post(b"expect: 200-maybe", b"content-length: 2"),
        _post(b"transfer-encoding: gzip, chunked"),
        _post(b"transfer-encoding: \x0bchunked"),
    ),
    *(_upgrade(), _upgrade(b"sec-websocket-version: 99", b"sec-websocket-key: ?"), _upgrade(b"sec-websocket-version: 13")),
    _upgrade(
        b"sec-websocket-version: 13",
        b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
        b"origin: [",
        target=b"/v1/workflows/%00/stream?ticket=%ff&after=%00",
    ),
)


def broken(naughty: Naughty, authorization: bytes) -> bytes:
    """Return one of them: half are chunked bodies of somebody who is known."""
    if naughty.random.random() < 0.5:
        head = (b"POST /v1/workflows HTTP/1.1", b"host: x", b"content-type: application/json", b"transfer-encoding: chunked", authorization)
        return _lines(*head, body=naughty.random.choice(CHUNKS))
    if naughty.random.random() < 0.15:
        return naughty.random.randbytes(naughty.random.randrange(1, 400)) + b"\r\n\r\n"
    return naughty.random.choice(HEADS)
