"""Workflows over HTTP: made, found, drafted, renamed, archived."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.workflow_api import ECHO, OTHER, only, served
from tests.contract.samples import run

from runwell.model.scope import DEFAULT_SCOPE

BROKEN = {"name": "Broken", "steps": [{"id": "a", "type": "transfrom"}, {"id": "b", "type": "transform", "value": 1, "depends_on": ["z"]}]}


def test_a_workflow_from_its_first_draft_to_its_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            answer = await api.raw("POST", "/v1/workflows", {"document": ECHO})
            made = answer.json()
            assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/workflows/{made['id']}")
            assert (made["slug"], made["name"], made["kind"], made["problems"]) == ("echo", "Echo", "workflow", [])
            assert made["document"] == ECHO
            assert (made["active_version"], made["latest_version"], made["unpublished_changes"]) == (None, None, True)
            assert made["created_by"] == "key_1"
            for key in ("echo", made["id"], made["id"].removeprefix("wf_")):
                got = await api.raw("GET", f"/v1/workflows/{key}")
                assert got.json()["id"] == made["id"]
                assert got.headers["etag"] == made["draft_etag"] == answer.headers["etag"]
            changed = {**ECHO, "name": "Echo 2"}
            put = await api("PUT", "/v1/workflows/echo", {"document": changed}, headers={"If-Match": made["draft_etag"]})
            assert put["document"] == changed
            assert put["name"] == "Echo 2"
            assert put["draft_etag"] != made["draft_etag"]
            first = await api("POST", "/v1/workflows/echo/versions", status=201)
            assert (first["number"], first["active"], first["workflow_id"]) == (1, True, made["id"])
            seen = await api("GET", "/v1/workflows/echo")
            assert (seen["active_version"], seen["latest_version"], seen["unpublished_changes"]) == (1, 1, False)
            await api("DELETE", "/v1/workflows/echo", status=204)
            assert (await api("GET", "/v1/workflows/echo", status=404))["code"] == "NOT_FOUND"

    run(main())


def test_a_broken_draft_is_kept_and_its_problems_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api("POST", "/v1/workflows", {"document": BROKEN}, status=201)
            assert {problem["code"] for problem in made["problems"]} >= {"unknown_type", "unknown_dependency"}
            assert made["document"] == BROKEN
            refused = await api("POST", "/v1/workflows/broken/versions", status=422)
            assert refused["code"] == "INVALID_DOCUMENT"
            assert [error["pointer"] for error in refused["errors"]] == [problem["pointer"] for problem in made["problems"]]
            assert (await api("GET", "/v1/workflows/broken/versions"))["data"] == []
            empty = await api("POST", "/v1/workflows", {"slug": "later"}, status=201)
            assert (empty["document"], empty["name"]) == (None, "later")
            assert (await api("POST", "/v1/workflows/later/versions", status=409))["code"] == "CONFLICT"

    run(main())


def test_a_draft_is_never_lost_to_somebody_elses(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            path = f"/v1/workflows/{made['id']}"
            assert (await api("PUT", path, {"document": ECHO}, status=428))["code"] == "PRECONDITION_REQUIRED"
            sent = [{"document": {**ECHO, "description": str(n)}} for n in range(20)]
            answers = await asyncio.gather(*(api.raw("PUT", path, body, headers={"If-Match": made["draft_etag"]}) for body in sent))
            assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
            winner = next(answer for answer in answers if answer.status_code == 200).json()
            assert (await api("GET", path))["document"] == winner["document"]
            for stale in (made["draft_etag"], "7", '"x"', 'W/"2"', "", '"99999999999999999999999"'):
                assert (await api.raw("PUT", path, sent[0], headers={"If-Match": stale})).status_code == 412, stale
            for good in (f'"1", {winner["draft_etag"]}', "*"):
                winner = await api("PUT", path, sent[0], headers={"If-Match": good})
            for method, below, body in (("PATCH", "", {"name": "New"}), ("POST", "/versions", None)):
                assert (await api.raw(method, path + below, body, headers={"If-Match": made["draft_etag"]})).status_code == 412

    run(main())


def test_names_and_slugs(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            taken = await api("POST", "/v1/workflows", {"document": ECHO}, status=409)
            assert (taken["code"], "'echo'" in taken["detail"]) == ("CONFLICT", True)
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201, headers=OTHER)
            await api("POST", "/v1/workflows", {"slug": "second", "name": "The second"}, status=201)
            assert (await api("PATCH", "/v1/workflows/second", {"slug": "echo"}, status=409))["code"] == "CONFLICT"
            renamed = await api("PATCH", "/v1/workflows/echo", {"slug": "écho-2", "name": "Écho"})
            assert (renamed["slug"], renamed["name"], renamed["document"]["name"]) == ("écho-2", "Écho", "Écho")
            await api("GET", "/v1/workflows/echo", status=404)
            await api("GET", "/v1/workflows/écho-2")
            assert (await api("PATCH", "/v1/workflows/second", {}))["slug"] == "second"
            bad: list[Any] = ["", "A", "a b", "-a", "a--b", "a/b", "a_b", "0195dd7a-0000-7000-8000-000000000000", "x" * 201, "a\0", 7]
            for slug in bad:
                assert (await api.raw("POST", "/v1/workflows", {"slug": slug})).status_code == 422, slug

    run(main())


def test_an_id_goes_before_a_slug_that_reads_like_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            sly = made["id"].removeprefix("wf_")
            publisher = api.app.publisher  # the command line's way, which takes any name
            await publisher.publish(DEFAULT_SCOPE, publisher.compile({**ECHO, "name": sly}))
            assert (await api("GET", f"/v1/workflows/{sly}"))["id"] == made["id"]

    run(main())


def test_what_lies_in_another_project_does_not_exist(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api.published(ECHO)
            started = await api.command(made["id"], "start")
            calls: list[tuple[str, str, Any]] = [
                ("GET", "", None),
                ("PUT", "", {"document": ECHO}),
                ("PATCH", "", {"name": "x"}),
                ("DELETE", "", None),
                ("POST", "/validate", None),
                ("GET", "/versions", None),
                ("POST", "/versions", None),
                ("GET", "/versions/1", None),
                ("GET", "/versions/1/diff", None),
                ("POST", "/versions/1/activate", None),
                ("POST", "/archive", None),
                ("POST", "/unarchive", None),
                ("POST", "/command", {"command": "start"}),
                ("POST", "/command", {"command": "stop", "run_id": started["run_id"]}),
            ]
            missing = "wf_" + "0" * 32
            for method, below, body in calls:
                foreign = await api.raw(method, f"/v1/workflows/{made['id']}{below}", body, headers={"If-Match": "*", **OTHER})
                unknown = await api.raw(method, f"/v1/workflows/{missing}{below}", body, headers={"If-Match": "*", **OTHER})
                assert foreign.status_code == unknown.status_code == 404, (method, below)
                assert _plain(foreign, made["id"]) == _plain(unknown, missing)
                by_slug = await api.raw(method, f"/v1/workflows/echo{below}", body, headers={"If-Match": "*", **OTHER})
                assert _plain(by_slug, "echo") == _plain(unknown, missing)
            assert (await api("GET", "/v1/workflows", headers=OTHER))["data"] == []
            assert (await api("GET", "/v1/workflows/echo"))["latest_version"] == 1

    run(main())


def _plain(answer: Any, key: str) -> Any:
    body = answer.json()
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "content-length")}
    return {**body, "request_id": None, "detail": body["detail"].replace(key, "KEY")}, headers


def test_pages_hold_everything_once_while_others_insert(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = [(await api("POST", "/v1/workflows", {"slug": f"w-{n}"}, status=201))["id"] for n in range(23)]
            seen: list[str] = []
            cursors: list[str | None] = []
            cursor, late = None, 0
            while True:
                query = "?limit=5" + (f"&cursor={cursor}" if cursor else "")
                page = await api("GET", f"/v1/workflows{query}")
                seen += [entry["id"] for entry in page["data"]]
                cursors.append(page["prev_cursor"])
                late += 1
                await api("POST", "/v1/workflows", {"slug": f"late-{late}"}, status=201)
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            assert seen == made[::-1]
            assert cursors[0] is None
            back: list[str] = []
            cursor = cursors[-1]
            while cursor is not None:
                page = await api("GET", f"/v1/workflows?limit=5&cursor={cursor}")
                back = [entry["id"] for entry in page["data"]] + back
                cursor = page["prev_cursor"]
            assert [one for one in back if one in made] == made[3:][::-1]  # all but the last page
            assert len(back) == len(set(back)) == 20 + late
            for bad in ("x", "é", page["next_cursor"] + "x"):
                assert (await api("GET", f"/v1/workflows?cursor={bad}", status=422))["code"] == "INVALID_INPUT"
            assert (await api.raw("GET", f"/v1/workflows?limit=5&q=w&cursor={page['next_cursor']}")).status_code == 422

    run(main())


def test_lists_by_kind_text_and_archive(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            for slug, name, kind in (("one", "100% Sure", "workflow"), ("two", "Refunds", "agent"), ("three", "refund_bot", "agent")):
                await api("POST", "/v1/workflows", {"slug": slug, "name": name, "kind": kind}, status=201)
            await api("POST", "/v1/workflows/two/archive")

            async def found(query: str) -> list[str]:
                return [entry["slug"] for entry in (await api("GET", f"/v1/workflows?{query}"))["data"]]

            assert await found("") == ["three", "one"]
            assert await found("kind=agent") == ["three"]
            assert await found("archived=true") == ["two"]
            assert await found("archived=true&q=REFUND") == ["two"]
            assert await found("q=0%25") == ["one"]
            assert await found("q=%25") == ["one"]
            assert await found("q=d_b") == ["three"]
            assert await found("q=one") == ["one"]
            assert (await api("POST", "/v1/workflows/two/archive"))["archived_at"] is not None
            assert (await api("POST", "/v1/workflows/two/unarchive"))["archived_at"] is None
            assert await found("kind=agent") == ["three", "two"]

    run(main())


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/v1/workflows", "workflow:read"),
        ("GET", "/v1/workflows/echo/versions/1/diff", "workflow:read"),
        ("POST", "/v1/workflows/validate", "workflow:read"),
        ("POST", "/v1/workflows", "workflow:write"),
        ("DELETE", "/v1/workflows/echo", "workflow:write"),
        ("POST", "/v1/workflows/echo/versions", "workflow:write"),
    ],
)
def test_each_operation_asks_for_its_permission(tmp_path: Path, method: str, path: str, permission: str) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            refused = await api(method, path, status=403, headers={"x-permissions": "workflow:run task:complete admin"})
            assert repr(permission) in refused["detail"]

    run(main())


HOSTILE: list[bytes] = [
    b'{"document": {"name": "\\ud800"}}',
    b'{"document": {"a": NaN}}',
    b'{"document": {"a": 1e999}}',
    b'{"document": {"a": ' + b"9" * 5000 + b"}}",
    b'{"document": ' + b'{"a":' * 200 + b"1" + b"}" * 201,
    b'{"document": ' + b'{"a":' * 100_000,
    b'{"document": []}',
    b'{"document": "name: x"}',
    b'{"document": null, "note": 1}',
    b'{"slug": "a\\u0000"}',
    b'{"name": "a\\u0000"}',
    b'{"name": "\\ud800"}',
    b"{",
    b"\xff",
    b"[]",
    b"null",
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: repr(content[:40]))
def test_hostile_bodies_are_the_senders_fault(tmp_path: Path, content: bytes) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            for kind in ("application/json", "application/yaml"):
                answer = await api.client.request("POST", "/v1/workflows", content=content, headers={"content-type": kind})
                fine = (201, 400, 422) if kind == "application/yaml" else (400, 422)
                assert answer.status_code in fine, answer.text
                if answer.status_code != 201:
                    assert answer.headers["content-type"] == "application/problem+json"
            for path in ("/v1/workflows/a%00b", "/v1/workflows/%ff", f"/v1/workflows/{'x' * 250}", "/v1/workflows/%F0%9F%99%82"):
                assert (await api.raw("GET", path)).status_code == 404
            assert (await api.raw("GET", "/v1/workflows?q=%00")).status_code == 422

    run(main())


def test_a_document_may_come_as_yaml(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api("POST", "/v1/workflows", "name: Echo\nsteps:\n  - id: say\n    type: transfrom\n", status=201)
            assert [(problem["line"], problem["pointer"]) for problem in made["problems"]] == [(4, "/steps/0/type")]
            text = "name: Echo\nsteps:\n  - {id: say, type: transform, value: on}\n"
            put = await api("PUT", "/v1/workflows/echo", text, headers={"If-Match": made["draft_etag"]})
            assert (put["problems"], put["document"]["steps"][0]["value"]) == ([], "on")
            refused = await api("PUT", "/v1/workflows/echo", "name: [", headers={"If-Match": "*"}, status=422)
            assert refused["errors"][0]["code"] == "bad_yaml"
            twice = "name: Echo\nsteps:\n  - {id: a, type: nope, value: .nan}\nname: E\n"
            refused = await api("PUT", "/v1/workflows/echo", twice, headers={"If-Match": "*"}, status=422)
            assert [error["line"] for error in refused["errors"]] == [3, 4]
            checked = await api("POST", "/v1/workflows/validate", twice)
            assert [problem["code"] for problem in checked["problems"]] == ["bad_yaml", "bad_yaml", "unknown_type"]
            await api("PUT", "/v1/workflows/echo", "- a\n", headers={"If-Match": "*"}, status=422)
            published = await api("POST", "/v1/workflows/echo/versions", "name: Echo\nsteps:\n - id: a\n", status=422)
            assert [error["line"] for error in published["errors"]] == [3]
            seen = await api("GET", "/v1/workflows/echo", headers=only("workflow:read"))
            assert seen["document"] == put["document"]

    run(main())
