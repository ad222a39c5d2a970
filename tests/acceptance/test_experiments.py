"""Experiments and evaluations over real sockets: a server in a process of its own, and a provider that answers what was asked."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.experiment_world import ASK, JUDGE, Provider, World, scripted, started, until, world

ROWS = [{"input": {"n": n}, "expected": str(2 * n), "metadata": {"parity": "odd" if n % 2 else "even"}} for n in range(20)]
VARIANTS: list[dict[str, Any]] = [
    {"name": "now"},
    {"name": "small", "model": "local:gpt-4o-mini"},
    {"name": "told", "instructions": "You double numbers.", "params": {"temperature": 0.5}},
]


async def prepare(one: World) -> dict[str, Any]:
    """Make all that the experiment needs; return its body."""
    await one.publish(ASK)
    await one.post("/v1/datasets", {"name": "numbers", "rows": ROWS}, 201)
    await one.post("/v1/evaluators", {"name": "right", "judge": JUDGE}, 201)
    await one.post("/v1/evaluators", {"name": "short", "code": {"code": "{'score': len(output), 'comment': 'its length'}"}}, 201)
    return {"name": "Models", "workflow": "double", "dataset": "numbers", "variants": VARIANTS, "evaluators": ["right"], "concurrency": 8}


def test_twenty_inputs_by_three_variants_yield_a_comparison(tmp_path: Path) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            asked = await prepare(one)
            made = await one.post("/v1/experiments", {**asked, "evaluators": ["right", "short"]}, 202)
            assert (made["status"], made["cells"]) == ("running", 60)
            told = await one.ended(made["id"])
            assert (told["experiment"]["status"], told["experiment"]["open_cells"]) == ("completed", 0)
            now, small, instructed = told["variants"]
            assert [v["name"] for v in told["variants"]] == ["now", "small", "told"]
            assert [v["succeeded"] for v in told["variants"]] == [20, 20, 20]
            assert [v["evaluators"]["right"]["mean"] for v in told["variants"]] == [1.0, 0.5, 1.0]
            assert small["evaluators"]["right"]["p50"] == 0.0
            assert small["evaluators"]["right"]["p90"] == 1.0
            assert (now["wins"], now["losses"], now["ties"], now["is_baseline"]) == (0, 0, 0, True)
            assert small["losses"] >= 9
            assert instructed["ties"] == 20
            assert now["duration_ms"]["count"] == 20
            assert now["duration_ms"]["p99"] >= now["duration_ms"]["p50"]
            rows = (await one.get(f"/v1/experiments/{made['id']}/rows", limit=2))["data"]
            assert [(row["row"], row["input"], row["expected"]) for row in rows] == [(0, {"n": 0}, "0"), (1, {"n": 1}, "2")]
            cell = rows[1]["cells"][1]
            assert (cell["variant"], cell["status"], cell["outcome"]) == ("small", "succeeded", "loss") or cell["outcome"] == "tie"
            assert {score["evaluator"]: score["points"] for score in cell["scores"]} == {"right": 0.0, "short": 1.0}
            assert "You double numbers." in one.provider.systems
            run = await one.get(f"/v1/runs/{cell['run_id']}")
            assert run["metadata"] == {"experiment": made["id"], "variant": "small", "row": "1"}
            assert (run["environment"], run["trigger"], run["workflow"]["version"]) == ("testing", "experiment", 1)
            document = await one.get(f"/v1/runs/{cell['run_id']}/document")
            assert document["steps"][0]["models" if "models" in document["steps"][0] else "model"] == "local:gpt-4o-mini"
            assert (await one.get("/v1/workflows/double/versions"))["data"][0]["number"] == 1, "a variant is no version"

    asyncio.run(test())


def test_an_evaluation_run_and_its_run_link_both_ways(tmp_path: Path) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            await prepare(one)
            run_id = await one.start("double", {"n": 3}, metadata={"who": "me"})
            await one.run_until(run_id, lambda run: run["status"] == "succeeded")
            accepted = await one.post(f"/v1/runs/{run_id}/evaluations", {"evaluator": "right", "expected": "6"}, 202)
            run = await one.run_until(run_id, lambda run: run["evaluations"])
            judge_id = accepted["evaluation_run_id"]
            assert (run["review"], run["score"], run["review_comment"]) == ("positive", 1.0, "right")
            assert run["evaluation_run_info"] == {"evaluation_run_id": judge_id, "evaluated_run_id": None}
            judge = await one.get(f"/v1/runs/{judge_id}")
            assert (judge["is_evaluation_run"], judge["source_run_id"], judge["environment"]) == (True, run_id, "evaluation")
            assert judge["evaluation_run_info"] == {"evaluation_run_id": None, "evaluated_run_id": run_id}
            assert judge["input"]["metadata"] == {"who": "me"}
            assert judge["input"]["run"]["id"] == run_id

            told = (await one.get(f"/workflows/v1/workflow-runs/{run_id[4:28]}"))["workflow_run"]["workflow_run"]
            assert (told["is_evaluation_run"], told["evaluation_run_info"]) == (False, {"evaluation_workflow_run_id": judge_id[4:28]})
            assert told["input_output_pairs"][0]["evaluation"]["right"]["score"] == 1.0
            config = told["workflow_config_fully_hydrated"]["workflow_config"]["evaluation_config"]
            assert (config["evaluator_workflow_id"], config["evaluator_workflow_version_number"]) == (judge["workflow"]["id"], 1)
            about = (await one.get(f"/workflows/v1/workflow-runs/{judge_id[4:28]}"))["workflow_run"]["workflow_run"]
            assert (about["is_evaluation_run"], about["source_workflow_run_id"]) == (True, run_id[4:28])

            await one.post(f"/v1/runs/{run_id}/evaluations", {"evaluator": "short", "turn": {"number": 2, "output": "four"}}, 202)
            run = await one.run_until(run_id, lambda run: len(run["evaluations"]) == 2)
            assert [(said["evaluator"], said["turn"], said["score"]) for said in run["evaluations"]] == [
                ("right", None, 1.0),
                ("short", 2, 4.0),
            ]

            listed = (await one.get("/v1/runs"))["data"]
            assert [entry["id"] for entry in listed] == [run_id], "evaluation runs are not in ordinary lists"
            assert (listed[0]["score"], listed[0]["review_comment"]) == (2.5, "right")
            assert {entry["id"] for entry in (await one.get("/v1/runs", environment="evaluation"))["data"]} >= {judge_id}
            assert [entry["id"] for entry in (await one.get("/v1/runs", q="score:>2 review:positive"))["data"]] == [run_id]
            counted = await one.get("/v1/analytics/runs-count", window="24h")
            assert counted["total"]["runs"] == 1

    asyncio.run(test())


def test_runs_are_evaluated_by_themselves_as_they_succeed(tmp_path: Path) -> None:
    async def test() -> None:
        provider = Provider()
        async with scripted(provider) as env:
            async with started(tmp_path, provider, env) as one:
                await prepare(one)
                before = await one.start("double", {"n": 1})
                await one.run_until(before, lambda run: run["status"] == "succeeded")
                attached = await one.client.put("/v1/workflows/double/evaluators/short", json={"sample_rate": 1.0})
                assert attached.status_code == 200, attached.text
                run_id = await one.start("double", {"n": 50})
                run = await one.run_until(run_id, lambda run: run["evaluations"])
                assert run["score"] == 3.0
                trial = await one.start("double", {"n": 1}, environment="testing")
                await one.run_until(trial, lambda run: run["status"] == "succeeded")
                last = await one.start("double", {"n": 2})
                await one.run_until(last, lambda run: run["status"] == "succeeded")
                os.kill(one.process.pid, signal.SIGKILL)
            async with started(tmp_path, provider, env) as one:
                run = await one.run_until(last, lambda run: run["evaluations"])
                assert [said["evaluator"] for said in run["evaluations"]] == ["short"]
                assert (await one.get(f"/v1/runs/{before}"))["evaluations"] == (await one.get(f"/v1/runs/{trial}"))["evaluations"] == []
                assert (await one.client.delete("/v1/workflows/double/evaluators/short")).status_code == 204
                assert (await one.get("/v1/workflows/double/evaluators"))["data"] == []

    asyncio.run(test())


def test_an_experiment_survives_kill_9_and_starts_nothing_twice(tmp_path: Path) -> None:
    async def test() -> None:
        provider = Provider()
        async with scripted(provider) as env:
            async with started(tmp_path, provider, env) as one:
                made = await one.post("/v1/experiments", {**await prepare(one), "concurrency": 4}, 202)
                await until(lambda: one.get(f"/v1/experiments/{made['id']}"), lambda told: told["experiment"]["open_cells"] <= 45)
                os.kill(one.process.pid, signal.SIGKILL)
            before = sum(provider.asked.values())
            async with started(tmp_path, provider, env) as one:
                told = await one.ended(made["id"])
                assert [variant["succeeded"] for variant in told["variants"]] == [20, 20, 20]
                assert [variant["evaluators"]["right"]["mean"] for variant in told["variants"]] == [1.0, 0.5, 1.0]
                assert 0 < before < 120 <= sum(provider.asked.values())
                assert sum(provider.asked.values()) <= 120 + 4, "only what was in flight at the end of the process is asked again"
                for environment in ("testing", "evaluation"):
                    await until(partial(one.get, "/v1/runs", environment=environment, count=True), lambda page: page["count"] == 60)

    asyncio.run(test())


def test_an_experiment_can_be_stopped(tmp_path: Path) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            await prepare(one)
            waits = {"name": "waits", "steps": [{"id": "nap", "type": "delay", "for_s": 600}]}
            await one.publish(waits)
            asked = {"name": "Naps", "workflow": "waits", "dataset": "numbers", "variants": [{"name": "a"}], "concurrency": 3}
            made = await one.post("/v1/experiments", asked, 202)
            await until(lambda: one.get("/v1/runs", environment="testing", status="waiting"), lambda page: len(page["data"]) == 3)
            refused = await one.client.delete(f"/v1/experiments/{made['id']}")
            assert refused.status_code == 409
            assert (await one.client.delete("/v1/datasets/numbers")).status_code == 409
            await one.post(f"/v1/experiments/{made['id']}/stop", status=202)
            told = await one.ended(made["id"])
            assert (told["experiment"]["status"], told["variants"][0]["stopped"]) == ("stopped", 20)
            runs = (await one.get("/v1/runs", environment="testing"))["data"]
            assert [run["status"] for run in runs] == ["stopped"] * 3
            assert (await one.post(f"/v1/experiments/{made['id']}/stop", status=202))["status"] == "stopped"
            assert (await one.client.delete(f"/v1/experiments/{made['id']}")).status_code == 204

    asyncio.run(test())


def test_bad_input_is_refused_before_anything_runs(tmp_path: Path) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            asked = await prepare(one)
            wrong: list[tuple[dict[str, Any], int, str]] = [
                ({"variants": [{"name": "a", "step": "nowhere", "model": "local:x"}]}, 422, "nowhere"),
                ({"variants": [{"name": "a"}, {"name": "a"}]}, 422, "same name"),
                ({"variants": [{"name": "a", "prompt": "{{ nothing.x }}"}]}, 422, "not valid"),
                ({"variants": [{"name": "a", "version": 9}]}, 404, "version"),
                ({"variants": []}, 422, "variants"),
                ({"variants": [{"name": f"v{n}"} for n in range(9)]}, 422, "variants"),
                ({"baseline": "b"}, 422, "no variant"),
                ({"dataset": "nothing"}, 404, "dataset"),
                ({"dataset_version": 9}, 404, "version 9"),
                ({"evaluators": ["nobody"]}, 404, "evaluator"),
            ]
            for change, status, word in wrong:
                sent = await one.client.post("/v1/experiments", json={**asked, **change})
                assert (sent.status_code, word in sent.text) == (status, True), (change, sent.text)
            assert (await one.get("/v1/experiments"))["data"] == []
            assert not one.provider.asked
            rows = [{"input": {"n": "no number"}}, {"input": {"n": 4}, "expected": "8"}]
            await one.post("/v1/datasets/numbers/versions", {"rows": rows}, 201)
            made = await one.post("/v1/experiments", {**asked, "variants": [{"name": "a"}]}, 202)
            told = await one.ended(made["id"])
            assert (told["variants"][0]["failed"], told["variants"][0]["succeeded"]) == (1, 1)
            row = (await one.get(f"/v1/experiments/{made['id']}/rows"))["data"][0]["cells"][0]
            assert (row["status"], row["error_code"]) == ("failed", "INVALID_INPUT")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"name": "x"}, "one of workflow, judge and code"),
        ({"name": "x", "judge": {"rubric": "r"}}, "model or models"),
        ({"name": "x", "code": {"code": "x"}, "judge": JUDGE}, "one of"),
        ({"name": "x", "judge": {**JUDGE, "rubric": "{{ nothing }}"}}, "not valid"),
        ({"name": "X y", "code": {"code": "1"}}, "slug"),
    ],
)
def test_an_evaluator_that_cannot_be_is_refused(tmp_path: Path, body: dict[str, Any], word: str) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            sent = await one.client.post("/v1/evaluators", json=body)
            assert (sent.status_code, word in sent.text) == (422, True), sent.text
            assert (await one.get("/v1/workflows"))["data"] == []

    asyncio.run(test())


def test_an_evaluator_that_says_nothing_sensible_is_told_as_such(tmp_path: Path) -> None:
    async def test() -> None:
        async with world(tmp_path) as one:
            await prepare(one)
            await one.post("/v1/evaluators", {"name": "babbles", "code": {"code": "'who knows'"}}, 201)
            await one.post("/v1/evaluators", {"name": "crashes", "code": {"code": "1 / 0"}}, 201)
            run_id = await one.start("double", {"n": 3})
            await one.run_until(run_id, lambda run: run["status"] == "succeeded")
            for name in ("babbles", "crashes"):
                await one.post(f"/v1/runs/{run_id}/evaluations", {"evaluator": name}, 202)
            run = await one.run_until(run_id, lambda run: len(run["evaluations"]) == 2)
            errors = {said["evaluator"]: said["error"]["code"] for said in run["evaluations"]}
            assert errors == {"babbles": "EVALUATION_UNREADABLE", "crashes": "PYTHON_FAILED"}
            assert (run["score"], run["review"]) == (None, "")

    asyncio.run(test())
