"""Secrets and connections over HTTP: who may do what, what is refused and why, and that nothing secret is told."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute
from tests.acceptance.api_bench import Api, with_api
from tests.local_server import LocalServer, answer

from runwell.api.routes import connections, secrets

VALUE = "topsecret-0123456789"
SECRET: dict[str, Any] = {"name": "TOKEN", "value": VALUE, "allowed_origins": ["https://a.example"]}
DESK: dict[str, Any] = {
    "name": "desk",
    "type": "http",
    "base_url": "https://a.example/v1",
    "headers": {"X-Team": "support"},
    "secret_headers": {"Authorization": f"Bearer {VALUE}"},
}
OPENAI: dict[str, Any] = {"name": "team", "type": "openai", "api_key": VALUE}
ROUTES = [(method, route.path) for part in (secrets, connections) for route in part.routes.routes if isinstance(route, APIRoute)
          for method in sorted(route.methods or ())]  # fmt: skip
BODIES = {"POST /v1/secrets": SECRET, "POST /v1/connections": DESK, "PUT /v1/secrets/{secret_id}": {"value": "another"},
          "PUT /v1/connections/{connection_id}": {"headers": {}}}  # fmt: skip
ANY = {"If-Match": "*"}


def vaulted(tmp_path: Path, main: Callable[[Api], Awaitable[None]], **settings: Any) -> None:
    with_api(tmp_path, main, **settings)


async def made(api: Api, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    response = await api.send("POST", path, json=body, **options)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{path}/{told['id']}"
    assert response.headers["etag"] == '"1"'
    return told


def refused(response: httpx2.Response, status: int, pointer: str | None = None) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert VALUE not in response.text
    told: dict[str, Any] = response.json()
    if pointer is not None:
        assert pointer in [error["pointer"] for error in told["errors"]], told
    return told


def test_a_secret_is_kept_listed_changed_and_deleted_without_being_told(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        one = await made(api, "/v1/secrets", SECRET)
        assert one == {
            **{"id": one["id"], "name": "TOKEN", "allowed_origins": ["https://a.example"], "has_secret": True, "revision": 1},
            **{"created_by": "usr_ann", "created_at": one["created_at"], "updated_at": one["updated_at"]},
        }
        path = f"/v1/secrets/{one['id']}"
        assert await api.get(path, who="viewer") == one
        assert await api.get("/v1/secrets", who="viewer") == {"data": [one], "next_cursor": None, "prev_cursor": None}
        changed = await api.send(
            "PUT", path, json={"value": VALUE * 2, "allowed_origins": ["https://*.b.example"]}, headers={"If-Match": '"1"'}
        )
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert changed.json()["allowed_origins"] == ["https://*.b.example"]
        assert VALUE not in changed.text
        assert (await api.send("DELETE", path)).status_code == 204
        assert (await api.send("GET", path)).status_code == 404

    vaulted(tmp_path, main)


def test_a_connection_is_kept_listed_changed_and_deleted_without_being_told(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        one = await made(api, "/v1/connections", DESK)
        assert (one["secret_headers"], one["has_secret"], one["allowed_origins"]) == (["Authorization"], True, ["https://a.example"])
        assert (one["headers"], one["base_url"], one["type"]) == (DESK["headers"], DESK["base_url"], "http")
        assert VALUE not in str(one)
        path = f"/v1/connections/{one['id']}"
        assert await api.get(path, who="viewer") == one
        moved = await api.send("PUT", path, json={"base_url": "https://a.example/v2", "headers": {}}, headers={"If-Match": '"1"'})
        assert moved.json() | {"updated_at": 0} == one | {"base_url": "https://a.example/v2", "headers": {}, "revision": 2, "updated_at": 0}
        bare = await api.send("PUT", path, json={"secret_headers": {}}, headers={"If-Match": '"2"'})
        assert (bare.json()["has_secret"], bare.json()["secret_headers"]) == (False, [])
        anywhere = {"base_url": "https://c.example", "allowed_origins": ["https://c.example"]}
        assert (await api.send("PUT", path, json=anywhere, headers=ANY)).status_code == 200
        team = await made(api, "/v1/connections", OPENAI)
        assert team["allowed_origins"] == ["https://api.openai.com"]
        assert [listed["name"] for listed in await api.pages("/v1/connections", limit=1)] == ["desk", "team"]
        assert (await api.send("DELETE", path)).status_code == 204
        assert (await api.send("GET", path)).status_code == 404

    vaulted(tmp_path, main)


@pytest.mark.parametrize("who", ["viewer", "contributor"])
def test_only_admins_change_anything(tmp_path: Path, who: str) -> None:
    async def main(api: Api) -> None:
        ids = await existing(api)
        for method, path in ROUTES:
            if path.endswith("/tools"):  # they may be looked at by who writes workflows: see test_tools
                continue
            response = await api.send(method, path.format(**ids), who=who, json=BODIES.get(f"{method} {path}"), headers=ANY)
            assert response.status_code == (200 if method == "GET" else 403), (method, path)
            assert VALUE not in response.text

    vaulted(tmp_path, main)


@pytest.mark.parametrize("who", ["next door", "elsewhere"])
def test_what_is_anothers_answers_as_what_is_missing(tmp_path: Path, who: str) -> None:
    async def main(api: Api) -> None:
        ids = await existing(api)
        missing = {"secret_id": "sec_" + "9" * 32, "connection_id": "con_" + "9" * 32}
        for method, path in ROUTES:
            if "{" not in path:
                continue
            told = []
            for known in (ids, missing):
                response = await api.send(method, path.format(**known), who=who, json=BODIES.get(f"{method} {path}"), headers=ANY)
                text = response.text.replace(response.headers["x-request-id"], "")
                for one in known.values():
                    text = text.replace(one, "")
                told.append((response.status_code, text, sorted(response.headers)))
            assert told[0] == told[1], (method, path)
            assert told[0][0] == 404
        assert (await api.get("/v1/secrets", who=who))["data"] == (await api.get("/v1/connections", who=who))["data"] == []
        assert [listed["revision"] for listed in await api.pages("/v1/secrets")] == [1]

    vaulted(tmp_path, main)


async def existing(api: Api) -> dict[str, str]:
    return {
        "secret_id": (await made(api, "/v1/secrets", SECRET))["id"],
        "connection_id": (await made(api, "/v1/connections", DESK))["id"],
    }


def test_a_change_names_what_it_builds_on(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        ids = await existing(api)
        for path, body in (
            (f"/v1/secrets/{ids['secret_id']}", {"value": "x"}),
            (f"/v1/connections/{ids['connection_id']}", {"headers": {}}),
        ):
            refused(await api.send("PUT", path, json=body), 428)
            refused(await api.send("PUT", path, json=body, headers={"If-Match": '"7"'}), 412)
            assert (await api.send("PUT", path, json=body, headers={"If-Match": '"1"'})).status_code == 200
            refused(await api.send("PUT", path, json=body, headers={"If-Match": '"1"'}), 412)

    vaulted(tmp_path, main)


def test_new_origins_need_the_secret_again(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        ids = await existing(api)
        path = f"/v1/secrets/{ids['secret_id']}"
        told = refused(await api.send("PUT", path, json={"allowed_origins": ["https://evil.example"]}, headers=ANY), 422, "/value")
        assert "need the secret again" in told["detail"]
        same = await api.send("PUT", path, json={"allowed_origins": ["HTTPS://A.example:443/"]}, headers=ANY)
        assert same.status_code == 200
        path = f"/v1/connections/{ids['connection_id']}"
        for body in ({"allowed_origins": ["https://a.example", "https://evil.example"]}, {"base_url": None}):
            told = refused(await api.send("PUT", path, json=body, headers=ANY), 422, "/secret_headers")
            assert "credentials again" in told["detail"]
        away = {"base_url": "https://evil.example", "allowed_origins": ["https://evil.example"]}
        refused(await api.send("PUT", path, json=away, headers=ANY), 422, "/secret_headers")
        refused(await api.send("PUT", path, json={"base_url": "https://evil.example"}, headers=ANY), 422, "/base_url")
        again = {**away, "secret_headers": {"Authorization": "Bearer another"}}
        assert (await api.send("PUT", path, json=again, headers=ANY)).json()["allowed_origins"] == ["https://evil.example"]
        wild = await made(
            api, "/v1/connections", {**DESK, "name": "wild", "allowed_origins": ["https://*.b.example"], "base_url": "https://x.b.example"}
        )
        moved = await api.send("PUT", f"/v1/connections/{wild['id']}", json={"base_url": "https://y.b.example"}, headers=ANY)
        refused(moved, 422, "/secret_headers")

    vaulted(tmp_path, main)


@pytest.mark.parametrize(
    ("path", "change", "pointer"),
    [
        ("secrets", {"name": "1TOKEN"}, "/name"),
        ("secrets", {"name": "TOKEN\n"}, "/name"),
        ("secrets", {"value": ""}, "/value"),
        ("secrets", {"value": VALUE * 1_000}, "/value"),
        ("secrets", {"value": "\ud800" + VALUE}, "/value"),
        ("secrets", {"value": {"a": VALUE}}, "/value"),
        ("secrets", {"allowed_origins": []}, "/allowed_origins"),
        ("secrets", {"allowed_origins": ["https://a.example", "http://b.example"]}, "/allowed_origins/1"),
        ("secrets", {"allowed_origins": ["\ud800"]}, "/allowed_origins/0"),
        ("secrets", {"allowed_origins": [f"https://u:{VALUE[:9]}@a.example"]}, "/allowed_origins/0"),
        ("secrets", {"more": VALUE}, "/more"),
        ("connections", {"name": "Desk"}, "/name"),
        ("connections", {"name": "demo"}, "/name"),
        ("connections", {"name": "openai"}, "/name"),
        ("connections", {"type": "ftp"}, "/type"),
        ("connections", {"api_key": VALUE}, "/api_key"),
        ("connections", {"type": "openai"}, "/secret_headers"),
        ("connections", {"headers": {"Authorization": VALUE}}, "/headers/Authorization"),
        ("connections", {"headers": {"X-\x00": "x"}}, "/headers/X-\x00"),
        ("connections", {"headers": {"X-A": "x\r\ny"}}, "/headers/X-A"),
        ("connections", {"headers": {"Host": "x"}}, "/headers/Host"),
        ("connections", {"secret_headers": {"X-Key": f"{VALUE}\n"}}, "/secret_headers/X-Key"),
        ("connections", {"secret_headers": {"x-team": VALUE}}, "/headers"),
        ("connections", {"secret_headers": {"\ud800": VALUE}}, "/secret_headers/?"),
        ("connections", {"secret_headers": {"\ud800": ""}}, "/secret_headers"),
        ("connections", {"secret_headers": {"X-Key": "\ud800"}}, "/secret_headers/X-Key"),
        ("connections", {"headers": {"X-A": "\ud800"}}, "/headers/X-A"),
        ("connections", {"\ud800": 1}, None),
        ("connections", {"base_url": "https://u:p@a.example"}, "/base_url"),
        ("connections", {"base_url": "https://a.example/?q=1"}, "/base_url"),
        ("connections", {"base_url": "https://a.example/\u00fc"}, "/base_url"),
        ("connections", {"base_url": "http://a.example"}, "/base_url"),
        ("connections", {"base_url": None}, "/allowed_origins"),
        ("connections", {"allowed_origins": ["https://b.example"]}, "/base_url"),
        (
            "connections",
            {"type": "openai", "base_url": None, "secret_headers": {}, "allowed_origins": ["https://b.example"]},
            "/allowed_origins",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, path: str, change: dict[str, Any], pointer: str | None) -> None:
    async def main(api: Api) -> None:
        body = {**(SECRET if path == "secrets" else DESK), **change}
        sent: dict[str, Any] = {"content": json.dumps(body), "headers": {"content-type": "application/json"}}
        refused(await api.send("POST", f"/v1/{path}", **sent), 422, pointer)
        assert (await api.get(f"/v1/{path}"))["data"] == []

    vaulted(tmp_path, main)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await existing(api)
        refused(await api.send("POST", "/v1/secrets", json=SECRET), 409)
        refused(await api.send("POST", "/v1/connections", json=DESK), 409)
        await made(api, "/v1/secrets", SECRET, who="elsewhere")

    vaulted(tmp_path, main)


def test_a_provider_name_is_for_its_connections(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await made(api, "/v1/connections", {**OPENAI, "name": "openai", "type": "openai-responses"})
        refused(await api.send("POST", "/v1/connections", json={**OPENAI, "name": "anthropic"}), 422, "/name")

    vaulted(tmp_path, main)


def test_limits_of_model_calls_are_kept_changed_and_refused_where_there_are_none(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        none = {"max_concurrent": None, "requests_per_minute": None, "timeout_s": None}
        team = await made(api, "/v1/connections", {**OPENAI, "limits": {"max_concurrent": 4}})
        assert team["limits"] == {**none, "max_concurrent": 4}
        path = f"/v1/connections/{team['id']}"
        assert (await api.send("PUT", path, json={"headers": {}}, headers=ANY)).json()["limits"] == team["limits"]
        changed = await api.send("PUT", path, json={"limits": {"timeout_s": 1.5, "requests_per_minute": 60}}, headers=ANY)
        assert changed.json()["limits"] == {**none, "timeout_s": 1.5, "requests_per_minute": 60}
        assert (await api.send("PUT", path, json={"limits": {}}, headers=ANY)).json()["limits"] == none
        assert (await made(api, "/v1/connections", DESK))["limits"] == none
        refused(await api.send("POST", "/v1/connections", json={**DESK, "name": "x", "limits": {"timeout_s": 1}}), 422, "/limits")
        bads: tuple[Any, ...] = (
            {"timeout_s": 0},
            {"max_concurrent": 0},
            {"requests_per_minute": -1},
            {"max_concurrent": 1.5},
            {"more": 1},
            [],
            None,
        )
        for bad in bads:
            refused(await api.send("POST", "/v1/connections", json={**OPENAI, "name": "x", "limits": bad}), 422)

    vaulted(tmp_path, main)


@pytest.mark.parametrize("type", ["mistral", "groq", "ollama", "azure", "bedrock"])
def test_connections_of_every_provider(tmp_path: Path, type: str) -> None:
    async def main(api: Api) -> None:
        body = {"name": type, "type": type, "api_key": VALUE}
        addressed = {**body, "base_url": "https://models.example/v1"}
        if type in ("azure", "bedrock"):
            refused(await api.send("POST", "/v1/connections", json=body), 422, "/allowed_origins")
        if type == "ollama":
            refused(await api.send("POST", "/v1/connections", json=body), 422)  # its own address is this machine's
        assert (await made(api, "/v1/connections", addressed))["allowed_origins"] == ["https://models.example"]
        refused(await api.send("POST", "/v1/connections", json={**addressed, "name": "groq" if type != "groq" else "azure"}), 422, "/name")

    vaulted(tmp_path, main)


def test_a_connection_is_tried_with_one_request(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        async with LocalServer(lambda received: answer(401 if "team" in received.target else 204)) as server:
            bodies = [
                {**DESK, "base_url": server.url("/ping")},
                {**OPENAI, "base_url": server.url("/team/v1")},
                {**OPENAI, "name": "claude", "type": "anthropic", "base_url": server.url("")},
                {**OPENAI, "name": "gemini", "type": "google", "base_url": server.url("")},
            ]
            came = [await tried(api, body) for body in bodies]
            assert [(one["ok"], one["status"], one["error"]) for one in came] == [
                *[(True, 204, None), (False, 401, None), (True, 204, None), (True, 204, None)]
            ]
            assert [request.target for request in server.requests] == ["/ping", "/team/v1/models", "/v1/models", "/v1beta/models"]
            desk, team, claude, gemini = (request.headers for request in server.requests)
            assert (desk["authorization"], desk["x-team"]) == (f"Bearer {VALUE}", "support")
            assert team["authorization"] == f"Bearer {VALUE}"
            assert (claude["x-api-key"], gemini["x-goog-api-key"]) == (VALUE, VALUE)

    vaulted(tmp_path, main, http_allow=("127.0.0.0/8",))


def test_a_trial_reaches_no_private_address_and_follows_no_redirect(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        metadata = await tried(api, {**DESK, "base_url": "https://169.254.169.254/latest"})
        assert (metadata["ok"], metadata["status"]) == (False, None)
        assert "link-local" in metadata["error"]
        async with LocalServer(lambda received: answer(302, location=f"/?{received.headers['authorization'].split()[1]}")) as server:
            redirected = await tried(api, {**DESK, "name": "away", "base_url": server.url("/")})
            assert (redirected["ok"], len(server.requests)) == (False, 1)
            assert VALUE not in str(redirected)
        nowhere = await tried(api, {**DESK, "name": "wild", "base_url": None, "allowed_origins": ["https://*.b.example"]})
        assert (nowhere["ok"], "base_url" in nowhere["error"]) == (False, True)

    vaulted(tmp_path, main, http_allow=("127.0.0.0/8",))


async def tried(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    one = await made(api, "/v1/connections", body)
    told: dict[str, Any] = await api.post(f"/v1/connections/{one['id']}/test", None)
    return {"error": None, **told}


def test_publishing_names_a_connection_that_is_not_there(tmp_path: Path) -> None:
    document = {
        "name": "t",
        "steps": [
            {"id": "call", "type": "http", "request": {"url": "/tickets", "connection": "desk"}},
            {"id": "ask", "type": "llm", "model": "team:m", "prompt": "Hi"},
            {"id": "ask-too", "type": "llm", "model": "m", "connection": "team", "prompt": "Hi"},
        ],
    }

    async def main(api: Api) -> None:
        one = (await api.send("POST", "/v1/workflows", json={"document": document})).json()
        path = f"/v1/workflows/{one['id']}/versions"
        told = refused(await api.send("POST", path), 422)
        places = {error["pointer"].removeprefix("/document"): error["code"] for error in told["errors"]}
        assert places == {
            "/steps/0/request/connection": "missing_connection",
            "/steps/1/model": "unknown_model",
            "/steps/2/connection": "missing_connection",
        }
        await made(api, "/v1/connections", OPENAI | {"type": "openai", "name": "desk"})
        told = refused(await api.send("POST", path), 422, None)
        assert "is for models (openai)" in str(told)
        await made(api, "/v1/connections", {**DESK, "name": "team"})
        assert "answers no models" in str(refused(await api.send("POST", path), 422))
        for listed in await api.pages("/v1/connections"):
            await api.send("DELETE", f"/v1/connections/{listed['id']}")
        await made(api, "/v1/connections", DESK)
        await made(api, "/v1/connections", OPENAI)
        assert (await api.send("POST", path)).status_code == 201

    vaulted(tmp_path, main)
