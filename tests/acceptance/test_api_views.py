"""Saved views: whose they are, who sees them, who may change them."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.acceptance.api_bench import Api, with_api

ANY = {"If-Match": "*"}


async def keep(api: Api, name: str, *, who: str = "ann", status: int = 201, **fields: Any) -> dict[str, Any]:
    kept: dict[str, Any] = await api.post("/v1/views", {"name": name, **fields}, who=who, status=status)
    return kept


async def names(api: Api, who: str) -> list[str]:
    return [view["name"] for view in await api.pages("/v1/views", who=who, limit=2)]


def test_a_view_is_kept_changed_and_deleted(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        fields: dict[str, Any] = {"query": "status:failed started:>-7d", "columns": ["status", "cost"], "sort": ["-cost"], "default": True}
        kept = await keep(api, "Failed", **fields)
        assert {name: kept[name] for name in fields} == fields
        assert (kept["owner"], kept["visibility"], kept["id"][:5]) == ("usr_ann", "private", "view_")
        path = f"/v1/views/{kept['id']}"
        got = await api.send("GET", path)
        assert (got.json(), got.headers["etag"]) == (kept, '"1"')
        changed = {"name": "Failed", "query": "status:timed_out"}
        assert (await api.send("PUT", path, json=changed)).status_code == 428
        assert (await api.send("PUT", path, json=changed, headers={"If-Match": '"7"'})).status_code == 412
        now = (await api.send("PUT", path, json=changed, headers={"If-Match": '"1"'})).json()
        assert (now["query"], now["columns"], now["default"], now["revision"]) == ("status:timed_out", [], False, 2)
        assert (await api.send("DELETE", path)).status_code == 204
        assert (await api.send("DELETE", path)).status_code == 404
        assert await names(api, "ann") == []

    with_api(tmp_path, main)


def test_private_views_are_their_owners_and_shared_ones_everybodys(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        private = await keep(api, "private")
        shared = await keep(api, "shared", visibility="shared")
        await keep(api, "a viewer's", who="viewer")
        assert await names(api, "ann") == ["private", "shared"]
        assert await names(api, "viewer") == ["shared", "a viewer's"]
        assert await names(api, "next door") == await names(api, "elsewhere") == []
        for who in ("bob", "viewer", "next door"):  # bob is an admin
            for method, options in [("GET", {}), ("PUT", {"json": {"name": "x"}, "headers": ANY}), ("DELETE", {})]:
                answer = await api.send(method, f"/v1/views/{private['id']}", who=who, **options)
                missing = await api.send(method, f"/v1/views/view_{'9' * 32}", who=who, **options)
                assert answer.status_code == missing.status_code == 404
                assert answer.json()["detail"] == f"there is no view '{private['id']}'"
        for who in ("viewer", "contributor"):
            refused = await api.send("DELETE", f"/v1/views/{shared['id']}", who=who)
            assert (refused.status_code, refused.json()["detail"]) == (409, "the view 'shared' is somebody else's")
        told = await keep(api, "mine", who="viewer", visibility="shared", status=403)
        assert told["detail"] == "sharing a view needs the permission 'workflow:write'"
        assert (await api.send("DELETE", f"/v1/views/{shared['id']}", who="bob")).status_code == 204

    with_api(tmp_path, main)


def test_names_and_defaults_count_for_each_owner(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        first = await keep(api, "one", default=True)
        other = await keep(api, "one", who="viewer", default=True)
        second = await keep(api, "two", default=True)
        assert (await keep(api, "two", status=409))["detail"] == "there is a view 'two' already"
        taken = await api.send("PUT", f"/v1/views/{first['id']}", json={"name": "two"}, headers=ANY)
        assert taken.status_code == 409
        defaults = [(await api.get(f"/v1/views/{view['id']}"))["default"] for view in (first, second)]
        assert defaults == [False, True]
        assert (await api.get(f"/v1/views/{other['id']}", who="viewer"))["default"] is True

    with_api(tmp_path, main)


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "a\0b"}, {"name": "\ud800"}, {"name": "x", "visibility": "public"}, {"name": "x", "more": 1}]
)
def test_what_is_no_view_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async def main(api: Api) -> None:
        answer = await api.send("POST", "/v1/views", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")

    with_api(tmp_path, main)


@pytest.mark.parametrize(
    ("body", "pointer", "position", "message", "hint"),
    [
        ({"query": "late stauts:failed"}, "/query", 5, "there is no field 'stauts'", "did you mean status?"),
        ({"query": 'status:failed "open'}, "/query", 14, "not closed", '"'),
        ({"query": "started:>-7d cost:>cheap"}, "/query", 19, "no amount", "0.01"),
        ({"sort": ["started", "-cots"]}, "/sort/1", 1, "there is no field 'cots'", "did you mean cost?"),
        ({"sort": [""]}, "/sort/0", None, "", None),
    ],
)
def test_a_search_that_cannot_be_read_is_not_kept(
    tmp_path: Path, body: dict[str, Any], pointer: str, position: int | None, message: str, hint: str | None
) -> None:
    async def main(api: Api) -> None:
        kept = await keep(api, "kept", query="tag:beta", sort=["-cost", "input.n", "duration_ms"])
        for method, path in [("POST", "/v1/views"), ("PUT", f"/v1/views/{kept['id']}")]:
            answer = await api.send(method, path, json={"name": "new", **body}, headers=ANY)
            assert answer.status_code == 422
            [problem] = answer.json()["errors"]
            assert (problem["pointer"], problem.get("position")) == (pointer, position), problem
            assert message in problem["message"]
            assert (hint or "") in (problem.get("hint") or "")
        assert (await api.get(f"/v1/views/{kept['id']}"))["query"] == "tag:beta"
        assert await names(api, "ann") == ["kept"]

    with_api(tmp_path, main)


def test_tables_from_before_views_are_brought_up_to_date(tmp_path: Path) -> None:
    async def before(api: Api) -> None:
        assert api.app.sql is not None
        await keep(api, "lost")
        await api.app.sql.write(lambda connection: connection.execute(text("DROP TABLE saved_view")))
        await api.app.sql.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0001'")))

    async def after(api: Api) -> None:
        assert await names(api, "ann") == []
        await keep(api, "kept")

    with_api(tmp_path, before)
    with_api(tmp_path, after)
