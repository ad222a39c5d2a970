"""GET /workflows/v1/workflow-runs/{workflow_run_id}."""

from pathlib import Path

import pytest
from tests.acceptance.api_bench import ASK, Api, with_api

DEMO = {"name": "demo", "steps": [{"id": "one", "type": "llm", "model": "demo:reader", "prompt": "Say one"}]}


def path(run_id: str) -> str:
    return f"/workflows/v1/workflow-runs/{run_id.removeprefix('run_')[:24]}"


def test_a_run_with_a_model_call_and_a_comment(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(DEMO, actor="usr_ann")
        await api.post(f"/v1/runs/{run_id}/comments", {"content": "Look"}, status=201, who="bob")
        run = (await api.get(path(run_id), who="viewer"))["workflow_run"]
        kept = await api.get(f"/v1/runs/{run_id}/events", limit=200)
        inner = run["workflow_run"]
        assert (inner["logical_id"], inner["status"], run["created_by"], run["updated_by"]) == (run_id, "completed", "usr_ann", "usr_bob")
        assert [comment["content"] for comment in inner["comments"]] == ["Look"]
        assert inner["llm_token_usage"]["call_count"] == 1
        assert inner["input_output_pairs"][0]["run_output"]["events"] == kept["data"]
        assert inner["workflow_config_fully_hydrated"]["workflow_config"]["name"] == "demo"

    with_api(tmp_path, main)


def test_a_run_that_waits_for_a_decision(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(ASK)
        await api.until(run_id, lambda run: run["status"] == "waiting")
        inner = (await api.get(path(run_id)))["workflow_run"]["workflow_run"]
        assert (inner["status"], inner["termination_source"]) == ("waiting_for_user_input", None)

    with_api(tmp_path, main)


def test_a_foreign_run_is_a_missing_one(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(DEMO)
        short, absent = run_id.removeprefix("run_")[:24], "0" * 24
        missing = await api.get(path(absent), status=404)
        for who in ("next door", "elsewhere"):
            foreign = await api.get(path(run_id), status=404, who=who)
            assert {**foreign, "request_id": "", "detail": foreign["detail"].replace(short, absent)} == {**missing, "request_id": ""}

    with_api(tmp_path, main)


@pytest.mark.parametrize(
    "text", ["x", "0" * 23, "0" * 25, "g" * 24, "ABCDEF" * 4, "run_" + "0" * 20, "0" * 24 + "%0A", "%00" * 24, "é" * 24]
)
def test_what_is_no_short_id_is_refused(tmp_path: Path, text: str) -> None:
    async def main(api: Api) -> None:
        problem = await api.get(f"/workflows/v1/workflow-runs/{text}", status=422)
        assert problem["errors"][0]["pointer"] == "/path/workflow_run_id"

    with_api(tmp_path, main)
