"""Whoever is of another project or organization finds nothing, and cannot tell what is hidden from what is missing."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from tests.acceptance.api_bench import ASK, Api, with_api

from runwell.api.routes import run_marks, run_record, run_search, runs, tasks

PARTS = (runs, run_search, run_marks, run_record, tasks)
ROUTES = [(method, route.path) for part in PARTS for route in part.routes.routes if isinstance(route, APIRoute)
          for method in sorted(route.methods or ())]  # fmt: skip
ABOUT_ONE = [(method, path) for method, path in ROUTES if "{" in path]
LISTS = [path for method, path in ROUTES if "{" not in path and method == "GET" and path != "/v1/runs/fields"]

BODIES = {"comments": {"content": "I was here"}, "complete": {"approved": True}}
MISSING = {"run_id": "run_" + "9" * 32, "task_id": "task_" + "9" * 32, "workflow_id": "wf_" + "9" * 32, "path": "approve"}


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path


async def answer(api: Api, method: str, path: str, ids: dict[str, str], who: str) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers without what differs by the ids asked for and by the request."""
    response = await api.send(method, filled(path, ids), who=who, json=BODIES.get(path.rpartition("/")[2]) if method == "POST" else None)
    told = response.text.replace(response.headers["x-request-id"], "<request>")
    for name, value in ids.items():
        told = told.replace(f"'{value}'", f"<{name}>")
    headers = {name: value for name, value in response.headers.items() if name not in ("x-request-id", "content-length")}
    return response.status_code, told, headers


@pytest.mark.parametrize("who", ["next door", "elsewhere"])
def test_what_is_anothers_answers_as_what_is_missing(tmp_path: Path, who: str) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(ASK)
        run = await api.until(run_id, lambda run: run["status"] == "waiting")
        [task] = await api.pages("/v1/tasks/pending")
        before = await api.pages(f"/v1/runs/{run_id}/events")
        hidden = {"run_id": run_id, "task_id": task["id"], "workflow_id": run["workflow"]["id"], "path": "approve"}
        short = {**hidden, "run_id": run_id[4:28], "workflow_id": "ask"}
        none_short = {**MISSING, "run_id": "9" * 24, "workflow_id": "none"}
        for method, path in ABOUT_ONE:
            status, _, _ = missing = await answer(api, method, path, MISSING, who)
            assert status == 404, (method, path)
            assert await answer(api, method, path, hidden, who) == missing, (method, path)
            assert await answer(api, method, path, short, who) == await answer(api, method, path, none_short, who), (method, path)
        for path in LISTS:
            assert await api.get(path, who=who) == {"data": [], "next_cursor": None, "prev_cursor": None}
        assert await api.pages(f"/v1/runs/{run_id}/events") == before
        assert (await api.get(f"/v1/runs/{run_id}"))["status"] == "waiting"

    with_api(tmp_path, main)


def test_the_same_slug_in_two_projects_is_two_workflows(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = {who: await api.start(ASK, who=who) for who in ("ann", "next door", "elsewhere")}
        for who, run_id in made.items():
            await api.until(run_id, lambda run: run["status"] == "waiting", who)
            for path in ("/v1/runs", "/v1/workflows/ask/runs"):
                assert [run["id"] for run in await api.pages(path, who=who)] == [run_id]
            for path in ("/v1/tasks/pending", "/v1/workflows/ask/tasks/pending"):
                assert [task["run_id"] for task in await api.pages(path, who=who)] == [run_id]
            others = set(made.values()) - {run_id}
            for other in others:
                await api.get(f"/v1/workflows/ask/runs/{other}", status=404, who=who)

    with_api(tmp_path, main)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_passes_unknown_and_viewers_change_nothing(tmp_path: Path, method: str, path: str) -> None:
    async def main(api: Api) -> None:
        nobody = await api.send(method, filled(path, MISSING), who="nobody", json={})
        assert nobody.status_code == 401
        viewer = await api.send(method, filled(path, MISSING), who="viewer", json={})
        assert (viewer.status_code == 403) == (method != "GET" and path != "/v1/runs/search")

    with_api(tmp_path, main)


def test_every_route_is_looked_at() -> None:
    assert {path for _, path in ROUTES} >= {"/v1/runs", "/v1/runs/{run_id}/export", "/v1/workflows/{workflow_id}/runs/{run_id}/events"}
    assert len(ROUTES) > 30


def _properties(schema: Any) -> list[str]:
    return sorted(schema["properties"])


def test_the_openapi_document_has_every_operation_once_and_no_loose_reference(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        document = await api.get("/openapi.json")
        operations = [operation for path in document["paths"].values() for operation in path.values()]
        names = [operation["operationId"] for operation in operations]
        assert len(names) == len(set(names))
        assert {"list_runs", "get_run", "get_run_of_workflow", "list_run_events", "complete_pending_task"} <= set(names)
        text = (await api.send("GET", "/openapi.json")).text
        references = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
        assert references <= document["components"]["schemas"].keys()
        for path, operation in document["paths"].items():
            for details in operation.values():
                declared = {one["name"] for one in details.get("parameters", []) if one["in"] == "path"}
                assert declared == {part.partition("}")[0] for part in path.split("{")[1:]}, path
        assert "label" in _properties(document["components"]["schemas"]["RunSummary"])

    with_api(tmp_path, main)
