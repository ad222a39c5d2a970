"""`kill -9` of a real server in the middle of an agent: it goes on after the last call that returned, and calls nothing twice."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
from tests.acceptance.served import serving
from tests.acceptance.workbench import run_async
from tests.local_server import LocalServer, Received, answer
from tests.mcp_server import served_desk

from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import call_tools, hang, say
from runwell.testing.scripted_server import Wire

PATIENCE_S = 30.0


def settings(models: ScriptedServer) -> dict[str, str]:
    connection = {"PROVIDER": "openai-chat", "BASE_URL": models.base_url, "API_KEY": "sk-made-up-key"}
    return {f"RUNWELL_CONNECTION_X_{name}": value for name, value in connection.items()} | {"RUNWELL_HTTP_ALLOW": "127.0.0.0/8"}


def document(shop: LocalServer, *tools: str) -> dict[str, Any]:
    order = {
        "type": "http",
        "name": "order",
        "input_schema": {"type": "object", "properties": {"what": {"type": "string"}}},
        "request": {"method": "POST", "url": shop.url("/orders"), "json": {"what": "{{ args.what }}"}},
    }
    agent = {"id": "agent", "type": "agent", "model": "x:gpt-5-mini", "instructions": "Order.", "tools": ["http:order", *tools]}
    return {"name": "orderer", "tools": [order], "steps": [agent]}


async def started(client: httpx2.AsyncClient, doc: dict[str, Any]) -> str:
    made = (await client.post("/v1/agents", json={"document": doc})).raise_for_status().json()
    (await client.post(f"/v1/agents/{made['id']}/versions", json={})).raise_for_status()
    headers = {"Prefer": "respond-async"}
    run = await client.post(f"/v1/agents/{made['id']}/runs", json={"input": "Two pens"}, headers=headers)
    return str(run.raise_for_status().json()["run_id"])


async def ended(client: httpx2.AsyncClient, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            run: dict[str, Any] = (await client.get(f"/v1/runs/{run_id}")).raise_for_status().json()
            if run["ended_at"] is not None:
                return run
            await asyncio.sleep(0.05)


def kill(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_kill_between_two_rounds_repeats_no_call(tmp_path: Path) -> None:
    """The second round's question hangs when the server dies; the tools of the first have returned."""

    async def main() -> None:
        calls = [("c1", "http_order", {"what": "pen"}), ("c2", "http_order", {"what": "ink"}), ("c3", "mcp_desk_shout", {"text": "done"})]
        replies = [call_tools(calls), hang(), say("Ordered.")]
        orders = LocalServer(lambda received: answer(201, b'{"number": 1}', content_type="application/json"))
        async with ScriptedServer(replies) as models, orders, served_desk() as desk:
            with serving(tmp_path, **settings(models)) as (address, process):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    mcp = {"name": "desk", "type": "mcp", "base_url": desk.url}
                    (await client.post("/v1/connections", json=mcp)).raise_for_status()
                    run_id = await started(client, document(orders, "mcp:desk/shout"))
                    await models.asked(2, PATIENCE_S)
                    kill(process)
            assert (len(orders.requests), len(desk.calls)) == (2, 1)
            with serving(tmp_path, **settings(models)) as (address, _):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    run = await ended(client, run_id)
                    assert (run["status"], run["output"]) == ("succeeded", "Ordered.")
                    told = (await client.get(f"/v1/runs/{run_id}/steps/agent/timeline")).json()
            assert (len(orders.requests), len(desk.calls)) == (2, 1), "a call that had returned was made again"
            assert Counter(request.json["what"] for request in orders.requests) == {"pen": 1, "ink": 1}
            assert len(models.requests) == 3
            assert models.requests[2].json["messages"] == models.requests[1].json["messages"]
            assert [len(told_round["calls"]) for told_round in told["rounds"]] == [3, 0]
            assert all(call["result"] is not None for call in told["rounds"][0]["calls"])

    run_async(main())


def test_a_call_whose_end_nobody_saw_is_made_again_with_its_key(tmp_path: Path) -> None:
    """As of every step: at least once, and the other side can tell by the key that it is the same."""

    async def main() -> None:
        ordered = asyncio.Event()

        class Shop(LocalServer):
            async def answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
                if len(self.requests) > 1:
                    return await super().answer(request, reader, writer)
                ordered.set()
                await reader.read()  # until whoever asked is gone
                return False

        def model(request: ServerRequest) -> Wire:
            first = len(request.json["messages"]) == 2
            return (call_tools([("c1", "http_order", {"what": "pen"})]) if first else say("Ordered."))(request)

        async with ScriptedServer(model) as models, Shop(lambda received: answer(201, b"{}", content_type="application/json")) as shop:
            with serving(tmp_path, **settings(models)) as (address, process):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    run_id = await started(client, document(shop))
                    await asyncio.wait_for(ordered.wait(), PATIENCE_S)
                    kill(process)
            with serving(tmp_path, **settings(models)) as (address, _):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    assert (await ended(client, run_id))["output"] == "Ordered."
            assert len(shop.requests) == 2
            assert len({request.headers["idempotency-key"] for request in shop.requests}) == 1
            assert len(models.requests) == 2, "the answer that was paid for is not asked for again"

    run_async(main())


def test_a_kill_while_a_person_decides_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        replies = [call_tools([("c1", "http_order", {"what": "pen"})]), say("Ordered.")]
        orders = LocalServer(lambda received: answer(201, b"{}", content_type="application/json"))
        async with ScriptedServer(replies) as models, orders:
            doc = document(orders)
            doc["tools"][0]["requires_approval"] = True
            with serving(tmp_path, **settings(models)) as (address, process):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    run_id = await started(client, doc)
                    async with asyncio.timeout(PATIENCE_S):
                        while not (tasks := (await client.get(f"/v1/runs/{run_id}/tasks/pending")).json()["data"]):  # noqa: ASYNC110
                            await asyncio.sleep(0.05)
                    kill(process)
            assert orders.requests == []
            with serving(tmp_path, **settings(models)) as (address, _):
                async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
                    path = f"/v1/runs/{run_id}/tasks/{tasks[0]['id']}/complete"
                    edited = {"approved": True, "result": {"args": {"what": "pencil"}}}
                    (await client.post(path, json=edited)).raise_for_status()
                    assert (await ended(client, run_id))["output"] == "Ordered."
            assert [request.json for request in orders.requests] == [{"what": "pencil"}]
            assert len(models.requests) == 2

    run_async(main())
