"""The cache over real sockets: a real server, and a provider that counts what it is asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.served import serving
from tests.acceptance.workbench import run_async

from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import say
from runwell.testing.scripted_server import Wire

AT_ONCE = 50


class Provider(ScriptedServer):
    """Answers `answer <n>` to the n-th request. Held, requests wait for their answers."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.answers = 0

    def _reply(self, request: ServerRequest) -> Wire:
        self.answers += 1
        return say(f"answer {len(self.requests)}")(request)

    async def answer(self, request: ServerRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await self._tell()
        await self.is_open.wait()
        return await super().answer(request, reader, writer)


class Client:
    """What a caller does over HTTP."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def publish(self, document: dict[str, Any]) -> str:
        made = (await self._http.post("/v1/workflows", json={"document": document})).raise_for_status().json()
        (await self._http.post(f"/v1/workflows/{made['id']}/versions", json={"activate": True})).raise_for_status()
        return str(made["id"])

    async def start(self, workflow: str, given: Any = None, **params: Any) -> dict[str, Any]:
        body = {"command": "start", "params": {"input": given, **params}}
        found: dict[str, Any] = (await self._http.post(f"/v1/workflows/{workflow}/command", json=body)).raise_for_status().json()
        return found

    async def get(self, path: str) -> Any:
        return (await self._http.get(path)).raise_for_status().json()

    async def end(self, run_id: str) -> dict[str, Any]:
        for _ in range(600):
            run: dict[str, Any] = await self.get(f"/v1/runs/{run_id}")
            if run["ended_at"] is not None:
                return run
            await asyncio.sleep(0.02)
        raise AssertionError(f"{run_id} is {run['status']}")

    async def ends(self, started: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(self.end(start["run_id"]) for start in started)))


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as server:
        yield server


@asynccontextmanager
async def talking(folder: Path, model: Provider, **settings: str) -> AsyncIterator[tuple[Client, Any]]:
    """Serve the folder, with the connection `local` to the provider; yield a client and the server's process."""
    more = {
        "RUNWELL_CONNECTION_LOCAL_BASE_URL": model.base_url,
        "RUNWELL_RATE_LIMIT": "none",
        "RUNWELL_HTTP_ALLOW": "127.0.0.1",
        **settings,
    }
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    stack = serving(folder, **more)
    address, process = await asyncio.to_thread(stack.__enter__)
    try:
        async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as http:
            yield Client(http), process
    finally:
        await asyncio.to_thread(stack.__exit__, None, None, None)


def document(name: str = "ask", **fields: Any) -> dict[str, Any]:
    step = {"id": "ask", "type": "llm", "model": "local:m", "prompt": "Say {{ input.text }}", "params": {"temperature": 0}, **fields}
    return {"name": name, "steps": [step]}


HELLO = {"text": "hello"}


def test_a_second_identical_run_is_no_call_no_cost_and_marked_everywhere(tmp_path: Path) -> None:
    async def main() -> None:
        async with provider() as model, talking(tmp_path, model) as (client, _):
            workflow = await client.publish(document())
            first = await client.end((await client.start(workflow, HELLO))["run_id"])
            started = await client.start(workflow, HELLO)
            assert started["status"] == "succeeded"
            second = await client.get(f"/v1/runs/{started['run_id']}")
            assert (len(model.requests), second["output"], second["cost_usd"]) == (1, "answer 1", "0")
            assert (second["cache"]["source_run_id"], second["cache"]["hits"]) == (first["id"], 1)
            assert (await client.get(f"/v1/runs/{second['id']}/generations"))["data"] == []
            listed = {run["id"]: run["cache"] for run in (await client.get("/v1/runs"))["data"]}
            assert listed == {first["id"]: None, second["id"]: second["cache"]}
            found = await client.get("/v1/runs?q=cache_hits:>0")
            assert [run["id"] for run in found["data"]] == [second["id"]]
            cost = (await client.get("/v1/analytics/cost?window=1h"))["total"]
            assert (cost["runs"], cost["cache_hits"], cost["saved_ms"]) == (2, 1, second["cache"]["saved_ms"])
            assert second["cache"]["saved_ms"] == first["duration_ms"]
            events = (await client.get(f"/v1/runs/{second['id']}/events"))["data"]
            assert [event["type"] for event in events] == ["run_created", "run_served_from_cache"]
            assert (await client.end((await client.start(workflow, HELLO, use_cache="never"))["run_id"]))["output"] == "answer 2"

    run_async(main())


def test_fifty_identical_runs_at_once_are_one_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with provider() as model, talking(tmp_path, model) as (client, _):
            workflow = await client.publish(document(params={}))
            model.is_open.clear()
            started = await asyncio.gather(*(client.start(workflow, HELLO, use_cache="always") for _ in range(AT_ONCE)))
            assert Counter(start["status"] for start in started) == {"running": 1, "queued": AT_ONCE - 1}
            model.is_open.set()
            runs = await client.ends(started)
            assert (len(model.requests), {(run["status"], run["output"]) for run in runs}) == (1, {("succeeded", "answer 1")})
            assert sum(run["cache"] is not None for run in runs) == AT_ONCE - 1

    run_async(main())


@pytest.mark.parametrize("shared", ["runs", "steps"])
def test_kill_9_while_fifty_wait(tmp_path: Path, shared: str) -> None:
    """Whole runs wait queued; at a step the runs are under way, and differ by their input."""
    of_runs = shared == "runs"
    asked = document(params={}) if of_runs else document(params={}, prompt="the same", cache="always")
    use = {"use_cache": "always"} if of_runs else {}

    async def main() -> None:
        async with provider() as model:
            model.is_open.clear()
            async with talking(tmp_path, model) as (client, process):
                workflow = await client.publish(asked)
                given = [HELLO if of_runs else {"n": n} for n in range(AT_ONCE)]
                started = await asyncio.gather(*(client.start(workflow, one, **use) for one in given))
                await model.asked(1, 30)
                process.kill()
                await asyncio.to_thread(process.wait)
            assert len(model.requests) == 1
            async with talking(tmp_path, model) as (client, _):
                await model.asked(2, 30)  # the attempt that was in flight is made again
                model.is_open.set()
                runs = await client.ends(started)
            assert Counter(run["status"] for run in runs) == {"succeeded": AT_ONCE}
            assert (len(model.requests), {run["output"] for run in runs}) == (2, {"answer 2"})
            assert sum(run["cache"] is not None for run in runs) == AT_ONCE - 1

    run_async(main())


def test_a_step_that_was_had_before_is_served_after_a_restart_and_not_after_its_workflow_is_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with provider() as model:
            async with talking(tmp_path, model) as (client, _):
                first = await client.publish(document(prompt="the same"))
                await client.end((await client.start(first, {"n": 1}))["run_id"])
            async with talking(tmp_path, model) as (client, _):
                second = await client.publish(document("other", prompt="the same"))
                run = await client.end((await client.start(second, {"n": 2}))["run_id"])
                assert (len(model.requests), run["output"], run["steps"][0]["cache"]["source_step_id"]) == (1, "answer 1", "ask")
                (await client._http.delete(f"/v1/workflows/{first}")).raise_for_status()
                run = await client.end((await client.start(second, {"n": 3}))["run_id"])
                assert (len(model.requests), run["output"]) == (2, "answer 2")

    run_async(main())


def test_a_changed_connection_or_secret_and_new_redaction_rules_make_all_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with provider() as one, provider() as two, talking(tmp_path, one) as (client, _):
            stored = {"name": "desk", "type": "openai", "base_url": one.base_url, "api_key": "k"}
            made = await client._http.post("/v1/connections", json=stored)
            assert made.status_code == 201, made.text
            workflow = await client.publish(document(model="desk:m"))

            async def outputs() -> list[str]:
                return [(await client.end((await client.start(workflow, HELLO))["run_id"]))["output"] for _ in range(2)]

            assert (await outputs(), len(one.requests)) == (["answer 1"] * 2, 1)
            moved = {"base_url": two.base_url, "allowed_origins": [two.base_url.removesuffix("/v1")], "api_key": "k"}
            changed = await client._http.put(f"/v1/connections/{made.json()['id']}", json=moved, headers={"If-Match": made.headers["etag"]})
            assert changed.status_code == 200, changed.text
            assert (await outputs(), len(one.requests), len(two.requests)) == (["answer 1"] * 2, 1, 1)
            secret = await client._http.post("/v1/secrets", json={"name": "TOKEN", "value": "v", "allowed_origins": ["https://a.example"]})
            assert secret.status_code == 201, secret.text
            assert (await outputs(), len(two.requests)) == (["answer 2"] * 2, 2)
            current = await client._http.get("/v1/settings/redaction")
            seen = {"If-Match": current.headers["etag"]}
            rules = await client._http.put("/v1/settings/redaction", json={"kinds": ["email"]}, headers=seen)
            assert rules.status_code == 200, rules.text
            assert (await outputs(), len(two.requests)) == (["answer 3"] * 2, 3)

    run_async(main())


@pytest.mark.parametrize("bad", ["sometimes", "", 1, None, True])
def test_what_is_no_use_of_the_cache_is_refused(tmp_path: Path, bad: Any) -> None:
    async def main() -> None:
        async with provider() as model, talking(tmp_path, model) as (client, _):
            workflow = await client.publish(document())
            body = {"command": "start", "params": {"use_cache": bad}}
            refused = await client._http.post(f"/v1/workflows/{workflow}/command", json=body)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/params/use_cache")

    run_async(main())


def test_an_agents_second_run_answers_at_once_with_what_the_first_said(tmp_path: Path) -> None:
    agent = {"id": "ask", "type": "agent", "model": "local:m", "instructions": "Be brief", "params": {"temperature": 0}}

    async def main() -> None:
        async with provider() as model, talking(tmp_path, model) as (client, _):
            made = await client._http.post("/v1/workflows", json={"kind": "agent", "document": {"name": "greeter", "steps": [agent]}})
            assert made.status_code == 201, made.text
            await client._http.post(f"/v1/workflows/{made.json()['id']}/versions", json={"activate": True})

            async def run(**body: Any) -> dict[str, Any]:
                answer = await client._http.post("/v1/agents/greeter/runs", json={"input": "Hi", **body})
                assert answer.status_code == 200, answer.text
                found: dict[str, Any] = answer.json()
                return found

            first, second, third = await run(), await run(), await run(use_cache="never")
            assert [one["output"] for one in (first, second, third)] == ["answer 1", "answer 1", "answer 2"]
            assert (second["cache"]["source_run_id"], third["cache"]) == (first["id"], None)

    run_async(main())
