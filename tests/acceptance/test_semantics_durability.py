"""Append before acting: what may begin before its start is durable, and what a journal that fails does to runs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.steered_journal import Processes, SteeredJournal
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, statuses, step, work

from runwell.model.commands import AddComment, CompleteTask, PauseRun, SendMessage, StopRun
from runwell.model.errors import InvalidInput, JournalUnavailable
from runwell.model.events import Log
from runwell.model.ids import new_id
from runwell.ports.steps import StepContext
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql
from runwell.testing import memory_app

ASK = {"id": "ok", "type": "approval", "title": "?"}


def test_an_unsafe_step_begins_only_after_its_start_is_durable() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            version = await app.publish(document(work("safe"), work("unsafe", unsafe=True), work("then", "safe", unsafe=True)))
            journal.held = True
            starting = asyncio.ensure_future(app.start(version))
            await app.clock.settle()
            assert (bench.paths(), starting.done()) == (["safe"], False)
            journal.release()
            run = await app.run_to_end(await starting)
            assert (run.status, bench.paths()) == ("succeeded", ["safe", "unsafe", "then"])

    run_async(main())


def test_an_end_is_told_once_it_is_durable() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        gate = bench.hold("a")
        async with memory_app([bench.type], journal=journal) as app:
            run_id = await app.start(document(work("a")))
            await app.clock.settle()
            journal.held = True
            gate.open()
            await app.clock.settle()
            reading = asyncio.ensure_future(app.runtime.state(run_id))
            await app.clock.settle()
            assert not reading.done()
            journal.release()
            assert (await reading).is_terminal
            assert (await journal.read(run_id))[-1].type == "run_succeeded"

    run_async(main())


def test_an_unsafe_step_whose_start_was_not_kept_never_began() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            run_id = await app.start(document(ASK, work("pay", "ok", unsafe=True)))
            [task] = await app.journal.pending_tasks()
            journal.fail_next()
            with pytest.raises(JournalUnavailable):
                await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            await app.clock.settle()
            assert bench.calls == []
            assert len(await app.journal.pending_tasks()) == 1
            await app.clock.advance(10_000)
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            assert (await app.run_to_end(run_id)).status == "succeeded"
            assert [call.attempt for call in bench.calls] == [1]
            await sound(app, run_id)

    run_async(main())


def test_an_unsafe_step_of_a_run_that_was_stopped_meanwhile_never_begins() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            version, run_id = await app.publish(document(work("pay", unsafe=True))), new_id("run")
            journal.held = True
            starting = asyncio.ensure_future(app.start(version, run_id=run_id))
            await app.clock.settle()
            stopping = asyncio.ensure_future(app.runtime.command(run_id, StopRun()))
            await app.clock.settle()
            journal.release()
            await asyncio.gather(starting, stopping)
            assert ((await sound(app, run_id)).status, bench.calls) == ("stopped", [])

    run_async(main())


def test_after_a_crash_every_start_is_durable_before_the_step_begins() -> None:
    processes = Processes()

    async def first() -> str:
        bench = Workbench()
        bench.hold("a")
        app = await processes.next(bench)
        run_id = await app.start(document(work("a"), work("b", "a")))
        await app.clock.settle()
        processes.journal.die()
        return run_id

    async def second(run_id: str) -> None:
        bench = Workbench()
        gate = bench.hold("a")
        app = await processes.next(bench)
        await app.clock.settle()
        processes.journal.held = True
        gate.open()
        await app.clock.settle()
        assert bench.paths() == ["a"]
        processes.journal.release()
        await app.clock.settle()
        assert bench.paths() == ["a", "b"]
        run = await app.run_to_end(run_id)
        assert [one.status for one in step(run, "a").attempts] == ["interrupted", "succeeded"]
        await sound(app, run_id)
        await app.runtime.close()

    run_id = run_async(first())
    run_async(second(run_id))


@pytest.mark.parametrize("failures", [1, 2, 5])
@pytest.mark.parametrize("moment", range(6))
def test_whichever_commits_fail_a_run_is_taken_up_again_and_ends(moment: int, failures: int) -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        each = {"id": "each", "type": "for_each", "items": [1, 2, 3], "steps": [work("do", value="{{ item }}")], "depends_on": ["a"]}
        async with memory_app([bench.type], journal=journal) as app:
            run_id = await app.start(document(work("a"), each, {"id": "nap", "type": "delay", "for_s": 5, "depends_on": ["each"]}))
            for _ in range(moment):
                await asyncio.sleep(0)
            journal.fail_next(failures)
            run = await app.run_to_end(run_id)
            assert (run.status, step(run, "each").result) == ("succeeded", [1, 2, 3])
            await sound(app, run_id)
            completed = [event.step_id for event in await journal.read(run_id) if event.type == "step_completed"]
            assert len(completed) == len(set(completed))

    run_async(main())


def test_a_journal_that_fails_again_and_again_is_nobodys_fault() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            run_id = await app.start(document(work("a"), ASK))
            for _ in range(6):
                await app.clock.advance(5_000)
                journal.fail_next()
                with pytest.raises(JournalUnavailable):
                    await app.runtime.command(run_id, AddComment(comment_id="c", content="x"))
            await app.clock.advance(5_000)
            assert (await app.view(run_id)).status == "running"
            gate.open()
            await app.clock.settle()
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            assert (await app.run_to_end(run_id)).status == "succeeded"
            await sound(app, run_id)

    run_async(main())


def test_a_command_that_comes_before_the_run_is_taken_up_again_doubles_no_attempt() -> None:
    async def main() -> None:
        bench = Workbench()
        under_way: list[str] = []
        most: dict[str, int] = {}

        async def count(context: StepContext) -> None:
            under_way.append(context.step_id)
            most[context.step_id] = max(most.get(context.step_id, 0), under_way.count(context.step_id))
            try:
                await release.wait()
            finally:
                under_way.remove(context.step_id)

        release = asyncio.Event()
        bench.on("a", count)
        bench.on("b", count)
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            run_id = await app.start(document(work("a"), ASK, work("b", "ok")))
            await app.clock.settle()
            [task] = await app.journal.pending_tasks()
            journal.fail_next()
            with pytest.raises(JournalUnavailable):
                await app.runtime.command(run_id, AddComment(comment_id="c", content="x"))
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            await app.clock.settle()
            assert "b" in under_way
            await app.clock.advance(10_000)
            assert sorted(under_way) == ["a", "b"]
            release.set()
            run = await app.run_to_end(run_id)
            assert (run.status, most) == ("succeeded", {"a": 1, "b": 1})
            assert [one.status for one in step(run, "b").attempts] == ["succeeded"]
            await sound(app, run_id)

    run_async(main())


def test_an_alarm_that_met_an_unreadable_journal_rings_again() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal, max_resident=1) as app:
            nap = document({"id": "nap", "type": "delay", "for_s": 60})
            run_ids = [await app.start(nap) for _ in range(3)]
            await app.clock.settle()
            journal.unreadable = 2
            await app.clock.advance(120_000)
            rows = [await journal.row(run_id) for run_id in run_ids]
            assert [row.status for row in rows if row] == ["succeeded"] * 3

    run_async(main())


def test_what_cannot_be_written_as_json_is_refused_and_harms_nothing() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            given = document(ASK, {"id": "got", "type": "wait", "message": "m"})
            run_id = await app.start(given)
            [task] = await app.journal.pending_tasks()
            for command in (
                SendMessage(name="m", body="\ud800"),
                SendMessage(name="m", body=object()),
                CompleteTask(task_id=task.id, approved=True, comment="\ud800"),
                CompleteTask(task_id=task.id, approved=True, result={"x": {1, object()}}),
                AddComment(comment_id="c", content="\ud800"),
            ):
                with pytest.raises(InvalidInput):
                    await app.runtime.command(run_id, command)
            with pytest.raises(InvalidInput):
                await app.start(given, "\ud800")
            await app.runtime.command(run_id, SendMessage(name="m", body=1))
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            assert (await sound(app, run_id)).status == "succeeded"

    run_async(main())


def test_a_log_line_that_cannot_be_written_fails_its_step_only() -> None:
    async def log(context: StepContext) -> None:
        context.record(Log(message="\ud800"))

    async def main() -> None:
        bench = Workbench()
        bench.on("a", log)
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", on_error="continue"), work("b")))
            run = await app.run_to_end(run_id)
            assert (run.status, statuses(run)) == ("succeeded", {"a": "failed", "b": "succeeded"})
            await sound(app, run_id)

    run_async(main())


def test_events_are_told_live_in_order_and_only_once_they_are_durable() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            version, run_id = await app.publish(document(work("a"), work("b", "a"))), new_id("run")
            heard: list[Any] = []
            silence = app.runtime.feed.listen(heard.append, run_id)
            journal.held = True
            starting = asyncio.ensure_future(app.start(version, run_id=run_id))
            await app.clock.settle()
            assert heard == []
            journal.release()
            await starting
            await app.run_to_end(run_id)
            assert [kept.event for kept in heard] == await journal.read(run_id)
            assert heard == await journal.tail(0)
            silence()
            await app.start(version)
            assert len(heard) == len(await journal.read(run_id))

    run_async(main())


def test_the_same_runs_on_sqlite(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, blobs=DirectoryBlobs(tmp_path / "blobs"))

    async def main() -> None:
        bench = Workbench()
        bench.script("fails", ValueError("x"))
        async with memory_app([bench.type], journal=journal, definitions=SqlDefinitions(SqliteSql(journal))) as app:
            await app.publish(document(work("work", value="{{ input }}"), name="child"))
            call = {"id": "call", "type": "workflow", "workflow": "child", "input": "{{ item }}"}
            each = {"id": "each", "type": "for_each", "items": "{{ input }}", "steps": [call]}
            nap = {"id": "nap", "type": "delay", "for_s": 3_600, "depends_on": ["each"]}
            run_id = await app.start(
                document(each, nap, work("fails", "nap", fallback="f"), work("big", "nap", value="x" * 200_000)), [1, 2, 3]
            )
            run = await app.run_to_end(run_id)
            assert (run.status, step(run, "each").result, step(run, "fails").result) == ("succeeded", [1, 2, 3], "f")
            assert (await sound(app, run_id)).output == "x" * 200_000
            stopped = await app.start(document(ASK, name="ask"))
            await app.runtime.command(stopped, PauseRun())
            await app.runtime.command(stopped, StopRun())
            assert (await sound(app, stopped)).status == "stopped"
            assert kinds(await journal.read(stopped))[-1] == "run_stopped"

    run_async(main())


def test_who_waits_for_an_end_is_told_when_the_runtime_closes() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            waiting = asyncio.ensure_future(app.runtime.ended(run_id))
            await app.clock.settle()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run_async(main())
