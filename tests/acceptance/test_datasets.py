"""Datasets over HTTP: versioned, bounded, made of runs, and of one project alone."""

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import Api, say, with_api

from runwell.model import datasets


def test_versions_are_kept_and_rows_paged(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = await api.post("/v1/datasets", {"name": "tickets", "description": "Old ones"}, status=201)
        assert (made["version"], made["rows"]) == (0, 0)
        assert (await api.get("/v1/datasets/tickets/rows"))["data"] == []
        rows = [{"input": n, "expected": -n, "metadata": {"n": n}} for n in range(5)]
        first = await api.post("/v1/datasets/tickets/versions", {"rows": rows, "note": "first"}, status=201)
        second = await api.post(f"/v1/datasets/{made['id']}/versions", {"rows": [{"input": 5}], "append": True}, status=201)
        third = await api.post("/v1/datasets/tickets/versions", {"rows": [{"input": "x"}]}, status=201)
        assert [(one["number"], one["rows"]) for one in (first, second, third)] == [(1, 5), (2, 6), (3, 1)]
        versions = (await api.get("/v1/datasets/tickets/versions"))["data"]
        assert [(one["number"], one["note"]) for one in versions] == [(3, None), (2, None), (1, "first")]
        paged = await api.pages("/v1/datasets/tickets/rows", version=2, limit=4)
        assert [row.get("input") for row in paged] == [0, 1, 2, 3, 4, 5]
        assert paged[1] == {"input": 1, "expected": -1, "metadata": {"n": 1}}
        assert (await api.get("/v1/datasets/tickets"))["rows"] == 1
        await api.get("/v1/datasets/tickets/rows", version=4, status=404)
        await api.post("/v1/datasets", {"name": "tickets"}, status=409)
        assert (await api.send("DELETE", "/v1/datasets/tickets")).status_code == 204
        await api.get(f"/v1/datasets/{made['id']}", status=404)

    with_api(tmp_path, main)


def test_a_dataset_is_made_of_what_a_search_finds_in_ones_own_project(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        runs = [await api.finished(say("echo", "{{ input.q }}"), {"q": f"word{n}"}, metadata={"n": str(n)}) for n in range(3)]
        await api.finished(say("other", "o"), {"q": "word1"})
        body = {"name": "found", "runs": {"query": "workflow:echo", "limit": 2, "expected": True}}
        made = await api.post("/v1/datasets", body, status=201)
        assert (made["version"], made["rows"]) == (1, 2)
        rows = (await api.get("/v1/datasets/found/rows"))["data"]
        assert [row["source_run_id"] for row in rows] == [runs[2], runs[1]]
        assert rows[0] == {"input": {"q": "word2"}, "expected": "word2", "metadata": {"n": "2"}, "source_run_id": runs[2]}
        for who in ("next door", "elsewhere"):
            theirs = await api.post("/v1/datasets", {**body, "name": "found"}, status=201, who=who)
            assert theirs["rows"] == 0, "nobody finds the runs of others"

    with_api(tmp_path, main)


def test_two_projects_never_see_each_others_datasets(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        mine = await api.post("/v1/datasets", {"name": "mine", "rows": [{"input": "secret"}]}, status=201)
        for who in ("next door", "elsewhere"):
            assert (await api.get("/v1/datasets", who=who))["data"] == []
            for key in (mine["id"], "mine"):
                none = await api.send("GET", f"/v1/datasets/{key.replace('mine', 'none')}", who=who)
                for path in ("", "/rows", "/versions"):
                    assert (await api.send("GET", f"/v1/datasets/{key}{path}", who=who)).status_code == none.status_code == 404
                assert (await api.send("DELETE", f"/v1/datasets/{key}", who=who)).status_code == 404
                await api.post(f"/v1/datasets/{key}/versions", {"rows": [{"input": 1}]}, who=who, status=404)
            await api.start(say(), who=who)
            body = {"name": "E", "workflow": "say", "dataset": mine["id"], "variants": [{"name": "a"}]}
            await api.post("/v1/experiments", body, who=who, status=404)
        assert (await api.get("/v1/datasets/mine"))["version"] == 1

    with_api(tmp_path, main)


def test_what_a_project_does_not_want_to_be_kept_is_not_in_its_datasets(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        rules = {"paths": ["input.card"], "kinds": ["email"]}
        sent = await api.send("PUT", "/v1/settings/redaction", json=rules, headers={"If-Match": "*"})
        assert sent.status_code == 200, sent.text
        rows = [{"input": {"card": "4111", "text": "ask ann@example.com"}, "expected": "bob@example.com"}]
        await api.post("/v1/datasets", {"name": "clean", "rows": rows}, status=201)
        kept = str((await api.get("/v1/datasets/clean/rows"))["data"])
        assert [word for word in ("4111", "ann@", "bob@") if word in kept] == []

    with_api(tmp_path, main)


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [{"input": 1}] * (datasets.MOST_ROWS + 1)},
        {"rows": [{"input": "x" * 90_000}] * 100},
        {"rows": [{"output": 1}]},
        {"rows": [], "runs": {}},
        {},
        {"runs": {"query": "status:("}},
        {"runs": {"limit": datasets.MOST_ROWS + 1}},
    ],
)
def test_rows_that_cannot_be_are_refused_and_nothing_is_kept(tmp_path: Path, body: dict[str, Any]) -> None:
    async def main(api: Api) -> None:
        await api.post("/v1/datasets", {"name": "small"}, status=201)
        await api.post("/v1/datasets/small/versions", body, status=422)
        assert (await api.get("/v1/datasets/small"))["version"] == 0
        if body:
            await api.post("/v1/datasets", {"name": "other", **body}, status=422)
            assert [one["name"] for one in (await api.get("/v1/datasets"))["data"]] == ["small"]

    with_api(tmp_path, main)
