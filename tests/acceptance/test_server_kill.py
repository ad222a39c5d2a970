"""`kill -9` of the server under load: every start that was answered exists and ends, and sending the others again starts each once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.served import serving
from tests.acceptance.workbench import run_async
from tests.postgres import PostgresServer

STARTS = 1_200
IN_FLIGHT = 500
KILLED_AFTER = 400  # answers; with those in flight fewer than all
DOCUMENT: dict[str, Any] = {
    "name": "order",
    "steps": [
        {"id": "price", "type": "transform", "value": "{{ input.n * 2 }}"},
        {"id": "nap", "type": "delay", "depends_on": ["price"], "for_s": 0.3},
        {"id": "total", "type": "transform", "depends_on": ["nap"], "value": "{{ steps.price.result + 1 }}"},
    ],
    "output": "{{ steps.total.result }}",
}

Answers = dict[int, str]
"""From a start's number to the id of the run that was answered."""


async def publish(client: httpx2.AsyncClient) -> str:
    made = (await client.post("/v1/workflows", json={"document": DOCUMENT})).raise_for_status().json()
    (await client.post(f"/v1/workflows/{made['id']}/versions", json={"activate": True})).raise_for_status()
    return str(made["id"])


async def start_all(client: httpx2.AsyncClient, workflow: str, answers: Answers, numbers: list[int]) -> None:
    """Send the starts, so many at once; those that are not answered are left out of `answers`."""
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def start(number: int) -> None:
        async with slots:
            await send(number)

    async def send(number: int) -> None:
        body = {"command": "start", "params": {"input": {"n": number}, "metadata": {"n": str(number)}}}
        for _ in range(200):
            try:
                sent = await client.post(f"/v1/workflows/{workflow}/command", json=body, headers={"Idempotency-Key": f"order-{number}"})
            except httpx2.HTTPError:
                return
            if sent.status_code == 202:
                answers[number] = sent.json()["run_id"]
                return
            assert sent.status_code == 409, sent.text  # the one before it is still being carried out
            await asyncio.sleep(0.05)

    await asyncio.gather(*map(start, numbers))


async def all_runs(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await client.get(f"/v1/runs?limit=200{cursor}")).raise_for_status().json()
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def ended_runs(client: httpx2.AsyncClient, count: int) -> list[dict[str, Any]]:
    """Return all runs once so many have ended."""
    for _ in range(600):
        found = await all_runs(client)
        if sum(run["ended_at"] is not None for run in found) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"of {len(found)} runs: {Counter(run['status'] for run in found)}")


def client_of(address: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    return httpx2.AsyncClient(base_url=address, timeout=60, limits=limits)


async def check(folder: Path, **settings: str) -> None:
    answers: Answers = {}
    with serving(folder, RUNWELL_RATE_LIMIT="none", **settings) as (address, process):
        async with client_of(address) as client:
            workflow = await publish(client)
            starting = asyncio.ensure_future(start_all(client, workflow, answers, list(range(STARTS))))
            while len(answers) < KILLED_AFTER:  # noqa: ASYNC110 - no event tells how many were answered
                await asyncio.sleep(0.001)
            process.kill()
            process.wait()
            await starting
    acknowledged = dict(answers)
    assert KILLED_AFTER <= len(acknowledged) < STARTS
    with serving(folder, RUNWELL_RATE_LIMIT="none", **settings) as (address, _):
        async with client_of(address) as client:
            await start_all(client, workflow, answers, list(range(STARTS)))
            assert {number: answers[number] for number in acknowledged} == acknowledged
            assert len(set(answers.values())) == STARTS
            runs = await ended_runs(client, STARTS)
            assert sorted(run["id"] for run in runs) == sorted(answers.values())
            assert Counter(run["status"] for run in runs) == {"succeeded": STARTS}
            for number in (0, *list(acknowledged)[::40]):
                whole = (await client.get(f"/v1/runs/{answers[number]}")).json()
                assert whole["output"] == number * 2 + 1


@pytest.mark.crash
def test_a_server_killed_under_load_loses_no_start(tmp_path: Path) -> None:
    run_async(check(tmp_path))


@pytest.mark.crash
def test_nor_does_one_that_keeps_its_runs_in_postgres(tmp_path: Path, postgres: PostgresServer) -> None:
    run_async(check(tmp_path, RUNWELL_DATABASE_URL=postgres.new_schema().secret))
