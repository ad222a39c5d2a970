"""The first start: a link for whoever reads the terminal, good once and for an hour."""

import asyncio
from pathlib import Path

from tests.unit.access.server import ADA, opened, problem, run, signed_in

from runwell.api.first_run import SET_UP_MS, first_run_token
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.serving import set_up_link


def test_the_first_user_is_admin_of_the_default_organization(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            browser = server.client()
            assert (await browser.get("/v1/sign-in")).json() == {"set_up": False, "methods": ["password"]}
            link = await set_up_link(server.parts, "http://127.0.0.1:8080/")
            assert link is not None
            assert link.startswith("http://127.0.0.1:8080/setup?token=")
            body = {**ADA, "token": link.partition("=")[2], "organization_name": "Engine Co"}
            session = signed_in(browser, await browser.post("/v1/setup", json=body))
            assert session["organization"]["name"] == "Engine Co"
            assert (session["organization"]["id"], session["project"]["id"]) == (DEFAULT_ORG, DEFAULT_PROJECT)
            assert session["project"]["name"] == "Default"
            assert session["permissions"] == ["admin", "organization", "task:complete", "workflow:read", "workflow:run", "workflow:write"]
            assert (await browser.get("/v1/session")).json() == session
            assert (await browser.get("/v1/sign-in")).json()["set_up"] is True

    run(main())


def test_set_up_is_refused_once_there_is_a_user(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            await server.admin()
            assert await first_run_token(server.identities) is None
            body = {**ADA, "email": "eve@example.com"}
            for token in ("x", "\u0000"):
                problem(await server.client().post("/v1/setup", json={**body, "token": token}), 409, "CONFLICT")

    run(main())


def test_a_token_is_good_for_an_hour_and_only_the_last_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            first, second = await first_run_token(server.identities), await first_run_token(server.identities)
            browser = server.client()
            wrong = [
                problem(await browser.post("/v1/setup", json={**ADA, "token": token}), 401, "UNAUTHENTICATED") for token in (first, "x")
            ]
            assert wrong[0]["detail"] == wrong[1]["detail"]
            await server.clock.advance(SET_UP_MS)
            problem(await browser.post("/v1/setup", json={**ADA, "token": second}), 401, "UNAUTHENTICATED")
            third = await first_run_token(server.identities)
            assert (await browser.post("/v1/setup", json={**ADA, "token": third})).status_code == 200

    run(main())


def test_of_twenty_at_once_one_sets_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            token = await first_run_token(server.identities)
            bodies = [{**ADA, "email": f"u{n}@example.com", "token": token} for n in range(20)]
            answers = await asyncio.gather(*(server.client().post("/v1/setup", json=body) for body in bodies))
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses[0] == 200
            assert set(statuses[1:]) <= {401, 409}

    run(main())


def test_what_is_sent_must_make_sense(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            token = await first_run_token(server.identities)
            for change in (
                {"password": "short"},
                {"password": "x" * 257},
                {"email": "nobody"},
                {"email": "a\u0000@b"},
                {"name": " "},
                {"name": "a\u0000"},
                {"organization_name": ""},
                {"strange": 1},
                {"token": None},
            ):
                told = problem(await server.client().post("/v1/setup", json={**ADA, "token": token, **change}), 422, "INVALID_REQUEST")
                assert told["errors"][0]["pointer"].strip("/") in change
            raw = b'{"token":"\\ud800","email":"a@b","name":"\\ud800","password":"correct horse \\ud800"}'
            lone = await server.client().post("/v1/setup", content=raw, headers={"Content-Type": "application/json"})
            assert lone.status_code == 422, lone.text

    run(main())
