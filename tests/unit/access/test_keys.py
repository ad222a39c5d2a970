"""API keys: what they open, and what they do not."""

import asyncio
from pathlib import Path
from typing import Any

from tests.unit.access.server import DEFAULT_PROJECT, ORG_B, PROJECT_B, ok, opened, problem, run

from runwell.api.credentials import new_key
from runwell.model.identity import ApiKey
from runwell.model.principal import KEY_SCOPES
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.identity import NewKey, Window

B = Scope(ORG_B, PROJECT_B)


def test_a_key_is_shown_once_and_opens_its_project(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            made = await server.key(admin, "workflow:read", "workflow:run")
            assert made["key"].startswith("rw_")
            assert made["scopes"] == ["workflow:read", "workflow:run"]
            [listed] = ok(await admin.get("/v1/api-keys"))["data"]
            assert listed == {name: value for name, value in made.items() if name != "key"}
            who = ok(await server.client(key=made["key"]).get("/v1/session"))
            assert (who["actor"], who["user"], who["csrf_token"], who["project"]["id"]) == (made["id"], None, None, DEFAULT_PROJECT)
            assert who["permissions"] == made["scopes"]
            assert [project["id"] for project in who["projects"]] == [DEFAULT_PROJECT]

    run(main())


def test_every_credential_that_does_not_count_is_answered_alike(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            good = (await server.key(admin, "admin"))["key"]
            revoked = await server.key(admin, "admin")
            ok(await admin.delete(f"/v1/api-keys/{revoked['id']}"))
            ends = server.clock.now() + 1_000
            expired = await server.key(admin, "admin", expires_at=rfc3339(ends))
            assert (await server.client(key=expired["key"]).get("/v1/projects")).status_code == 403  # known so far
            await server.clock.advance(1_000)
            _, key_id, secret = good.split("_", 2)
            other_secret = ("B" if secret[0] == "A" else "A") + secret[1:]
            headers = [
                f"Bearer {revoked['key']}",
                f"Bearer {expired['key']}",
                f"Bearer rw_{key_id}_{other_secret}",
                f"Bearer {new_key(server.clock.now()).text}",
                f"Bearer {good}x",
                f"Bearer {good} x",
                "Bearer",
                "Bearer rw_",
                f"Basic {good}",
                good,
                "",
                "Bearer \xff",
                "Bearer " + "x" * 10_000,
            ]
            told = []
            for header in headers:
                client = server.client()
                answer = await client.get("/v1/api-keys", headers={"Authorization": header.encode("latin-1")})
                told.append((answer.status_code, answer.headers["www-authenticate"], {**answer.json(), "request_id": ""}))
            assert told[0][0] == 401
            assert all(one == told[0] for one in told)
            twice = await server.client().get(
                "/v1/api-keys", headers=[("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
            )
            assert twice.status_code == 401
            assert (await server.client().get("/v1/api-keys", headers={"Authorization": f"bearer {good}"})).status_code == 200

    run(main())


def test_a_key_that_does_not_count_is_not_made_good_by_a_cookie(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            assert (await admin.get("/v1/users")).status_code == 200
            problem(await admin.get("/v1/users", headers={"Authorization": "Bearer rw_x"}), 401, "UNAUTHENTICATED")

    run(main())


def test_scopes_bound_what_a_key_may_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            for scope in KEY_SCOPES:
                client = server.client(key=(await server.key(admin, scope))["key"])
                reads, administers = (await client.get("/v1/projects")).status_code, (await client.get("/v1/api-keys")).status_code
                assert (reads, administers) == (200 if scope == "workflow:read" else 403, 200 if scope == "admin" else 403)
                problem(await client.get("/v1/users"), 403, "FORBIDDEN")

    run(main())


def test_nobody_gives_more_than_they_have(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            ends = rfc3339(server.clock.now() + 60_000)
            maker = server.client(key=(await server.key(admin, "admin", "workflow:read", expires_at=ends))["key"])
            problem(await maker.post("/v1/api-keys", json={"name": "k", "scopes": ["workflow:run"]}), 403, "FORBIDDEN")
            problem(await admin.post("/v1/api-keys", json={"name": "k", "scopes": ["organization"]}), 403, "FORBIDDEN")
            assert (await server.key(maker, "workflow:read"))["expires_at"] == ends
            later = rfc3339(server.clock.now() + 61_000)
            problem(
                await maker.post("/v1/api-keys", json={"name": "k", "scopes": ["workflow:read"], "expires_at": later}), 422, "INVALID_INPUT"
            )

    run(main())


def test_a_key_of_one_organization_sees_nothing_of_another(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            of_a = await server.key(admin, "workflow:read")
            await server.tenant_b()
            made = new_key(server.clock.now())
            asked = NewKey(key_id=made.key_id, secret_hash=made.secret_hash, name="b", scopes=KEY_SCOPES)
            await server.identities.keys.create(B, "local", asked)
            client = server.client(key=made.text)
            who = ok(await client.get("/v1/session"))
            assert (who["organization"]["id"], [project["id"] for project in who["projects"]]) == (ORG_B, [PROJECT_B])
            assert [key["id"] for key in ok(await client.get("/v1/api-keys"))["data"]] == [made.key_id]
            foreign = await client.delete(f"/v1/api-keys/{of_a['id']}")
            missing = await client.delete("/v1/api-keys/key_" + "0" * 20)
            assert foreign.status_code == missing.status_code == 404
            assert (
                foreign.text.replace(of_a["id"], "").split("request_id")[0]
                == missing.text.replace("key_" + "0" * 20, "").split("request_id")[0]
            )
            assert set(foreign.headers) == set(missing.headers)
            assert (await client.get(f"/v1/projects/{DEFAULT_PROJECT}")).status_code == 404
            assert (await server.client(key=of_a["key"]).get("/v1/projects")).status_code == 200

    run(main())


def test_an_archived_project_can_only_be_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            key = await server.key(admin, "workflow:read", "workflow:run")
            ok(await admin.post("/v1/projects", json={"name": "Two", "slug": "two"}))
            ok(await admin.patch(f"/v1/projects/{DEFAULT_PROJECT}", json={"archived": True}))
            assert ok(await server.client(key=key["key"]).get("/v1/session"))["permissions"] == ["workflow:read"]
            assert ok(await admin.get("/v1/session"))["permissions"] == ["organization", "workflow:read"]
            ok(await admin.patch(f"/v1/projects/{DEFAULT_PROJECT}", json={"archived": False}))
            assert ok(await server.client(key=key["key"]).get("/v1/session"))["permissions"] == ["workflow:read", "workflow:run"]

    run(main())


def test_a_use_is_kept_once_a_minute_beside_the_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            key = await server.key(admin, "workflow:read")
            client = server.client(key=key["key"])

            async def used(after: str | None) -> ApiKey:
                for _ in range(500):
                    [found] = (await server.identities.keys.all(Scope(key_scope[0], key_scope[1]), Window())).items
                    if found.last_used_at != after:
                        return found  # type: ignore[no-any-return]
                    await asyncio.sleep(0.002)
                raise AssertionError("the use was not kept")

            who = ok(await admin.get("/v1/session"))
            key_scope = (who["organization"]["id"], who["project"]["id"])
            begun = rfc3339(server.clock.now())
            await client.get("/v1/projects")
            assert (await used(None)).last_used_at == begun
            await server.clock.advance(59_999)
            for _ in range(3):
                await client.get("/v1/projects")
            await server.clock.advance(1)
            await client.get("/v1/projects")
            assert (await used(begun)).last_used_at == rfc3339(server.clock.now())

    run(main())


def test_revoking_is_idempotent_and_keys_come_in_pages(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            keys = []
            for _ in range(5):
                await server.clock.advance(1)
                keys.append((await server.key(admin, "admin"))["id"])
            for _ in range(2):
                assert (await admin.delete(f"/v1/api-keys/{keys[0].removeprefix('key_')}")).status_code == 204
            first = ok(await admin.get("/v1/api-keys?limit=2"))
            second = ok(await admin.get("/v1/api-keys", params={"limit": 2, "cursor": first["next_cursor"]}))
            third = ok(await admin.get("/v1/api-keys", params={"limit": 2, "cursor": second["next_cursor"]}))
            pages = [[key["id"] for key in page["data"]] for page in (first, second, third)]
            assert pages == [keys[:2], keys[2:4], keys[4:]]
            assert (first["prev_cursor"], third["next_cursor"]) == (None, None)
            back = ok(await admin.get("/v1/api-keys", params={"limit": 2, "cursor": third["prev_cursor"]}))
            assert back["data"] == second["data"]
            assert first["data"][0]["revoked_at"] is not None
            for cursor in ("x", "ÿ", "\u0000", "YTo", "a" * 199):
                problem(await admin.get("/v1/api-keys", params={"cursor": cursor}), 422, "INVALID_INPUT")

    run(main())


def test_what_is_asked_must_make_sense(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            good = {"name": "k", "scopes": ["workflow:read"]}
            wrong: tuple[dict[str, Any], ...] = (
                {"name": "\u0000"},
                {"name": "x" * 201},
                {"scopes": []},
                {"scopes": ["everything"]},
                {"scopes": ["admin"] * 6},
                {"expires_at": "2000-01-01T00:00:00Z"},
                {"expires_at": "2030-01-01T00:00:00"},
                {"expires_at": 10**30},
                {"expires_at": "NaN"},
                {"strange": 1},
            )
            for change in wrong:
                assert (await admin.post("/v1/api-keys", json={**good, **change})).status_code == 422, change
            for key_id in ("x", "key_x", "key_%00", "key_" + "0" * 21):
                assert (await admin.delete(f"/v1/api-keys/{key_id}")).status_code == 422

    run(main())
