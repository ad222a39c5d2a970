"""What every journal promises about rows and tasks."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.contract.backend import Backend, opened, refused
from tests.contract.samples import asks, event, logs, new_run, pending, row, run, seqs

from runwell.model.errors import InvalidInput, NotFound
from runwell.model.events import (
    Event,
    RunSucceeded,
    StepCancelled,
    StepCompleted,
    TaskCompleted,
    TaskCreated,
)
from runwell.model.run import TaskView
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import rfc3339
from runwell.ports.journal import EventFilter, RunFilter


class QueryContract:
    """Lists, look-ups and tasks that wait."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    # Rows

    def test_live_oldest_first_and_rows_newest_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made: list[str] = []
                for number, status in enumerate(RunStatus):
                    made.append(new_run())
                    await journal.append(0, logs(made[-1], 1, 1), row(made[-1], 1, slug=f"flow-{number % 2}"))
                    await journal.append(1, logs(made[-1], 2, 1), row(made[-1], 2, status, slug=f"flow-{number % 2}"))
                status_of = dict(zip(made, RunStatus, strict=True))
                assert [found.run_id for found in await journal.live()] == [r for r in made if status_of[r] not in TERMINAL]
                assert [found.run_id for found in await journal.rows()] == made[::-1]
                assert [found.run_id for found in await journal.rows(RunFilter(slug="flow-1"))] == made[1::2][::-1]
                assert [found.run_id for found in await journal.rows(limit=3)] == made[::-1][:3]
                assert [found.run_id for found in await journal.rows(limit=3, before=made[5])] == [made[4], made[3], made[2]]
                assert await journal.rows(limit=0) == []
                assert await journal.rows(before=made[0]) == []
                for run_id in made:
                    assert [found.run_id for found in await journal.rows(RunFilter(statuses=(status_of[run_id],)))] == [run_id]
                assert await journal.rows(RunFilter(statuses=(RunStatus.QUEUED,), slug="flow-1")) == []
                assert await journal.status_counts() == dict.fromkeys(RunStatus, 1)
                wanted = RunFilter(scope=Scope("org_1", "prj_1"), statuses=(RunStatus.RUNNING, RunStatus.FAILED), testing=False)
                assert await journal.status_counts(wanted) == {RunStatus.RUNNING: 1, RunStatus.FAILED: 1}
                assert await journal.status_counts(RunFilter(scope=Scope("org_2", "prj_1"))) == {}
                with pytest.raises(NotFound):
                    await journal.rows(before=new_run())

        run(main())

    def test_find(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                ids = [f"run_0195{digit * 28}" for digit in "abc"] + ["run_0195" + "ab" * 14]
                for run_id in ids:
                    await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                assert await journal.find("run_0195c") == [ids[2]]
                assert await journal.find(ids[1]) == [ids[1]]
                assert await journal.find("run_0195a") == [ids[0], ids[3]]
                assert len(await journal.find("run_0195")) == 2
                for nothing in ("run_0196", "run_%", "run_019_", ids[0] + "0", "\x00"):
                    assert await journal.find(nothing) == []

        run(main())

    def test_the_24_hex_id_is_unique(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                twin = run_id[:-1] + ("0" if run_id[-1] != "0" else "1")
                first = journal.append(0, logs(run_id, 1, 1), row(run_id, 1, RunStatus.SUCCEEDED))
                other = new_run()
                beside = journal.append(0, logs(other, 1, 1), row(other, 1))
                with pytest.raises(InvalidInput, match="24-hex"):  # while the first is under way
                    journal.append(0, logs(twin, 1, 1), row(twin, 1))
                await asyncio.gather(first, beside)
                clash = await refused(journal, InvalidInput, 0, logs(twin, 1, 1), row(twin, 1))  # and once it is ended and kept
                assert "24-hex" in str(clash)
                with pytest.raises(InvalidInput):
                    journal.append(0, logs("0195", 1, 1), row("0195", 1))
                assert await journal.row(twin) is None

        run(main())

    def test_rows_of_a_project_and_a_workflow_and_no_trial_runs(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made = [new_run() for _ in range(6)]
                places = [("org_1", "prj_1"), ("org_1", "prj_2"), ("org_2", "prj_1")] * 2
                for number, (run_id, (org, project)) in enumerate(zip(made, places, strict=True)):
                    kept = msgspec.structs.replace(
                        row(run_id, 1),
                        org_id=org,
                        project_id=project,
                        workflow_id=f"wf_{number % 2}",
                        environment=["production", "testing"][number > 2],
                    )
                    await journal.append(0, logs(run_id, 1, 1), kept)

                async def found(**wanted: Any) -> list[int]:
                    return [made.index(its_row.run_id) for its_row in await journal.rows(RunFilter(**wanted))]

                assert await found() == [5, 4, 3, 2, 1, 0]
                assert await found(scope=Scope("org_1", "prj_1")) == [3, 0]
                assert await found(scope=Scope("org_1", "prj_1"), testing=False) == [0]
                assert await found(scope=Scope("org_3", "prj_1")) == []
                assert await found(workflow_id="wf_0") == [4, 2, 0]
                assert await found(workflow_id="wf_0", scope=Scope("org_2", "prj_1")) == [2]
                assert await found(statuses=(RunStatus.RUNNING, RunStatus.FAILED), testing=False) == [2, 1, 0]
                assert await found(environment="testing") == [5, 4, 3]
                assert await found(environment="production", scope=Scope("org_1", "prj_1")) == [0]
                assert await found(environment="staging") == []

        run(main())

    def test_pages_both_ways(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made = [new_run() for _ in range(7)]
                for run_id in made:
                    await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))

                async def found(**page: Any) -> list[int]:
                    return [made.index(its_row.run_id) for its_row in await journal.rows(**page)]

                assert await found(limit=3, before=made[4]) == [3, 2, 1]
                assert await found(limit=3, after=made[1]) == [4, 3, 2]
                assert await found(after=made[6]) == []
                assert await found(after=made[1], before=made[4]) == [3, 2]
                with pytest.raises(NotFound):
                    await journal.rows(after=new_run())

        run(main())

    # The order of commits

    def test_tail_tells_every_event_in_the_order_of_commits(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                assert (await journal.position(), await journal.tail(0)) == (0, [])
                one, two = new_run(), new_run()
                other = msgspec.structs.replace(row(two, 2), workflow_id="wf_2")
                first = await journal.append(0, logs(one, 1, 2), row(one, 2))
                second = await journal.append(0, logs(two, 1, 2), other)
                third = await journal.append(2, logs(one, 3, 1), row(one, 3, RunStatus.SUCCEEDED))
                assert 0 < first < second < third == await journal.position()
                told = [(kept.position, kept.event.run_id, kept.event.seq) for kept in await journal.tail(0)]
                expected = [(first, one, 1), (first, one, 2), (second, two, 1), (second, two, 2), (third, one, 3)]
                assert told == expected
                assert [kept.position for kept in await journal.tail(first)] == [second, second, third]
                assert [kept.position for kept in await journal.tail(0, workflow_id="wf_2")] == [second, second]
                assert await journal.tail(third) == await journal.tail(0, workflow_id="wf_3") == []
                part = await journal.tail(0, limit=1)
                assert [kept.event.seq for kept in part][:2] == [1, 2]  # an append is never parted

        run(main())

    # Tasks

    def test_pending_tasks_follow_the_events(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                asked = [event(run_id, n, asks(f"task_{n}"), step=f"ask[{n}]") for n in range(1, 6)]
                await journal.append(0, asked, row(run_id, 5, RunStatus.WAITING))
                assert await pending(journal) == [f"task_{n}" for n in range(1, 6)]
                first = (await journal.pending_tasks(task_id="task_1"))[0]
                assert first == _view(run_id, asked[0])
                decided = event(run_id, 6, TaskCompleted(task_id="task_2", approved=True), step="ask[2]")
                await journal.append(5, [decided], row(run_id, 6))
                assert await pending(journal) == ["task_1", "task_3", "task_4", "task_5"]
                ends = [
                    event(run_id, 7, StepCompleted(), step="ask[3]"),
                    event(run_id, 8, StepCancelled(caused_by="x"), step="ask[4]"),
                    event(run_id, 9, StepCompleted(), step="ask"),
                ]
                await journal.append(6, ends, row(run_id, 9))
                assert await pending(journal) == ["task_1", "task_5"]
                await journal.append(9, [event(run_id, 10, RunSucceeded())], row(run_id, 10, RunStatus.SUCCEEDED))
                assert await pending(journal) == []

        run(main())

    def test_pending_tasks_of_several_runs_oldest_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                late, early = new_run(), new_run()
                for run_id, ts in ((late, 2_000), (early, 1_000)):
                    await journal.append(0, [event(run_id, 1, asks(f"task_{run_id}"), step="s", ts=ts)], row(run_id, 1))
                assert [task.run_id for task in await journal.pending_tasks()] == [early, late]
                assert [task.run_id for task in await journal.pending_tasks(run_id=late)] == [late]
                assert await journal.pending_tasks(run_id=late, task_id=f"task_{early}") == []
                assert await journal.pending_tasks(task_id="task_?") == []
                assert await journal.pending_tasks(run_id=new_run()) == []
                assert [task.run_id for task in await journal.pending_tasks(limit=1)] == [early]
                assert [task.run_id for task in await journal.pending_tasks(after=(early, 1))] == [late]
                assert len(await journal.pending_tasks(wanted=RunFilter(scope=Scope("org_1", "prj_1")))) == 2
                assert await journal.pending_tasks(wanted=RunFilter(scope=Scope("org_2", "prj_1"))) == []
                for nothing in ((early, 2), (early, 0), (new_run(), 1)):
                    with pytest.raises(NotFound):
                        await journal.pending_tasks(after=nothing)

        run(main())

    def test_pending_tasks_of_some_runs_only_and_from_a_task_that_is_decided(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made = [new_run() for _ in range(3)]
                for number, run_id in enumerate(made):
                    kept = msgspec.structs.replace(row(run_id, 1, slug=f"flow-{number}"), environment=["production", "testing"][number % 2])
                    await journal.append(0, [event(run_id, 1, asks(f"task_{number}"), step="s")], kept)

                async def found(**fields: Any) -> list[str]:
                    return [task.id for task in await journal.pending_tasks(wanted=RunFilter(**fields))]

                assert await found(testing=False) == ["task_0", "task_2"]
                assert await found(environment="testing") == ["task_1"]
                assert await found(slug="flow-2", workflow_id="wf_1") == ["task_2"]
                settled = event(made[0], 2, TaskCompleted(task_id="task_0", approved=True), step="s")
                await journal.append(1, [settled], row(made[0], 2))
                assert [task.id for task in await journal.pending_tasks(after=(made[0], 1))] == ["task_1", "task_2"]

        run(main())

    def test_who_asked_a_task_is_known_for_good(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                one, other = new_run(), new_run()
                await journal.append(0, [event(one, 1, asks("task_1"), step="a")], row(one, 1))
                decided = event(one, 2, TaskCompleted(task_id="task_1", approved=True), step="a")
                settled = [event(one, 4, asks("task_4"), step="c"), event(one, 5, TaskCompleted(task_id="task_4", approved=True), step="c")]
                await journal.append(1, [decided, event(one, 3, asks("task_2"), step="b"), *settled], row(one, 5))
                await journal.append(0, [event(other, 1, asks("task_3"), step="a")], row(other, 1))
                await journal.append(5, [event(one, 6, RunSucceeded())], row(one, 6, RunStatus.SUCCEEDED))
                assert [await journal.run_of_task(f"task_{number}") for number in range(5)] == [None, one, one, other, None]
                assert await pending(journal) == ["task_3"]

        run(main())

    def test_a_task_settled_in_the_commit_that_asks_it(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                journal.append(0, [event(run_id, 1, asks("task_1"), step="a")], row(run_id, 1))
                await journal.append(1, [event(run_id, 2, RunSucceeded())], row(run_id, 2, RunStatus.SUCCEEDED))
                assert await pending(journal) == []
                assert await journal.run_of_task("task_1") == run_id

        run(main())

    # Events

    def test_some_events_of_a_run(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id, other = new_run(), new_run()
                made = [
                    event(run_id, 1, StepCompleted(result="x" * 70_000), step="a"),
                    event(run_id, 2, StepCompleted(), step="b"),
                    event(run_id, 3, asks("task_1"), step="a"),
                    event(run_id, 4, StepCompleted(), step="a[1].b"),
                    event(run_id, 5, RunSucceeded()),
                ]
                await journal.append(0, made, row(run_id, 5, RunStatus.SUCCEEDED))
                await journal.append(0, logs(other, 1, 3), row(other, 3))

                async def found(limit: int = 10, **about: Any) -> list[int]:
                    bounds = {name: about.pop(name) for name in ("after", "before") if name in about}
                    return seqs(await journal.events(run_id, EventFilter(**about), limit=limit, **bounds))

                assert await found() == [1, 2, 3, 4, 5]
                assert await journal.events(run_id, limit=10) == made
                assert await found(limit=2, after=1) == [2, 3]
                assert await found(limit=2, before=5) == [3, 4]
                assert await found(before=5, after=2) == [3, 4]
                assert await found(types=("step_completed", "run_succeeded")) == [1, 2, 4, 5]
                assert await found(types=("step_completed",), limit=1, before=4) == [2]
                assert await found(step_id="a") == [1, 3]
                assert await found(step_id="a", types=("task_created",)) == [3]
                assert await found(limit=0) == []
                assert await found(step_id="\x00") == []
                assert await journal.events(new_run(), limit=10) == []

        run(main())

    def test_tasks_asked_and_settled_in_one_commit(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                journal.append(0, [event(run_id, 1, asks("task_a"), step="a"), event(run_id, 2, asks("task_b"), step="b")], row(run_id, 2))
                settled = event(run_id, 3, TaskCompleted(task_id="task_a", approved=False), step="a")
                journal.append(2, [settled], row(run_id, 3))
                again = [event(run_id, 4, StepCompleted(), step="b"), event(run_id, 5, asks("task_b"), step="b")]
                await journal.append(3, again, row(run_id, 5))
                assert await pending(journal) == ["task_b"]

        run(main())


def _view(run_id: str, asked: Event) -> TaskView:
    return TaskView(
        id=asked.of(TaskCreated).task_id,
        run_id=run_id,
        workflow="triage",
        step_id=asked.step_id or "",
        type="approval",
        title="Refund?",
        payload={"a": 1},
        created_at=rfc3339(asked.ts),
        expires_at="1970-01-01T00:00:05.000Z",
        assignees=("ann",),
        seq=asked.seq,
    )
