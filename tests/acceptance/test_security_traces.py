"""What opens a door leaves no trace: neither in the data directory, nor in the log, nor in answers but the one that tells it.

The real server as a process, with an identity provider; everything that anybody says is kept by the test and searched at the end.
"""

import asyncio
import json
import re
import secrets
import signal
import subprocess
import time
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import httpx2
import pytest
from tests.acceptance.command_line import RUNWELL, CommandLine
from tests.unit.access import provider as providers
from tests.unit.access.provider import Provider
from websockets.asyncio.client import connect

from runwell.api.credentials import derived

PATIENCE_S: Final = 30.0


@dataclass
class Watched:
    """A browser or a program; keeps what it is answered. `told` are the secrets that an answer is there to tell."""

    client: httpx2.AsyncClient
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    async def __call__(self, method: str, path: str, body: Any = None, *, status: int | None = None, **options: Any) -> httpx2.Response:
        answer = (
            await self.client.request(method, path, json=body, **options)
            if body is not None
            else await self.client.request(method, path, **options)
        )
        assert status in (None, answer.status_code), answer.text
        assert answer.status_code < 500, answer.text
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
        self.heard.append((f"{method} {path.partition('?')[0]}", head.encode() + b"\n\n" + answer.content))
        return answer


@dataclass
class Secrets:
    """By name: the secret, and the operation whose answer tells it."""

    known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, secret: str, told_by: str = "") -> str:
        assert len(secret) >= 20, name
        self.known[name] = (secret, told_by)
        return secret

    def made(self, name: str) -> str:
        return self.add(name, f"cnry {secrets.token_hex(16)}")


def forms(secret: str) -> set[bytes]:
    """Return how the secret may stand in a file."""
    raw = secret.encode()
    quoted = {quote(secret).encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    encoded = {b64encode(raw).rstrip(b"="), urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(), secret.encode("utf-16-le")}
    return {raw, raw[:-1], *quoted, *encoded}


def traces(kept: dict[str, tuple[str, str]], content: bytes, where: str) -> list[str]:
    return [f"{name} in {where}" for name, (secret, _) in kept.items() if any(form in content for form in forms(secret))]


async def _visit(serving: "subprocess.Popen[str]", kept: Secrets, provider: Provider) -> list[tuple[str, bytes]]:
    """Do everything for which there is a secret, in the right way and in wrong ones; return what was answered."""
    assert serving.stdout is not None
    address = (await asyncio.to_thread(serving.stdout.readline)).split()[-1]
    token = kept.add("set-up token", (await asyncio.to_thread(serving.stdout.readline)).partition("token=")[2].split()[0])
    async with httpx2.AsyncClient(base_url=address, timeout=30) as browser, httpx2.AsyncClient(base_url=address, timeout=30) as program:
        admin, robot = Watched(browser), Watched(program)
        await _sign_in(admin, kept, token)
        await _wrong_ways(robot, kept, token)
        await _keys(admin, robot, kept)
        await _links(admin, robot, kept)
        await _tickets(robot, kept, address)
        await _provider(robot, kept, provider)
        for path in (
            "/openapi.json",
            "/metrics",
            "/v1/users",
            "/v1/api-keys",
            "/v1/session",
            "/v1/projects",
            "/v1/organization",
            "/v1/workflows",
        ):
            await admin("GET", path, status=200)
        await admin("DELETE", "/v1/session", status=204)
    return admin.heard + robot.heard


async def _sign_in(admin: Watched, kept: Secrets, token: str) -> None:
    password = kept.made("password")
    user = {"email": "ada@example.com", "password": password}
    session = (await admin("POST", "/v1/setup", {**user, "name": "Ada", "token": token}, status=200)).json()
    _session(admin, kept, "first", session, "POST /v1/setup")
    wrong = {"current_password": kept.made("wrong password"), "new_password": kept.made("password not taken")}
    await admin("POST", "/v1/session/password", wrong, status=401, headers={"Idempotency-Key": "wrong"})
    change = {"current_password": password, "new_password": kept.made("new password")}
    await admin("POST", "/v1/session/password", change, status=204, headers={"Idempotency-Key": "change"})
    session = (await admin("POST", "/v1/session", {**user, "password": change["new_password"]}, status=200)).json()
    _session(admin, kept, "second", session, "POST /v1/session")
    project = {"project": session["project"]["id"]}
    await admin("POST", "/v1/session/project", project, status=200, headers={"Idempotency-Key": "switch"})


def _session(watched: Watched, kept: Secrets, name: str, session: dict[str, Any], told_by: str) -> None:
    kept.add(f"{name} session token", watched.client.cookies["runwell-session"], told_by)
    watched.client.headers["X-CSRF-Token"] = kept.add(
        f"{name} CSRF token", session["csrf_token"], f"{told_by}|GET /v1/session|POST /v1/session/project"
    )


async def _wrong_ways(robot: Watched, kept: Secrets, token: str) -> None:
    """Secrets where they do not belong, with mistakes that are explained."""
    password = kept.made("mistyped password")
    for body in (
        {"email": 5, "password": password},
        {"email": "ada@example.com", "password": [password]},
        {"email": "ada@example.com", "password": password, "x": 1},
    ):
        await robot("POST", "/v1/session", body, status=422)
    await robot("POST", "/v1/session", {"email": "ada@example.com", "password": password}, status=401)
    await robot("POST", "/v1/session", {"email": "ada@example.com", "password": password * 20}, status=422)
    await robot("POST", "/v1/setup", {"token": token, "password": password}, status=422)
    await robot("POST", "/v1/password", {"token": token, "password": password}, status=401)
    await robot("POST", "/v1/password", {"token": [token], "password": password[:3]}, status=422)
    await robot(
        "POST",
        "/v1/session",
        content=b'{"password": "' + password.encode() + b'",',
        headers={"Content-Type": "application/json"},
        status=422,
    )
    await robot("GET", f"/setup?token={token}", status=200)
    await robot("GET", f"/v1/session?token={token}", status=401)


async def _keys(admin: Watched, robot: Watched, kept: Secrets) -> None:
    scopes = ["workflow:read", "workflow:write", "workflow:run", "task:complete", "admin"]
    asked = {"name": "robot", "scopes": scopes}
    made = (await admin("POST", "/v1/api-keys", asked, status=201, headers={"Idempotency-Key": "once"})).json()
    kept.add("API key", made["key"].split("_", 2)[2], "POST /v1/api-keys")
    again = await admin("POST", "/v1/api-keys", asked, status=409, headers={"Idempotency-Key": "once"})
    assert again.headers["idempotency-replayed"] == "true"
    for header in (f"bearer {made['key']}x", f"Basic {made['key']}", f"Bearer  {made['key'][:-1]}", f"Bearer {made['key']}"):
        robot.client.headers["Authorization"] = header
        await robot("GET", "/v1/workflows", headers={"X-Request-Id": "robot-was-here"})
    value = kept.made("secret of a workflow")
    await robot(
        "POST",
        "/v1/secrets",
        {"name": "S", "value": value, "allowed_origins": ["https://a.example"]},
        status=201,
        headers={"Idempotency-Key": "s"},
    )
    await robot("POST", "/v1/secrets", {"name": "!", "value": value, "allowed_origins": 1}, status=422)
    child = (await robot("POST", "/v1/api-keys", {"name": "child", "scopes": scopes[:1]}, status=201)).json()
    kept.add("revoked key", child["key"].split("_", 2)[2], "POST /v1/api-keys")
    await robot("DELETE", f"/v1/api-keys/{child['id']}", status=204)


async def _links(admin: Watched, robot: Watched, kept: Secrets) -> None:
    invitation = {"email": "bob@example.com", "organization_admin": True}
    made = (await admin("POST", "/v1/users", invitation, status=201, headers={"Idempotency-Key": "bob"})).json()
    token = kept.add("invitation", made["link"].partition("token=")[2], "POST /v1/users")
    await admin("POST", "/v1/users", invitation, status=409, headers={"Idempotency-Key": "bob"})
    await robot("GET", f"/password?token={token}", status=200)
    chosen = {"token": token, "password": kept.made("password of the invited")}
    answer = await robot("POST", "/v1/password", chosen, status=200)
    _told(kept, "session of the invited", answer, "POST /v1/password")
    path = f"/v1/users/{made['user']['id']}/password-link"
    reset = (await admin("POST", path, status=201, headers={"Idempotency-Key": "reset"})).json()
    kept.add("password link", reset["link"].partition("token=")[2], f"POST {path}")
    await admin("POST", path, status=409, headers={"Idempotency-Key": "reset"})


def _told(kept: Secrets, name: str, answer: httpx2.Response, told_by: str) -> None:
    kept.add(name, answer.cookies["runwell-session"], told_by)
    kept.add(f"CSRF token, {name}", answer.json()["csrf_token"], f"{told_by}|GET /v1/session")
    answer.cookies.clear()


async def _tickets(robot: Watched, kept: Secrets, address: str) -> None:
    robot.client.cookies.clear()
    document = {"name": "w", "steps": [{"id": "a", "type": "transform", "value": 1}]}
    await robot("POST", "/v1/workflows", {"slug": "w", "document": document}, status=201)
    for name, headers in (("used ticket", {"Idempotency-Key": "ticket"}), ("unused ticket", {})):
        made = (await robot("POST", "/v1/stream-tickets", status=201, headers=headers)).json()
        kept.add(name, made["ticket"], "POST /v1/stream-tickets")
    place = f"{address.replace('http', 'ws', 1)}/v1/workflows/w/stream"
    async with connect(f"{place}?ticket={kept.known['used ticket'][0]}", proxy=None):
        pass
    await robot("GET", f"/v1/workflows/w/stream-?ticket={kept.known['unused ticket'][0]}", status=404)


async def _provider(robot: Watched, kept: Secrets, provider: Provider) -> None:
    del robot.client.headers["Authorization"]
    for told in ("well", "by another key"):
        begun = await robot("GET", "/v1/session/oidc?return_to=/runs", status=303)
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        secret = robot.client.cookies["runwell-oidc"]
        kept.add(f"state, signed {told}", state, "GET /v1/session/oidc")
        kept.add(f"cookie of the provider, signed {told}", secret, "GET /v1/session/oidc")
        kept.add(f"verifier, signed {told}", derived(secret, "verifier"))
        provider.signed = told
        code = provider.visit(begun.headers["location"])
        answer = await robot("GET", f"/v1/session/oidc/callback?state={state}&code={code}", status=303 if told == "well" else 401)
        if told == "well":
            kept.add("session by the provider", answer.cookies["runwell-session"], "GET /v1/session/oidc/callback")
    await robot("GET", f"/v1/session/oidc/callback?state={state}&error={quote(kept.known['password'][0])}", status=401)


def _serve(cli: CommandLine, log: Path) -> "subprocess.Popen[str]":
    command = [str(RUNWELL), "serve", "--port", "0"]
    with log.open("w") as errors:
        return subprocess.Popen(command, cwd=cli.folder, env=cli.env, stdout=subprocess.PIPE, stderr=errors, text=True)


def test_what_opens_a_door_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Secrets()
    monkeypatch.setattr(providers, "CLIENT_SECRET", kept.made("client secret of the provider"))
    cli = CommandLine(tmp_path)
    log = tmp_path / "log.txt"

    async def main() -> tuple[list[tuple[str, bytes]], str]:
        provider = Provider(int(time.time() * 1000))
        async with provider.server:
            oidc = {
                "ISSUER": provider.issuer,
                "CLIENT_ID": providers.CLIENT_ID,
                "CLIENT_SECRET": providers.CLIENT_SECRET,
                "DEFAULT_ROLE": "viewer",
            }
            cli.env |= {f"RUNWELL_OIDC_{name}": value for name, value in oidc.items()}
            serving = _serve(cli, log)
            try:
                heard = await asyncio.wait_for(_visit(serving, kept, provider), 90)
                running = {str(path): path.read_bytes() for path in cli.data_dir.rglob("*") if path.is_file()}
            finally:
                serving.send_signal(signal.SIGTERM)
                said, _ = await asyncio.to_thread(serving.communicate, timeout=PATIENCE_S)
            found = [trace for name, content in running.items() for trace in traces(kept.known, content, f"{name}, while it ran")]
            assert not found, found
            return heard, said

    heard, said = asyncio.run(main())
    found = [trace for path in cli.data_dir.rglob("*") if path.is_file() for trace in traces(kept.known, path.read_bytes(), path.name)]
    found += traces(kept.known, log.read_bytes(), "the log") + traces(kept.known, said.encode(), "what it printed at its end")
    for place, content in heard:
        untold = {
            name: known for name, known in kept.known.items() if not any(re.fullmatch(one, place) for one in known[1].split("|") if one)
        }
        found += traces(untold, content, f"the answer to {place}")
    assert not found, "\n".join(sorted(set(found)))
    everything = b"".join(path.read_bytes() for path in cli.data_dir.rglob("*") if path.is_file())
    assert b"ada@example.com" in everything, "the search finds what is there"
    assert b"robot-was-here" in log.read_bytes()
    assert len(kept.known) > 25
    assert len(heard) > 40


def test_the_search_finds_each_form() -> None:
    secret = f"cnry {secrets.token_hex(16)}"
    for form in forms(secret):
        assert traces({"one": (secret, "")}, b"..." + form + b"...", "here") == ["one in here"]
    assert traces({"one": (secret, "")}, secret[:-4].encode(), "here") == []
