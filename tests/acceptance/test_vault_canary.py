"""Nothing secret leaves: values are planted, used and echoed, and looked for in all that is kept, logged, answered and streamed."""

import base64
import io
import json
import logging
import secrets
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import structlog
from tests.acceptance.api_bench import Api, open_api
from tests.contract.samples import run
from tests.local_server import LocalServer, Received, answer

from runwell.model.scrubber import Scrubber
from runwell.storage.sealing import Place, Sealer
from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import chunks, raw, refuse
from runwell.testing.scripted_server import Wire

LOOPBACK = ("127.0.0.0/8",)


class Canaries:
    """Random values, one for each way in."""

    def __init__(self) -> None:
        self.token = f"tok/{secrets.token_urlsafe(18)}+ é"
        self.path = f"path-{secrets.token_hex(12)}"
        self.bearer = f"bearer-{secrets.token_hex(12)}"
        self.tool = f"tool-{secrets.token_hex(12)}"
        self.password = f"pass-{secrets.token_hex(12)}"
        self.api_key = f"sk-{secrets.token_hex(20)}"

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"runwell:{self.password}".encode()).decode()

    def spellings(self) -> Iterator[bytes]:
        for value in (self.token, self.path, self.bearer, self.tool, self.password, self.api_key, self.basic.partition(" ")[2]):
            yield from {value.encode(), quote(value, safe="").encode(), json.dumps(value)[1:-1].encode(), base64.b64encode(value.encode())}

    def found_in(self, content: bytes) -> list[bytes]:
        return [spelling for spelling in self.spellings() if spelling in content]


def echo(received: Received) -> bytes:
    """Send all back that came, in every part of an answer; what comes of it is in the path."""
    sent = {"target": received.target, "headers": received.headers, "body": received.body.decode(), "much": "x" * 70_000}
    basic = received.headers.get("authorization", "").partition("Basic ")[2]
    told = {**sent, "password": base64.b64decode(basic).decode() if basic else None}
    what = received.target.split("?")[0].rpartition("/")[2]
    if what == "mcp":
        return mcp(received)
    body, status = json.dumps(told).encode(), {"refused": 500}.get(what, 200)
    if what == "garbled":
        return (
            b"HTTP/1.1 200 " + received.target.encode() + b"\r\nbroken " + received.headers.get("authorization", "x").encode() + b"\r\n\r\n"
        )
    if what == "away":
        return answer(302, location=f"http://localhost:1/{received.headers.get('authorization', 'x').split()[-1]}")
    shown = received.headers.get("authorization", "").encode("ascii", "replace").decode()
    return answer(status, body[:-1] if what == "nojson" else body, content_type="application/json", x_echo=shown)


def mcp(received: Received) -> bytes:
    """Tell the credential in every part of an MCP server's answers."""
    key = received.headers.get("authorization", "")
    request = json.loads(received.body) if received.body else {}
    number, method, error = request.get("id"), request.get("method"), None
    result: dict[str, Any] = {}
    if method == "initialize":
        info = {"name": key, "version": key}
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info, "instructions": key}
    elif method == "tools/list":
        result = {"tools": [{"name": "tell", "description": key, "inputSchema": {"type": "object", "title": key}}]}
    elif method == "tools/call" and request["params"]["name"] == "fail":
        result = {"isError": True, "content": [{"type": "text", "text": f"not with {key}"}]}
    elif method == "tools/call" and request["params"]["name"] == "break":
        error = {"code": -32_099, "message": key, "data": {"key": key}}
    elif method == "tools/call":
        sign = {"method": "notifications/progress", "params": {"progressToken": number, "progress": 1, "message": f"with {key}"}}
        told = {"jsonrpc": "2.0", "id": number, "result": {"content": [{"type": "text", "text": key}], "structuredContent": {key: [key]}}}
        events = b"".join(b"event: message\ndata: " + json.dumps({"jsonrpc": "2.0", **part}).encode() + b"\n\n" for part in (sign, told))
        return answer(200, events, content_type="text/event-stream")
    else:
        return answer(202)
    body = {"jsonrpc": "2.0", "id": number, **({"result": result} if error is None else {"error": error})}
    return answer(200, json.dumps(body).encode(), content_type="application/json")


def model(request: ServerRequest) -> Wire:
    """Tell the key in the middle of an answer, in two pieces; or in an error."""
    key = request.headers["authorization"].removeprefix("Bearer ")
    if request.method == "GET":
        return raw(json.dumps({"data": [], "key": key}).encode(), x_key=key)(request)
    if "refuse" in request.body.decode():
        return refuse(401, f"the key {key} is not known")(request)
    return chunks(["your key is ", key[:9], key[9:], " and ", key])(request)


def workflow(name: str, url: str, what: str, prompt: str) -> dict[str, Any]:
    on = {"on_error": "continue"}
    call = {
        "method": "POST",
        "headers": {"Authorization": "Bearer {{ secrets.PATH }}", "X-More": "{{ secrets.PATH }}"},
        "query": {"key": "{{ secrets.TOKEN }}"},
        "json": {"deep": ["<{{ secrets.TOKEN }}>"]},
    }
    through = "{{ secrets.PATH }}"
    steps = [
        {"id": "secret", "type": "http", "request": {**call, "url": f"{url}/{through}/{what}"}, **on},
        {"id": "plain", "type": "http", "request": {"url": f"{url}/{what}", "headers": {"Authorization": f"Bearer {through}"}}, **on},
        {"id": "bearer", "type": "http", "request": {"url": f"/{what}", "connection": "desk"}, **on},
        {"id": "basic", "type": "http", "request": {"url": f"{url}/{what}", "connection": "old-desk"}, "parse": "text", **on},
        {"id": "model", "type": "llm", "model": "team:m", "prompt": prompt, **on},
        {"id": "tell", "type": "tool", "tool": "mcp:tools/tell", **on},
        {"id": "fail", "type": "tool", "tool": "mcp:tools/fail", **on},
        {"id": "break", "type": "tool", "tool": "mcp:tools/break", **on},
        {"id": "own", "type": "tool", "tool": "http:own", "args": {"what": what}, **on},
        {"id": "again", "type": "http", "depends_on": ["bearer"], "request": {"method": "POST", "url": f"{url}/ok",
         "json": {"of": "{{ steps.bearer.result }}"}}, **on},
    ]  # fmt: skip
    own = {"type": "http", "name": "own", "input_schema": {}, "request": {**call, "url": f"{url}/{through}/{{{{ args.what }}}}"}}
    return {"name": name, "tools": [own], "steps": steps, "output": {"all": "{{ steps.model.status }}"}}


async def plant(api: Api, canaries: Canaries, url: str, base_url: str) -> None:
    origin = {"allowed_origins": [url]}
    headers = {"type": "http", "headers": {"X-Team": "support"}}
    for path, body in [
        ("secrets", {"name": "TOKEN", "value": canaries.token, **origin}),
        ("secrets", {"name": "PATH", "value": canaries.path, **origin}),
        ("connections", {"name": "desk", "base_url": url, "secret_headers": {"Authorization": f"Bearer {canaries.bearer}"}, **headers}),
        ("connections", {"name": "old-desk", "secret_headers": {"Authorization": canaries.basic}, **origin, **headers}),
        (
            "connections",
            {"name": "tools", "type": "mcp", "base_url": f"{url}/mcp", "secret_headers": {"Authorization": f"Bearer {canaries.tool}"}},
        ),
        ("connections", {"name": "team", "type": "openai", "base_url": base_url, "api_key": canaries.api_key}),
    ]:
        made = await api.send("POST", f"/v1/{path}", json=body, headers={"Idempotency-Key": secrets.token_hex(8)})
        assert made.status_code == 201, made.text


async def used(tmp_path: Path, canaries: Canaries) -> tuple[bytes, list[ServerRequest]]:
    """Use all canaries, with and without success; return all that was told, and what the servers got."""
    told: list[bytes] = []
    async with LocalServer(echo) as server, ScriptedServer(model) as models, open_api(tmp_path / "data", http_allow=LOOPBACK) as api:
        api.app.runtime.feed.listen(lambda item: told.append(msgspec.json.encode(item)))
        url = server.url("")
        await plant(api, canaries, url, models.base_url)
        for what, prompt in [("ok", "hello"), ("refused", "refuse"), ("garbled", "hello"), ("away", "refuse"), ("nojson", "hello")]:
            run_id = await api.start(workflow(what, url, what, prompt))
            ended = await api.ended(run_id)
            if what == "ok":
                failed = {step["id"] for step in ended["steps"] if step["error"]}
                assert failed == {"fail", "break"}
                assert {step["status"] for step in ended["steps"] if step["id"] not in failed} == {"succeeded"}
            for part in ("", "/events", "/context", "/summary", "/steps", "/generations", "/graph", "/export", "/stream"):
                told.append((await api.send("GET", f"/v1/runs/{run_id}{part}")).content)
        for path in ("/v1/runs", "/v1/secrets", "/v1/connections", "/metrics"):
            told.append((await api.send("GET", path)).content)
        for listed in await api.pages("/v1/connections"):
            told.append((await api.send("POST", f"/v1/connections/{listed['id']}/test")).content)
            told.append((await api.send("GET", f"/v1/connections/{listed['id']}/tools")).content)
        return b"\n".join(told), [*server.requests, *models.requests]


def kept(directory: Path) -> bytes:
    """Return every byte of every file, packed ones unpacked as well."""
    found = []
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            found.append(content)
            for wbits in (15, 31, -15):
                try:
                    found.append(zlib.decompress(content, wbits))
                except zlib.error:
                    continue
    assert any(b"SQLite format 3" in content for content in found)
    return b"\n".join(found)


@pytest.fixture
def logged() -> Iterator[Callable[[], bytes]]:
    """All that is logged, at the lowest level, with the tracebacks of what went wrong."""
    lines = io.StringIO()
    root = logging.getLogger()
    handler, level = logging.StreamHandler(lines), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def text() -> bytes:
        errors = [error for entry in entries if isinstance(error := entry.get("exc_info"), BaseException)]
        traces = ["".join(traceback.format_exception(error)) for error in errors]
        return "\n".join([lines.getvalue(), *map(repr, entries), *traces]).encode()

    with structlog.testing.capture_logs() as entries:
        yield text
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_value_is_kept_logged_answered_or_streamed(tmp_path: Path, logged: Callable[[], bytes]) -> None:
    canaries = Canaries()
    told, received = run(used(tmp_path, canaries))
    sent = b"\n".join(msgspec.json.encode(request) for request in received)
    assert all(canary.encode() in sent for canary in (canaries.path, canaries.bearer, canaries.tool, canaries.api_key, canaries.basic)), (
        "they were used"
    )
    log = logged()
    assert b"/v1/secrets" in log
    assert canaries.found_in(told) == []
    assert canaries.found_in(log) == []
    assert canaries.found_in(kept(tmp_path)) == []
    assert b"your key is *** and ***" in told
    assert b"Bearer ***" in told
    assert b"with ***" in told
    assert b"not with ***" in told


@pytest.mark.parametrize("leak", ["nothing is scrubbed", "nothing is sealed"])
def test_a_leak_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leak: str) -> None:
    canaries = Canaries()
    if leak == "nothing is scrubbed":
        monkeypatch.setattr(Scrubber, "text", lambda self, text: text)
        monkeypatch.setattr(Scrubber, "data", lambda self, value: value)
    else:
        monkeypatch.setattr(Sealer, "seal", lambda self, place, value: value)
        monkeypatch.setattr(Sealer, "open", lambda self, place, sealed: _as_is(place, sealed))
    told, _ = run(used(tmp_path, canaries))
    assert canaries.found_in(kept(tmp_path)) != []
    assert (canaries.found_in(told) != []) is (leak == "nothing is scrubbed")


def _as_is(place: Place, sealed: bytes) -> bytes:
    return sealed


@pytest.mark.parametrize("who", ["next door", "elsewhere"])
def test_what_another_project_stores_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    monkeypatch.setenv("RUNWELL_SECRET_TOKEN", "the operator's")
    monkeypatch.setenv("RUNWELL_CONNECTION_TEAM_API_KEY", "the operator's")
    monkeypatch.setenv("OPENAI_API_KEY", "the operator's")
    canaries = Canaries()

    async def main() -> None:
        async with LocalServer(echo) as server, ScriptedServer(model) as models, open_api(tmp_path / "data", http_allow=LOOPBACK) as api:
            await plant(api, canaries, server.url(""), models.base_url)
            run_id = await api.start(workflow("ok", server.url(""), "ok", "hello"), who=who)
            await api.ended(run_id, who)
            run = await api.get(f"/v1/runs/{run_id}", who=who)
            codes = {step["id"]: (step["error"] or {}).get("code") for step in run["steps"]}
            assert codes["bearer"] == codes["basic"] == "CONNECTION_MISSING"
            assert (codes["secret"], codes["plain"]) == ("SECRET_MISSING", "SECRET_MISSING")
            assert codes["model"] == "LLM_REQUEST_FAILED"
            told = json.dumps(run)
            if who == "elsewhere":
                assert "RUNWELL_SECRET" not in told
                assert "RUNWELL_CONNECTION" not in told
            assert models.requests == []
            assert not any("authorization" in request.headers for request in server.requests)
            assert canaries.found_in(told.encode()) == []

    if who == "next door":  # of the operator's own organization: the environment is its, too
        monkeypatch.delenv("RUNWELL_SECRET_TOKEN")
        monkeypatch.delenv("RUNWELL_CONNECTION_TEAM_API_KEY")
    run(main())
