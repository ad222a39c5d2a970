"""The run store in memory behaves as the port says."""

import pytest
from tests.contract.samples import run as run_async

from runwell.model.errors import RunStoreUnavailable
from runwell.model.run_query import Words
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.ports.run_store import FieldSeen, Place, RunsAsked, RunStore
from runwell.testing import MemoryRunStore

HERE = Scope("org_1", "proj_1")


def record(number: int, rev: int = 1, **fields: object) -> RunRecord:
    known = {"status": RunStatus.RUNNING, "workflow_id": "wf_1", "org_id": HERE.org_id, "created_at": number} | fields
    return RunRecord(
        run_id=f"run_{number}",
        rev=rev,
        project_id=HERE.project_id,
        workflow_slug="flow",
        workflow_name="Flow",
        version=1,
        version_hash="sha256:0",
        **known,  # type: ignore[arg-type]
    )


def test_the_highest_revision_is_kept_and_the_position_with_it() -> None:
    async def main() -> None:
        store: RunStore = MemoryRunStore()
        await store.keep([record(1, rev=3, status=RunStatus.SUCCEEDED)], 7)
        await store.keep([record(1, rev=2)], 8)
        [kept] = await store.page(RunsAsked(scope=HERE), 10)
        assert (kept.rev, kept.status, await store.position()) == (3, "succeeded", 8)

    run_async(main())


def test_what_is_newer_goes_before_what_is_kept_and_pages_go_both_ways() -> None:
    async def main() -> None:
        store = MemoryRunStore()
        await store.keep([record(number) for number in range(1, 6)] + [record(9, org_id="org_2")], 5)
        asked = RunsAsked(scope=HERE, newer=[record(5, rev=4), record(6)])
        assert [(run.run_id, run.rev) for run in await store.page(asked, 3)] == [("run_6", 1), ("run_5", 4), ("run_4", 1)]
        assert [run.run_id for run in await store.page(asked, 2, before=Place(4, "run_4"))] == ["run_3", "run_2"]
        assert [run.run_id for run in await store.page(asked, 2, after=Place(2, "run_2"))] == ["run_4", "run_3"]
        assert [run.run_id async for run in store.records(asked, Place(3, "run_3"))] == ["run_2", "run_1"]
        assert (await store.counts(asked)).count == 6

    run_async(main())


def test_queries_are_judged_as_everywhere() -> None:
    async def main() -> None:
        store = MemoryRunStore()
        await store.keep([record(1, input="a refund"), record(2, input="a bug")], 1)
        asked = RunsAsked(scope=HERE, query=Words(("refund",)))
        assert [run.run_id for run in await store.page(asked, 10)] == ["run_1"]

    run_async(main())


def test_fields_of_runs() -> None:
    async def main() -> None:
        store = MemoryRunStore()
        await store.keep([record(1, input={"items": [{"name": "x"}], "n": 2}, metadata={"env": "prod"})], 1)
        assert await store.fields(RunsAsked(scope=HERE), 0) == [
            FieldSeen(name="environment", types=("string",), values=("production",)),
            FieldSeen(name="input.items", types=("array_length",)),
            FieldSeen(name="input.items[].name", types=("string",), values=("x",)),
            FieldSeen(name="input.n", types=("integer",), values=("2",)),
            FieldSeen(name="metadata.env", types=("string",), values=("prod",)),
            FieldSeen(name="trigger", types=("string",), values=("api",)),
            FieldSeen(name="version", types=("integer",), values=("1",)),
            FieldSeen(name="workflow", types=("string",), values=("flow",)),
        ]
        assert await store.fields(RunsAsked(scope=HERE), 2) == []

    run_async(main())


def test_removal_and_failure() -> None:
    async def main() -> None:
        store = MemoryRunStore()
        await store.keep([record(1), record(2, workflow_id="wf_2"), record(3)], 3)
        await store.remove_workflow("wf_2")
        await store.remove_runs(["run_3"])
        assert list(store.kept) == ["run_1"]
        store.fail = "no"
        with pytest.raises(RunStoreUnavailable, match="no"):
            await store.position()
        assert store.trouble() == "no"
        store.fail = None
        await store.clear()
        assert (store.kept, await store.position()) == ({}, 0)

    run_async(main())
