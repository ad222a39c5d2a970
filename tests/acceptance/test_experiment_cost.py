"""What an experiment's variants cost, by the price table."""

import asyncio
from pathlib import Path

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage as PricedUsage
from tests.acceptance.api_bench import open_api
from tests.acceptance.experiment_world import ASK, JUDGE, Provider, until

from runwell.adapters.models import connections
from runwell.model.usage import usd
from runwell.testing import ScriptedServer


def price(model: str, calls: int) -> str:
    one = calc_price(PricedUsage(input_tokens=1_000, output_tokens=100), model, provider_id="openai").total_price
    return usd(round(one * 1_000_000_000) * calls)


def test_runs_and_their_judges_are_priced_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with ScriptedServer(Provider()) as server:
            monkeypatch.setenv("RUNWELL_CONNECTION_LOCAL_BASE_URL", server.base_url)
            monkeypatch.setenv("RUNWELL_CONNECTION_LOCAL_API_KEY", "sk-none")
            own = connections.VENDOR_VARIABLES["openai"]._replace(address=server.base_url)  # at a foreign address nothing has a price
            monkeypatch.setitem(connections.VENDOR_VARIABLES, "openai", own)
            async with open_api(tmp_path) as api:
                await api.post("/v1/workflows", {"document": ASK}, status=201)
                await api.post("/v1/workflows/double/versions", {}, status=201)
                await api.post("/v1/datasets", {"name": "two", "rows": [{"input": {"n": n}, "expected": "2"} for n in (1, 2)]}, status=201)
                await api.post("/v1/evaluators", {"name": "right", "judge": JUDGE}, status=201)
                variants = [{"name": "large"}, {"name": "small", "model": "local:gpt-4o-mini"}]
                asked = {"name": "E", "workflow": "double", "dataset": "two", "variants": variants, "evaluators": ["right"]}
                made = await api.post("/v1/experiments", asked, status=202)
                path = f"/v1/experiments/{made['id']}"
                told = await until(lambda: api.get(path), lambda one: one["experiment"]["status"] == "completed")
                large, small = told["variants"]
                assert (large["cost_usd"], large["mean_cost_usd"]) == (price("gpt-4o", 2), price("gpt-4o", 1))
                assert (small["cost_usd"], small["evaluation_cost_usd"]) == (price("gpt-4o-mini", 2), price("gpt-4.1", 2))

    asyncio.run(main())
