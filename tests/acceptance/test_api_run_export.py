"""Many runs as a file over HTTP: whole, in parts, and taken up again."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.acceptance.api_bench import FAIL, Api, say, with_api

PATH = "/v1/runs/export"
DEMO = {"name": "demo", "steps": [{"id": "one", "type": "llm", "model": "demo:reader", "prompt": "Say {{ input.what }}"}]}
NEXT = "runwell-next-cursor"


async def lines(api: Api, **params: Any) -> list[dict[str, Any]]:
    response = await api.send("GET", PATH, params=params)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.content.splitlines()]


async def three(api: Api) -> list[str]:
    """Make three runs; return their ids, newest first."""
    return [
        await api.finished(say(), {"n": 1}),
        await api.finished(FAIL, {"by": 0}),
        await api.finished(DEMO, {"what": "hello"}),
    ][::-1]


def test_every_format_has_every_run_that_is_found(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = await three(api)
        trial = await api.finished(say(), environment="testing")
        assert [run["run_id"] for run in await lines(api)] == made
        assert [run["run_id"] for run in await lines(api, q="status:failed")] == [made[1]]
        assert [run["run_id"] for run in await lines(api, workflow="say", environment="testing")] == [trial]
        response = await api.send("GET", PATH, params={"format": "csv", "column": "input.n"})
        assert response.headers["content-disposition"] == 'attachment; filename="runs.csv"'
        rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
        assert [(row["run_id"], row["input.n"]) for row in rows] == list(zip(made, ["", "", "1"], strict=True))
        table = pq.read_table(io.BytesIO((await api.send("GET", PATH, params={"format": "parquet"})).content))
        assert table.column("run_id").to_pylist() == made
        (conversation,) = await lines(api, format="openai-finetune")
        assert [message["role"] for message in conversation["messages"]] == ["user", "assistant"]
        assert conversation["messages"][0]["content"] == "Say hello"
        sides = [await lines(api, format="openai-finetune", split=0.5, side=side) for side in ("train", "validation")]
        assert sorted(map(len, sides)) == [0, 1]
        traces = await lines(api, format="otlp")
        assert [one["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] for one in traces] == [
            run.removeprefix("run_") for run in made
        ]

    with_api(tmp_path, main)


def test_parts_and_interrupted_streams_repeat_and_skip_nothing(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = await three(api)
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 1}
        while True:
            response = await api.send("GET", PATH, params=params)
            seen += [json.loads(line)["run_id"] for line in response.content.splitlines()]
            await api.finished(say("later"))  # it is newer than the export's beginning
            if NEXT not in response.headers:
                break
            params["cursor"] = response.headers[NEXT]
        assert seen == made
        assert [run["run_id"] for run in await lines(api, cursor=made[0])] == made[1:]
        for bad in (params["cursor"][:-2], "run_" + "0" * 32, "x"):
            response = await api.send("GET", PATH, params={"cursor": bad})
            assert response.status_code in (404, 422), response.text
        other = await api.send("GET", PATH, params={"cursor": params["cursor"], "q": "status:failed"})
        assert other.status_code == 422

    with_api(tmp_path, main)


def test_what_cannot_be_exported_is_refused_before_a_byte_is_sent(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await three(api)
        for bad in (
            {"format": "xlsx"},
            {"q": "status:"},
            {"format": "csv", "split": 0.5},
            {"format": "openai-finetune", "split": 1.5},
            {"format": "openai-finetune", "side": "train"},
            {"format": "csv", "column": "nothing"},
            {"limit": 0},
            {"limit": 10**6},
        ):
            response = await api.send("GET", PATH, params=bad)
            assert response.status_code == 422, (bad, response.text)
        assert await lines_of(api, "next door") == []
        store: Any = api.app.run_store
        store.fail = "it is away"
        assert (await api.send("GET", PATH)).status_code == 503
        await asyncio.sleep(0)
        store.fail = None

    with_api(tmp_path, main)


async def lines_of(api: Api, who: str) -> list[bytes]:
    return (await api.send("GET", PATH, who=who)).content.splitlines()
