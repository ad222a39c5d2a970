"""Child runs: their output, their failures, and who stops whom."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.steered_journal import Processes, SteeredJournal
from tests.acceptance.workbench import Workbench, broken, document, run_async, sound, statuses, step, work

from runwell.model.commands import StopRun
from runwell.model.run import RunRow, RunView
from runwell.model.scope import Scope
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import MemoryApp, memory_app

CHILD = document(work("work", value="{{ input.n * 2 }}"), name="double")


def call(workflow: str = "double", **fields: Any) -> dict[str, Any]:
    return {"id": "call", "type": "workflow", "workflow": workflow, "input": {"n": "{{ input }}"}, **fields}


async def children(app: MemoryApp, run_id: str) -> list[RunRow]:
    await app.clock.settle()
    return [row for row in await app.journal.rows(limit=1_000) if row.parent_run_id == run_id]


async def child(app: MemoryApp, run_id: str) -> RunView:
    [row] = await children(app, run_id)
    return await sound(app, row.run_id)


def test_the_childs_output_is_the_steps_result() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run_id = await app.start(
                document(call(), work("after", "call", value="{{ steps.call.result + 1 }}")), 4, actor="ann", environment="test"
            )
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", 9)
            await sound(app, run_id)
            found = await child(app, run_id)
            assert (found.status, found.trigger, found.environment, found.input) == ("succeeded", "workflow", "test", {"n": 4})

    run_async(main())


def test_a_parent_waits_for_its_child_run() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("work")
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(call()), 1)
            run = await app.view(run_id)
            assert (run.status, run.waiting_for, statuses(run)) == ("waiting", "child_run", {"call": "waiting"})
            gate.open(7)
            assert (await app.run_to_end(run_id)).output == 7

    run_async(main())


@pytest.mark.parametrize("handled", [False, True])
def test_a_failed_child_fails_the_step_and_tells_why(handled: bool) -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("work", broken("no luck"))
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run_id = await app.start(document({**call(), **({"fallback": 0} if handled else {})}, work("after", "call")), 1)
            run = await app.run_to_end(run_id)
            error = step(run, "call").error
            assert error is not None
            assert error.code == "CHILD_RUN_FAILED"
            assert "no luck" in error.message
            found = await child(app, run_id)
            assert error.details == {"child_run_id": found.id, "status": "failed", "failed_step": "work"}
            assert run.status == ("succeeded" if handled else "failed")
            await sound(app, run_id)

    run_async(main())


def test_stopping_the_parent_stops_the_child_and_the_childs_child() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("work")
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            await app.publish(document(call(input={"n": 1}), name="middle"))
            run_id = await app.start(document(call("middle")), 1)
            await app.clock.settle()
            await app.runtime.command(run_id, StopRun())
            middle = await child(app, run_id)
            inner = await child(app, middle.id)
            assert [one.status for one in (await sound(app, run_id), middle, inner)] == ["stopped"] * 3
            assert gate.cancelled == ["work"]

    run_async(main())


def test_a_graceful_stop_lets_the_childs_work_end() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("work")
        async with memory_app([bench.type]) as app:
            await app.publish(document(work("work"), work("never", "work"), name="double"))
            run_id = await app.start(document(call(), work("after", "call")), 1)
            await app.clock.settle()
            await app.runtime.command(run_id, StopRun(mode="graceful"))
            found = await child(app, run_id)
            assert ((await app.view(run_id)).status, found.status) == ("draining", "draining")
            gate.open()
            found = await child(app, run_id)
            assert (found.status, statuses(found)) == ("stopped", {"work": "succeeded", "never": "skipped (blocked)"})
            assert (await sound(app, run_id)).status == "stopped"

    run_async(main())


def test_a_failing_sibling_stops_the_child() -> None:
    async def main() -> None:
        bench = Workbench()
        gate, failing = bench.hold("work"), bench.hold("fails")
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(call(), work("fails")), 1)
            await app.clock.settle()
            failing.fail(broken())
            run = await app.run_to_end(run_id)
            assert statuses(run) == {"call": "cancelled", "fails": "failed"}
            assert ((await child(app, run_id)).status, gate.cancelled) == ("stopped", ["work"])

    run_async(main())


def test_a_step_that_times_out_stops_its_child() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("work")
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(call(timeout_s=10, on_error="continue")), 1)
            await app.clock.advance(10_000)
            run = await app.run_to_end(run_id)
            assert (run.status, statuses(run)) == ("succeeded", {"call": "failed"})
            assert ((await child(app, run_id)).status, gate.cancelled) == ("stopped", ["work"])

    run_async(main())


class SlowDefinitions(MemoryDefinitions):
    """Answers once `found` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.found = asyncio.Event()

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Any:
        await self.found.wait()
        return await super().get(scope, slug, version)


def test_a_parent_stopped_the_moment_its_child_begins_leaves_no_orphan() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.hold("work")
        definitions = SlowDefinitions()
        async with memory_app([bench.type], definitions=definitions) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(call()), 1)
            await app.clock.settle()
            await app.runtime.command(run_id, StopRun())
            definitions.found.set()
            await app.clock.settle()
            assert [row.status for row in await children(app, run_id)] in ([], ["stopped"])
            assert bench.calls == []

    run_async(main())


def test_a_workflow_that_calls_itself_without_end_is_stopped_by_depth() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run = await app.run_to_end(await app.start(document(call("semantics")), 1))
            assert run.error is not None
            assert (run.status, run.error.code) == ("failed", "CHILD_RUN_FAILED")
            rows = await app.journal.rows(limit=100)
            assert len(rows) == 21
            assert {row.status for row in rows} == {"failed"}
            deepest = await sound(app, rows[0].run_id)
            assert deepest.error is not None
            assert "nest deeper than 20" in deepest.error.message

    run_async(main())


@pytest.mark.parametrize("fields", [{"workflow": "nowhere"}, {"workflow": "double", "version": 9}, {"workflow": "strict"}])
def test_a_child_that_cannot_start_fails_its_step(fields: dict[str, Any]) -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            await app.publish(document(work("a"), name="strict", input_schema={"type": "string"}))
            run_id = await app.start(document(call(**fields)), 1)
            run = await app.run_to_end(run_id)
            assert run.error is not None
            assert (run.status, run.error.code) == ("failed", "CHILD_RUN_FAILED")
            assert "could not start" in run.error.message
            assert await children(app, run_id) == []

    run_async(main())


def test_a_version_is_kept_to_when_the_step_names_it() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            await app.publish(document(work("work", value="new"), name="double"))
            assert (await app.run_to_end(await app.start(document(call(version=1)), 4))).output == 8
            assert (await app.run_to_end(await app.start(document(call()), 4))).output == "new"

    run_async(main())


def test_a_loop_of_children() -> None:
    async def main() -> None:
        bench = Workbench()
        each = {"id": "each", "type": "for_each", "items": "{{ input }}", "steps": [call(input={"n": "{{ item }}"})]}
        async with memory_app([bench.type]) as app:
            await app.publish(CHILD)
            run = await app.run_to_end(await app.start(document(each), list(range(30))))
            assert run.output == [2 * n for n in range(30)]
            assert len(await children(app, run.id)) == 30

    run_async(main())


def test_parent_and_child_both_go_on_after_a_crash() -> None:
    processes = Processes()

    async def first() -> str:
        bench = Workbench()
        bench.hold("work")
        app = await processes.next(bench)
        await app.publish(CHILD)
        run_id = await app.start(document(call()), 5)
        await app.clock.settle()
        assert len(bench.calls) == 1
        return run_id

    async def second(run_id: str) -> None:
        bench = Workbench()
        app = await processes.next(bench)
        run = await app.run_to_end(run_id)
        assert (run.status, run.output) == ("succeeded", 10)
        assert len(await children(app, run_id)) == 1
        assert [call.attempt for call in bench.calls] == [2]
        await app.runtime.close()

    run_id = run_async(first())
    run_async(second(run_id))


@pytest.mark.parametrize("mode", ["immediate", "graceful"])
def test_a_stop_whose_word_was_lost_in_a_crash_reaches_the_child_all_the_same(mode: Any) -> None:
    processes = Processes()

    async def first() -> str:
        bench = Workbench()
        bench.hold("work")
        app = await processes.next(bench)
        await app.publish(CHILD)
        run_id = await app.start(document(call()), 5)
        await app.clock.settle()
        app.runtime.dispatch(await app.runtime.cell(run_id), StopRun(mode=mode))
        processes.journal.release()
        processes.journal.die()
        return run_id

    async def second(run_id: str) -> None:
        bench = Workbench()
        gate = bench.hold("work")
        app = await processes.next(bench)
        await app.clock.settle()
        if mode == "graceful":
            assert (await app.view(run_id)).status == "draining"
            gate.open()
        assert (await sound(app, run_id)).status == "stopped"
        assert (await child(app, run_id)).status == "stopped"
        await app.runtime.close()

    run_id = run_async(first())
    run_async(second(run_id))


def test_a_step_that_gave_its_child_up_before_a_crash_leaves_no_orphan() -> None:
    """The parent itself goes on: it waits for an approval."""
    processes = Processes()
    ask = {"id": "ok", "type": "approval", "title": "?", "depends_on": ["call"]}

    async def first() -> str:
        bench = Workbench()
        bench.hold("work")
        app = await processes.next(bench)
        await app.publish(CHILD)
        run_id = await app.start(document(call(timeout_s=10, on_error="continue"), ask), 5)
        await app.clock.settle()
        app.runtime.feed.listen(lambda item: processes.journal.die() if getattr(item, "type", "") == "step_failed" else None, run_id)
        await app.clock.advance(10_000)
        return run_id

    async def second(run_id: str) -> None:
        bench = Workbench()
        bench.hold("work")
        app = await processes.next(bench)
        await app.clock.settle()
        assert (await sound(app, run_id)).status == "waiting"
        assert (await child(app, run_id)).status == "stopped"
        await app.runtime.close()

    run_id = run_async(first())
    run_async(second(run_id))


def test_a_child_whose_start_could_not_be_kept_is_started_again() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = MemoryJournal()
        async with memory_app([bench.type], journal=journal) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(call()), 5)
            journal.fail_next()
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", 10)
            assert len(await children(app, run_id)) == 1
            await sound(app, run_id)

    run_async(main())


def test_a_parent_that_is_lost_while_its_child_begins_has_one_child_in_the_end() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        async with memory_app([bench.type], journal=journal) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(work("before"), call(depends_on=["before"])), 5)
            journal.fail_next(2)
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", 10)
            assert len(await children(app, run_id)) == 1
            await sound(app, run_id)

    run_async(main())


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("moment", range(8))
def test_whichever_commits_fail_parent_and_child_end_once(moment: int, failures: int) -> None:
    async def main() -> None:
        bench = Workbench()
        journal = MemoryJournal()
        async with memory_app([bench.type], journal=journal) as app:
            await app.publish(CHILD)
            run_id = await app.start(document(work("before"), call(depends_on=["before"])), 5)
            for _ in range(moment):
                await asyncio.sleep(0)
            journal.fail_next(failures)
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", 10)
            assert [row.status for row in await children(app, run_id)] == ["succeeded"]
            await sound(app, run_id)

    run_async(main())
