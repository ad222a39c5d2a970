"""A step whose handler waits in the middle of an attempt: for a person, a message, another run, a time, and through restarts."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, step, work

from runwell.model.commands import CompleteTask, SendMessage, StopRun
from runwell.model.events import EventData, Log, MessageReceived, StepResumed, TaskCompleted, ToolReturned
from runwell.model.waits import ChildWait, MessageWait, TaskWait, TimeWait
from runwell.ports.steps import StepContext, Suspended
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import FakeClock, MemoryApp, memory_app


def of(recorded: Sequence[EventData], kind: type[Any]) -> list[Any]:
    return [data for data in recorded if isinstance(data, kind)]


async def ask_then_listen(context: StepContext) -> Any:
    """Do something once, ask a person, wait for a message."""
    if not of(context.recorded(), ToolReturned):
        context.record(ToolReturned(tool="http:once", result=len(context.recorded()), call_id="c"))
    decisions = of(context.recorded(), TaskCompleted)
    if not decisions:
        raise Suspended(TaskWait(key="ask", title="Go on?", payload={"a": 1}))
    messages = of(context.recorded(), MessageReceived)
    if not messages:
        raise Suspended(MessageWait(key="listen", name="reply"))
    done = [data.result for data in of(context.recorded(), ToolReturned)]
    return {"done": done, "approved": decisions[0].approved, "said": messages[0].body, "attempt": context.attempt}


async def decide(app: MemoryApp, run_id: str) -> None:
    [task] = await app.journal.pending_tasks(run_id=run_id)
    assert task.payload == {"a": 1}
    await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True, actor="ann"))


def test_a_step_suspends_twice_and_goes_on_in_other_processes() -> None:
    journal, definitions, clock = MemoryJournal(), MemoryDefinitions(), FakeClock()

    async def main() -> None:
        bench = Workbench()
        bench.on("a", ask_then_listen)
        parts: dict[str, Any] = {"journal": journal, "definitions": definitions, "clock": clock}
        async with memory_app([bench.type], **parts) as app:
            run_id = await app.start(document(work("a"), work("b", "a", value="{{ steps.a.result }}")))
            run = await app.rest(run_id)
            assert (run.status, run.waiting_for, step(run, "a").waiting_for) == ("waiting", "approval", "approval")
            await sound(app, run_id)
        async with memory_app([bench.type], **parts) as app:
            await decide(app, run_id)
            run = await app.rest(run_id)
            assert (run.status, run.waiting_for) == ("waiting", "message")
            await sound(app, run_id)
        async with memory_app([bench.type], **parts) as app:
            await app.runtime.command(run_id, SendMessage(name="reply", body="yes"))
            run = await app.run_to_end(run_id)
            assert run.output == {"done": [0], "approved": True, "said": "yes", "attempt": 1}
            assert bench.paths() == ["a", "a", "a", "b"]
            seen = kinds(await journal.read(run_id), "a")
            suspended = ["tool_returned", "task_created", "step_waiting", "task_completed", "step_resumed", "step_waiting", "step_resumed"]
            assert seen == ["step_started", *suspended, "step_completed"]
            await sound(app, run_id)

    run_async(main())


def test_a_process_that_dies_after_the_decision_does_not_lose_it() -> None:
    """What is in the journal of the first process is taken up as after a kill: nothing said good-bye."""
    journal, definitions, clock = MemoryJournal(), MemoryDefinitions(), FakeClock()

    async def main() -> None:
        bench = Workbench()
        held = bench.hold("a")
        parts: dict[str, Any] = {"journal": journal, "definitions": definitions, "clock": clock}

        async def ask_then_hang(context: StepContext) -> Any:
            if not of(context.recorded(), TaskCompleted):
                raise Suspended(TaskWait(key="ask", title="Go on?", payload={"a": 1}))
            return await held(context)

        bench.on("a", ask_then_hang)
        async with memory_app([bench.type], **parts) as app:
            run_id = await app.start(document(work("a")))
            await app.rest(run_id)
            await decide(app, run_id)
            await app.clock.settle()
            assert [call.attempt for call in held.waiting] == [1]
        bench.on("a", ask_then_listen)
        async with memory_app([bench.type], **parts) as app:
            await app.clock.advance(10)
            await app.runtime.command(run_id, SendMessage(name="reply", body="yes"))
            run = await app.run_to_end(run_id)
            assert (run.output["attempt"], run.output["approved"]) == (2, True)
            await sound(app, run_id)

    run_async(main())


def test_a_handler_runs_another_workflow_and_goes_on_with_its_output() -> None:
    async def main() -> None:
        bench = Workbench()

        async def delegate(context: StepContext) -> Any:
            ends = {data.key: data for data in of(context.recorded(), StepResumed)}
            for name in ("child", "nobody"):
                if name not in ends:
                    raise Suspended(ChildWait(key=name, workflow=name, input={"n": 20}))
            return [ends["child"].output, ends["nobody"].error.message]

        bench.on("a", delegate)
        async with memory_app([bench.type]) as app:
            await app.publish(document(work("double", value="{{ input.n * 2 }}"), name="child"))
            run_id = await app.start(document(work("a")))
            run = await app.run_to_end(run_id)
            assert run.output[0] == 40
            assert "there is no workflow 'nobody'" in run.output[1]
            child = next(row for row in await app.journal.rows() if row.workflow_slug == "child")
            assert (child.parent_run_id, child.trigger) == (run_id, "workflow")
            await sound(app, run_id)

    run_async(main())


def test_a_handler_sleeps_without_a_task() -> None:
    async def main() -> None:
        bench = Workbench()

        async def nap(context: StepContext) -> Any:
            if not context.recorded():
                raise Suspended(TimeWait(key="nap", for_s=3600))
            return "rested"

        bench.on("a", nap)
        async with memory_app([bench.type]) as app:
            began = app.clock.now()
            run_id = await app.start(document(work("a", timeout_s=5)))
            await app.rest(run_id)
            assert not app.runtime.is_busy
            run = await app.run_to_end(run_id)
            assert (run.output, app.clock.now() - began) == ("rested", 3_600_000)

    run_async(main())


def test_a_stop_ends_a_child_run_that_a_handler_waits_for() -> None:
    async def main() -> None:
        bench = Workbench()

        async def delegate(context: StepContext) -> Any:
            raise Suspended(ChildWait(key="k", workflow="child"))

        bench.on("a", delegate)
        async with memory_app([bench.type]) as app:
            await app.publish(document({"id": "nap", "type": "delay", "for_s": 60}, name="child"))
            run_id = await app.start(document(work("a")))
            await app.rest(run_id)
            await app.runtime.command(run_id, StopRun())
            await app.rest(run_id)
            assert [row.status for row in await app.journal.rows()] == ["stopped", "stopped"]

    run_async(main())


def test_what_a_handler_waits_for_must_be_json() -> None:
    async def main() -> None:
        bench = Workbench()

        async def ask(context: StepContext) -> Any:
            raise Suspended(TaskWait(key="k", title="?", payload=object()))

        bench.on("a", ask)
        async with memory_app([bench.type]) as app:
            run = await app.run_to_end(await app.start(document(work("a"))))
            assert run.error is not None
            assert run.error.code == "STEP_CRASHED"

    run_async(main())


def test_late_words_of_an_attempt_that_waits_are_not_kept() -> None:
    async def main() -> None:
        bench = Workbench()
        late: list[StepContext] = []

        async def ask(context: StepContext) -> Any:
            late.append(context)
            raise Suspended(TaskWait(key="k", title="?"))

        bench.on("a", ask)
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            await app.rest(run_id)
            late[0].record(Log(message="late"))
            await asyncio.sleep(0)
            assert "log" not in kinds(await app.journal.read(run_id))

    run_async(main())
