"""Asking for lists of runs, and making runs that are old."""

import time
from typing import Any

import msgspec
from tests.acceptance.api_bench import Api

from runwell.model.run_record import RunRecord
from runwell.testing import MemoryRunStore

DAY_MS = 86_400_000


async def ask(api: Api, path: str, params: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await api.send("GET", path, params=params)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def found(api: Api, path: str = "/v1/runs", **params: Any) -> list[str]:
    """Return the ids of the whole list, and see that it is counted rightly."""
    listed, page = list[str](), await ask(api, path, {"limit": 2, **params})
    listed += [run["id"] for run in page["data"]]
    while page["next_cursor"]:
        page = await ask(api, path, {"limit": 2, **params, "cursor": page["next_cursor"]})
        listed += [run["id"] for run in page["data"]]
    counted = await ask(api, path, {**params, "count": "true"})
    assert counted["count"] == len(listed) == len(set(listed)) == sum(counted["facets"]["statuses"].values())
    return listed


def store_of(api: Api) -> MemoryRunStore:
    store = api.app.run_store
    assert isinstance(store, MemoryRunStore)
    return store


async def record_of(api: Api, run_id: str) -> RunRecord:
    assert api.app.projector is not None
    await api.app.projector.catch_up()
    newer = {record.run_id: record for record in api.app.projector.overlay()}
    return newer.get(run_id) or store_of(api).kept[run_id]


async def age(api: Api, run_id: str, days: float) -> str:
    """Put a run of that age into the store, made after another; return its id."""
    then = int(time.time() * 1000 - days * DAY_MS)
    old = await record_of(api, run_id)
    new_id = "run_" + f"{then:012x}".ljust(32, "0")
    changes = {"run_id": new_id, "created_at": then, "started_at": None if old.started_at is None else then, "ended_at": then}
    store_of(api).kept[new_id] = msgspec.structs.replace(old, **changes)
    return new_id
