"""Retention rules and holds over HTTP."""

from pathlib import Path
from typing import Any

from tests.acceptance.api_bench import ASK, Api, say, with_api

PATH = "/v1/settings/retention"


async def put(api: Api, body: Any, if_match: str | None = "*", *, status: int = 200, who: str = "ann") -> Any:
    response = await api.send("PUT", PATH, who=who, json=body, headers={} if if_match is None else {"If-Match": if_match})
    assert response.status_code == status, response.text
    return response.json()


async def hold(api: Api, path: str, reason: str = "case 1", *, status: int = 200, who: str = "ann", method: str = "PUT") -> Any:
    response = await api.send(method, path, who=who, **({"json": {"reason": reason}} if method == "PUT" else {}))
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def workflow_id(api: Api, run_id: str) -> str:
    return str((await api.get(f"/v1/runs/{run_id}"))["workflow"]["id"])


def test_rules_are_set_and_told(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        its = await workflow_id(api, run_id)
        assert await api.get(PATH) == {"keep_days": None, "rules": []}
        nothing = await put(api, {"rules": [{"keep_days": 3}]}, status=422)
        assert (nothing["errors"][0]["pointer"], "`keep_days` beside `rules`" in nothing["hint"]) == ("/rules/0", True)
        rules = [
            {"workflow_id": "say", "statuses": ["completed", "failed"], "keep_days": 7},
            {"statuses": ["cancelled"], "keep_days": None},
        ]
        told = await put(api, {"keep_days": 30, "rules": rules})
        assert told == {
            "keep_days": 30,
            "rules": [
                {"workflow_id": its, "statuses": ["failed", "succeeded"], "keep_days": 7},
                {"workflow_id": None, "statuses": ["stopped"], "keep_days": None},
            ],
        }
        response = await api.send("GET", PATH)
        assert response.json() == told
        etag = response.headers["etag"]
        assert await put(api, {}, etag) == {"keep_days": None, "rules": []}
        await put(api, {}, etag, status=412)
        await put(api, {}, None, status=428)
        worse: tuple[Any, ...] = (
            {"keep_days": 0},
            {"keep_days": "7"},
            {"keep_days": 10**6},
            {"rules": [{"statuses": ["running"], "keep_days": 1}]},
            {"rules": [{"statuses": ["nonsense"], "keep_days": 1}]},
            {"rules": [{"workflow_id": "nobody", "keep_days": 1}]},
            {"rules": [{"keep_days": 1}, {"keep_days": 2}]},
            {"rules": [{"keep": 1}]},
            [],
        )
        for bad in worse:
            await put(api, bad, status=422)
        for who in ("viewer", "contributor"):
            await put(api, {}, status=403, who=who)
            await api.get(PATH, status=403, who=who)
        # limits and rules do not overwrite each other
        await put(api, {"keep_days": 3})
        await api.send("PUT", "/v1/settings/limits", json={"max_running": 3}, headers={"If-Match": "*"})
        assert (await api.get(PATH))["keep_days"] == 3

    with_api(tmp_path, main)


def test_held_runs_keep_their_workflow(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        its = await workflow_id(api, run_id)
        held = await hold(api, f"/v1/runs/{run_id}/hold")
        assert {key: held[key] for key in ("run_id", "workflow_id", "reason", "by")} == {
            "run_id": run_id,
            "workflow_id": its,
            "reason": "case 1",
            "by": "usr_ann",
        }
        assert (await hold(api, f"/v1/workflows/{its}/runs/{run_id}/hold", "case 2"))["reason"] == "case 2"
        await hold(api, "/v1/workflows/say/hold", "case 3")
        page = await api.get("/v1/holds", limit=1)
        assert [one["run_id"] for one in page["data"]] == [run_id]
        rest = await api.get("/v1/holds", after=page["next_after"])
        assert [(one["run_id"], one["reason"]) for one in rest["data"]] == [(None, "case 3")]
        assert (rest["next_after"], (await api.get("/v1/holds"))["next_after"]) == (None, None)

        refused = await api.send("DELETE", f"/v1/workflows/{its}")
        assert (refused.status_code, refused.json()["code"]) == (409, "HELD")
        assert "case 3" in refused.json()["detail"]
        await hold(api, f"/v1/workflows/{its}/hold", method="DELETE", status=204)
        refused = await api.send("DELETE", f"/v1/workflows/{its}", params={"stop": "true"})
        assert (refused.status_code, refused.json()["code"]) == (409, "HELD")
        assert "case 2" in refused.json()["detail"]
        assert (await api.get(f"/v1/workflows/{its}"))["archived_at"] is None
        await hold(api, f"/v1/runs/{run_id}/hold", method="DELETE", status=204)
        await hold(api, f"/v1/runs/{run_id}/hold", method="DELETE", status=204)
        assert (await api.send("DELETE", f"/v1/workflows/{its}")).status_code == 204
        await api.get(f"/v1/runs/{run_id}", status=404)
        await hold(api, f"/v1/runs/{run_id}/hold", status=404)

    with_api(tmp_path, main)


def test_a_live_run_can_be_held_and_nobody_else_sees_it(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(ASK)
        await api.until(run_id, lambda run: run["status"] == "waiting")
        await hold(api, f"/v1/runs/{run_id}/hold")
        for who in ("next door", "elsewhere"):
            assert (await api.get("/v1/holds", who=who))["data"] == []
            await hold(api, f"/v1/runs/{run_id}/hold", status=404, who=who)
            await hold(api, f"/v1/runs/{run_id}/hold", status=404, who=who, method="DELETE")
        for who in ("viewer", "contributor"):
            await hold(api, f"/v1/runs/{run_id}/hold", status=403, who=who)
        await hold(api, f"/v1/runs/{run_id}/hold", "", status=422)
        await hold(api, f"/v1/runs/{run_id}/hold", "\0", status=422)

    with_api(tmp_path, main)
