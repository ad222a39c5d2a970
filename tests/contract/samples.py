"""Small runs for the contract suites."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from runwell.model.events import TYPE_OF, Event, EventData, Log, RunCreated, TaskCreated
from runwell.model.ids import new_id
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Journal

T = TypeVar("T")

KEY = "0123456789abcdef" * 2
"""A key of the cache."""

CREATED = RunCreated(
    org_id="org_1", project_id="prj_1", workflow_id="wf_1", workflow_slug="triage", workflow_name="Triage", version=1, version_hash="h"
)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; a callback that raises fails the test."""

    async def guarded() -> T:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        result = await main
        assert problems == []
        return result

    return asyncio.run(guarded())


def event(run_id: str, seq: int, data: EventData, *, step: str | None = None, ts: int = 1_792_000_000_000, v: int = 1) -> Event:
    return Event(seq, run_id, TYPE_OF[type(data)], ts + seq, step, 1 if step else None, None, data, v)


def events(run_id: str, first: int, *datas: EventData, step: str | None = None) -> list[Event]:
    return [event(run_id, seq, data, step=step) for seq, data in enumerate(datas, first)]


def logs(run_id: str, first: int, count: int, message: str = "hello") -> list[Event]:
    return [event(run_id, seq, Log(message=f"{message} {seq}")) for seq in range(first, first + count)]


def row(run_id: str, seq: int, status: RunStatus = RunStatus.RUNNING, slug: str = "triage") -> RunRow:
    return RunRow(
        run_id=run_id,
        org_id="org_1",
        project_id="prj_1",
        workflow_id="wf_1",
        workflow_slug=slug,
        workflow_name="Triage",
        version=1,
        version_hash="h",
        status=status,
        seq=seq,
    )


def new_run() -> str:
    return new_id("run")


def seqs(found: Sequence[Event]) -> list[int]:
    return [one.seq for one in found]


def asks(task_id: str) -> TaskCreated:
    return TaskCreated(task_id=task_id, task_type="approval", title="Refund?", payload={"a": 1}, assignees=("ann",), expires_at=5_000)


async def pending(journal: Journal) -> list[str]:
    return [task.id for task in await journal.pending_tasks()]
