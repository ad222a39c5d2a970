"""ClickHouse's HTTP interface in front of chdb: what a server does with requests of clickhouse-connect, on a real socket."""

import base64
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import lz4.frame  # type: ignore[import-untyped]

from runwell.runstore.engine import import_engine

USER: Final = "runwell"
PASSWORD: Final = "päss:/word"

_NO_SETTINGS: Final = {
    *("query", "database", "default_format", "client_protocol_version", "wait_end_of_query", "query_id", "session_id", "compress"),
    *("send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression", "decompress"),
}
_INSERT: Final = re.compile(rb"INSERT INTO [^\n]+ FORMAT (\w+)\n")


class ClickHouseServer:
    """Keeps what it is sent in a directory. `requests` are the statements; `is_away` refuses all."""

    def __init__(self, directory: Path) -> None:
        import_engine()
        import chdb

        self._connection: Any = chdb.connect(str(directory))  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self.requests: list[str] = []
        self.is_away = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self, b"")

            def do_POST(self) -> None:
                body = _body(self)
                server.answer(self, lz4.frame.decompress(body) if self.headers["Content-Encoding"] == "lz4" else body)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        with self._lock:
            self._connection.close()

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.is_away:
            request.close_connection = True
            return _send(request, 503, b"away", {})
        if request.headers["Authorization"] != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return _send(request, 403, b"Code: 516. DB::Exception: no such user", {"X-ClickHouse-Exception-Code": "516"})
        given = dict(parse_qsl(urlsplit(request.path).query, keep_blank_values=True))
        if (request.headers["Content-Type"] or "").startswith("multipart/form-data"):
            given |= _form(request.headers["Content-Type"], body)
            body = b""
        try:
            return _send(request, 200, self._run(given, body), {"X-ClickHouse-Format": "Native"})
        except RuntimeError as exc:
            text = str(exc)[max(str(exc).find("Code: "), 0) :]
            code = re.match(r"Code: (\d+)", text)
            return _send(request, 500, text.encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1002"})

    def _run(self, given: dict[str, str], body: bytes) -> bytes:
        params = {name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")}
        settings = {name: value for name, value in given.items() if not name.startswith("param_") and name not in _NO_SETTINGS}
        sql = given.get("query", "").encode() + body
        self.requests.append(sql[:300].decode(errors="replace"))
        with self._lock, _infile(sql) as statement:
            try:
                if "database" in given:
                    self._connection.query(f"USE `{given['database']}`", "TabSeparated")
                for name, value in settings.items():
                    self._connection.query(f"SET {name} = '{value}'", "TabSeparated")
                result: bytes | None = self._connection.query(statement, "TabSeparated", params=params).bytes()
                return result or b""
            finally:
                for name in settings:
                    self._connection.query(f"SET {name} = DEFAULT", "TabSeparated")


@contextmanager
def _infile(sql: bytes) -> Iterator[bytes]:
    """Give the statement, with the rows of an insert in a file."""
    insert = _INSERT.match(sql)
    if insert is None:
        yield sql
        return
    with tempfile.NamedTemporaryFile(suffix=".native") as file:
        file.write(sql[insert.end() :])
        file.flush()
        before, _, form = insert[0].decode().rstrip().rpartition(" FORMAT ")
        yield f"{before} FROM INFILE '{file.name}' FORMAT {form}".encode()


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers["Transfer-Encoding"] != "chunked":
        return request.rfile.read(int(request.headers["Content-Length"] or 0))
    parts = []
    while size := int(request.rfile.readline(), 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    for part in message.walk():
        name: Any = part.get_param("name", header="content-disposition")
        if name:
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            fields[str(name)] = payload.decode()
    return fields


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
