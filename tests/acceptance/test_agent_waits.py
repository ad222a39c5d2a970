"""Agents that wait: for a person, for another run, for the next process."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.agent_bench import NUMBER, agent, ended, find, told
from tests.acceptance.workbench import kinds, run_async, sound
from tests.scripted_tools import ScriptedTools
from tests.step_context import FakeContext

from runwell.model.commands import CompleteTask, StopRun
from runwell.model.errors import InvalidDocument, InvalidInput
from runwell.model.events import GenerationCompleted
from runwell.model.run import TaskView
from runwell.ports.models import ToolCall
from runwell.steps.agent.document import AgentStep
from runwell.steps.agent.handler import run_agent
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import FakeClock, MemoryApp, ScriptedModels, memory_app

ASKED = [{"type": "mcp", "name": "desk/find", "requires_approval": True}]


async def task_of(app: MemoryApp, run_id: str) -> TaskView:
    run = await app.rest(run_id)
    assert (run.status, run.waiting_for) == ("waiting", "approval")
    [task] = await app.journal.pending_tasks(run_id=run_id)
    return task


def test_a_person_approves_each_call_and_may_edit_it() -> None:
    journal, definitions, clock = MemoryJournal(), MemoryDefinitions(), FakeClock()
    models = ScriptedModels([[find(1), find(2, "c2"), find(9, "c3", "mcp:desk/look")], "done"])
    tools = ScriptedTools()
    parts: dict[str, Any] = {"journal": journal, "definitions": definitions, "clock": clock, "models": models, "tools": tools}

    async def main() -> None:
        async with memory_app(**parts) as app:
            run_id = await app.start(agent("mcp:desk/find", "mcp:desk/look", declared=ASKED), "x")
            task = await task_of(app, run_id)
            assert (task.title, task.payload) == ("Call mcp:desk/find?", {"tool": "mcp:desk/find", "args": {"number": 1}})
            assert [name for name, *_ in tools.calls] == ["mcp:desk/look"], "what needs nobody is called at once"
            for wrong in ({"number": 5}, {"args": 5}):
                with pytest.raises(InvalidInput, match="the edit breaks its schema"):
                    await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True, result=wrong))
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True, result={"args": {"number": 7}}))
            assert (await task_of(app, run_id)).payload["args"] == {"number": 2}
        async with memory_app(**parts) as app:
            task = await task_of(app, run_id)
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=False, comment="not that one"))
            run = await app.run_to_end(run_id)
            assert run.output == "done"
            assert [args["number"] for _, args, _, _ in tools.calls] == [9, 7]
            answers = [text for role, text in told(models) if role == "tool"]
            assert answers[0] == '{"number": 7}'
            assert "TASK_REJECTED" in answers[1]
            assert "not that one" in answers[1]
            assert answers[2] == '{"number": 9}'
            assert len(models.requests) == 2
            await sound(app, run_id)

    run_async(main())


# Other workflows, as tools and as agents.


def test_another_workflow_is_a_tool() -> None:
    child = {"name": "double", "description": "Twice as much", "input_schema": NUMBER, "steps": [{"id": "v", "type": "transform"}]}
    child["steps"][0]["value"] = "{{ input.number * 2 }}"  # type: ignore[index]

    async def main() -> None:
        calls = [find(4, "c1", "workflow:double"), find(5, "c2", "workflow:double")]
        wrong = ToolCall(id="c3", name="workflow:double", args={"number": "four"})
        models = ScriptedModels([[*calls, wrong], "done"])
        async with memory_app(models=models) as app:
            await app.publish(child)
            run = await ended(app, agent("workflow:double"))
            offer = models.requests[0].tools[0]
            assert (offer.name, offer.description, offer.input_schema) == ("workflow:double", "Twice as much", NUMBER)
            answers = [text for role, text in told(models) if role == "tool"]
            assert answers[:2] == ["8", "10"]
            assert "CHILD_RUN_FAILED" in answers[2]
            rows = [row for row in await app.journal.rows() if row.workflow_slug == "double"]
            assert [row.parent_run_id for row in rows] == [run.id] * 2

    run_async(main())


def test_a_published_agent_is_a_step_of_a_workflow() -> None:
    async def main() -> None:
        models = ScriptedModels(["Hello Ann"])
        async with memory_app(models=models) as app:
            version = await app.publish(agent(prompt="Greet {{ input.name }}") | {"name": "greeter"})
            assert version.kind == "agent"
            ask = {"id": "ask", "type": "agent", "agent": "greeter", "input": {"name": "Ann"}}
            run = await ended(app, {"name": "caller", "steps": [ask]})
            assert run.output == "Hello Ann"
            assert told(models)[-1] == ("user", "Greet Ann")
            kinds_of_runs = {row.workflow_slug for row in await app.journal.rows()}
            assert kinds_of_runs == {"greeter", "caller"}

    run_async(main())


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({}, "model or models"),
        ({"model": "m:a", "models": ["m:b"]}, "model or models"),
        ({"model": "m:a", "fallback_on": ["timeout"]}, "only one"),
        ({"model": "m:a", "prompt": "x", "input": 1}, "prompt or input"),
        ({"model": "m:a", "version": 2}, "names none"),
        ({"model": "m:a", "tools": ["desk"]}, "names no tool"),
        ({"model": "m:a", "tools": ["mcp:desk"]}, "no name of a mcp tool"),
        ({"model": "m:a", "tools": ["python:none"]}, "declares no tool"),
        ({"model": "m:a", "limits": {"rounds": 0}}, "1"),
        ({"agent": "a", "model": "m:a"}, "its own model"),
        ({"agent": "A b"}, "no slug"),
    ],
)
def test_what_is_no_agent_is_refused(step: dict[str, Any], words: str) -> None:
    async def main() -> None:
        async with memory_app() as app:
            with pytest.raises(InvalidDocument) as caught:
                await app.publish({"name": "t", "steps": [{"id": "a", "type": "agent", **step}]})
            assert any(words in str(problem) for problem in caught.value.problems), caught.value.problems

    run_async(main())


# What a process that ends leaves.


def test_a_finished_call_is_not_made_again_by_the_next_process() -> None:
    journal, definitions, clock = MemoryJournal(), MemoryDefinitions(), FakeClock()
    models = ScriptedModels([[find(1), find(2, "c2")], "done"])

    async def main() -> None:
        stuck = asyncio.get_running_loop().create_future()
        tools = ScriptedTools(lambda args: "found" if args["number"] == 1 else stuck)
        parts: dict[str, Any] = {"journal": journal, "definitions": definitions, "clock": clock, "models": models}
        async with memory_app(tools=_awaiting(tools), **parts) as app:
            run_id = await app.start(agent("mcp:desk/find"), "x")
            await app.clock.settle()
            assert "tool_returned" in kinds(await journal.read(run_id))
        again = ScriptedTools(lambda args: "found at last")
        async with memory_app(tools=again, **parts) as app:
            run = await app.run_to_end(run_id)
            assert run.output == "done"
            assert [args["number"] for _, args, _, _ in again.calls] == [2]
            assert again.calls[0][2] == tools.calls[1][2], "the call whose end nobody saw has the same idempotency key"
            assert [text for role, text in told(models) if role == "tool"] == ["found", "found at last"]
            assert len(models.requests) == 2
            await sound(app, run_id)

    run_async(main())


def _awaiting(tools: ScriptedTools) -> ScriptedTools:
    """Let futures that the script gives be awaited."""
    respond = tools.respond

    async def answer(args: Any) -> Any:
        found = respond(args)
        return await found if asyncio.isfuture(found) else found

    tools.respond = answer
    return tools


def test_a_final_answer_that_is_recorded_is_not_asked_for_again() -> None:
    spec = AgentStep.model_validate({"id": "a", "type": "agent", "model": "m:a"})
    kept = [GenerationCompleted(provider="m", model="a", response="It is there.")]
    context = FakeContext(spec=spec, input={"model": "m:a", "prompt": "?"}, before=list(kept))
    assert asyncio.run(run_agent(context)) == "It is there."
    assert context.events == []


@pytest.mark.parametrize("ending", ["stop", "timeout"])
def test_an_agent_that_is_ended_leaves_no_call_behind(ending: str) -> None:
    cancelled: list[int] = []

    async def hang(args: Any) -> Any:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.append(args["number"])

    async def main() -> None:
        models = ScriptedModels([[find(1), find(2, "c2")]])
        async with memory_app(models=models, tools=ScriptedTools(hang)) as app:
            run_id = await app.start(agent("mcp:desk/find", timeout_s=5 if ending == "timeout" else None), "x")
            await app.clock.settle()
            if ending == "stop":
                await app.runtime.command(run_id, StopRun())
            else:
                await app.clock.advance(5_000)
            run = await app.rest(run_id)
            assert (run.status, sorted(cancelled)) == ("stopped" if ending == "stop" else "failed", [1, 2])
            await sound(app, run_id)

    run_async(main())
