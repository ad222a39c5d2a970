"""A run's model calls over HTTP: what was sent and came back, to the byte, and what it cost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage as PricedUsage
from tests.acceptance.api_bench import Api, open_api

from runwell.adapters.models import connections
from runwell.model.usage import usd
from runwell.testing import ScriptedServer
from runwell.testing.scripted_replies import hang, refuse, say
from runwell.testing.scripted_server import Reply

KEY = "sk-very-secret-key"
ASK: dict[str, Any] = {
    "name": "ask",
    "steps": [{"id": "ask", "type": "llm", "models": ["local:gpt-4o-mini", "other:gpt-4o-mini"], "prompt": "{{ input }}"}],
    "output": "{{ steps.ask.result }}",
}

Test = Callable[[Api, ScriptedServer], Awaitable[None]]


def serving(data_dir: Path, monkeypatch: pytest.MonkeyPatch, replies: Iterable[Reply], test: Test) -> None:
    async def run() -> None:
        async with ScriptedServer(replies) as server:
            for name in ("LOCAL", "OTHER"):
                monkeypatch.setenv(f"RUNWELL_CONNECTION_{name}_BASE_URL", server.base_url)
                monkeypatch.setenv(f"RUNWELL_CONNECTION_{name}_API_KEY", KEY)
            async with open_api(data_dir) as api:
                await test(api, server)

    asyncio.run(run())


def test_the_raw_bodies_are_told_by_their_own_route_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = "word " * 20_000

    async def test(api: Api, server: ScriptedServer) -> None:
        run_id = await api.finished(ASK, prompt)
        failed, answered = (await api.get(f"/v1/runs/{run_id}/generations"))["data"]
        assert (failed["error_class"], failed["model_index"], failed["provider"]) == ("overloaded", 0, "local")
        assert (answered["error_class"], answered["model_index"], answered["provider"], answered["key"]) == (None, 1, "other", "own")
        for place, call in enumerate((failed, answered)):
            assert "raw_request" not in call
            whole = await api.get(f"/v1/runs/{run_id}/generations/{call['seq']}")
            assert whole["raw_request"]["text"].encode() == server.requests[place].body
            assert whole["raw_request"]["url"] == f"{server.base_url}/chat/completions"
            assert whole["raw_response"]["status"] == (503, 200)[place]
            assert whole.items() >= call.items()
        assert whole["raw_response"]["text"].endswith("data: [DONE]\n\n")
        for path in ("events", "document"):
            assert "raw_request" not in str(await api.get(f"/v1/runs/{run_id}/{path}"))
        exported = await api.send("GET", f"/v1/runs/{run_id}/export")
        assert [e["data"]["raw_response"]["status"] for e in exported.json()["events"] if e["type"] == "generation_completed"] == [503, 200]
        assert KEY not in exported.text
        assert any((tmp_path / "blobs").rglob("*")), "what is large lies outside of the journal"

    serving(tmp_path, monkeypatch, [refuse(503, f"busy with {KEY}"), say("Hello")], test)


def test_there_is_no_other_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        run_id = await api.finished(ASK, "Hi")
        [call] = (await api.get(f"/v1/runs/{run_id}/generations"))["data"]
        path = f"/v1/runs/{run_id}/generations"
        for seq in (1, call["seq"] + 1, 2**31 - 1):
            assert "no model call" in (await api.get(f"{path}/{seq}", status=404))["detail"]
        for bad in ("0", "-1", "x", str(2**70)):
            await api.get(f"{path}/{bad}", status=422)
        await api.get(f"{path}/{call['seq']}", status=404, who="elsewhere")

    serving(tmp_path, monkeypatch, [say("Hello")], test)


def test_the_cost_is_that_of_the_table_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}

    async def test(api: Api, server: ScriptedServer) -> None:
        own = connections.VENDOR_VARIABLES["openai"]._replace(address=server.base_url)
        monkeypatch.setitem(connections.VENDOR_VARIABLES, "openai", own)
        run_id = await api.finished(ASK, "Hi")
        page = await api.get(f"/v1/runs/{run_id}/generations")
        price = calc_price(PricedUsage(input_tokens=1_000, output_tokens=200), "gpt-4o-mini", provider_id="openai").total_price
        [call] = page["data"]
        assert call["cost_usd"] == page["total"]["cost_usd"] == usd(round(price * 1_000_000_000)) != "0"
        assert call["price_snapshot"].startswith("genai-prices-")
        assert (page["total"]["with_own_keys"], page["total"]["with_fallback_keys"], page["total"]["errors"]) == (1, 0, {})

    serving(tmp_path, monkeypatch, [say("Hello", usage=used)], test)


def test_stopping_the_run_ends_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        run_id = await api.start(ASK, "Hi")
        await server.asked()
        await api.post("/v1/workflows/ask/command", {"command": "stop", "run_id": run_id, "params": {"mode": "immediate"}}, status=202)
        await server.left(patience_s=1)
        assert (await api.ended(run_id))["status"] == "stopped"

    serving(tmp_path, monkeypatch, [hang()], test)
