"""The agent step: its loop, its answers, its limits, its models and attempts."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.agent_bench import BUSY, LABEL, NUMBER, agent, data_of, ended, error_of, find, told
from tests.acceptance.workbench import run_async
from tests.scripted_tools import ScriptedTools

from runwell.model.errors import StepError
from runwell.model.events import GenerationCompleted, ToolCalled, ToolReturned
from runwell.model.usage import Usage
from runwell.ports.models import Message, ModelAnswer, Thought, ToolCall
from runwell.testing import ScriptedModels, memory_app


def test_a_model_calls_tools_until_it_has_an_answer() -> None:
    async def main() -> None:
        models = ScriptedModels([[find(1), find(2, "c2")], [find(3, "c3")], "It is there."])
        tools = ScriptedTools(lambda args: {"title": f"Ticket {args['number']}"})
        async with memory_app(models=models, tools=tools) as app:
            run = await ended(app, agent("mcp:desk/find"))
            assert (run.status, run.output) == ("succeeded", "It is there.")
            assert told(models, 0) == [("system", "Help."), ("user", "Where is it?")]
            assert [tool.name for tool in models.requests[0].tools] == ["mcp:desk/find"]
            results = [f'{{"title": "Ticket {number}"}}' for number in (1, 2, 3)]
            roles = ["system", "user", "assistant", "tool", "tool", "assistant", "tool"]
            assert [role for role, _ in told(models)] == roles
            assert [text for role, text in told(models) if role == "tool"] == results
            assert [args["number"] for _, args, _, _ in tools.calls] == [1, 2, 3]
            assert len({key for _, _, key, _ in tools.calls}) == 3, "each call has its own idempotency key"
            assert run.usage == Usage(input_tokens=30, output_tokens=15, generations=3)

    run_async(main())


def test_the_calls_of_a_round_are_made_at_the_same_time() -> None:
    async def main() -> None:
        both = asyncio.Barrier(2)
        models = ScriptedModels([[find(1), find(2, "c2")], "done"])
        async with memory_app(models=models, tools=ScriptedTools(lambda args: both.wait())) as app:
            assert (await ended(app, agent("mcp:desk/find"))).output == "done"

    run_async(main())


@pytest.mark.parametrize(
    ("fields", "given", "asked"),
    [
        ({}, "Hi", "Hi"),
        ({}, {"text": "Hi"}, '{"text": "Hi"}'),
        ({"prompt": "Say {{ input.text }}"}, {"text": "Hi"}, "Say Hi"),
        ({"input": {"said": "{{ input.text }}"}}, {"text": "Hi"}, '{"said": "Hi"}'),
    ],
)
def test_what_the_model_is_asked(fields: dict[str, Any], given: Any, asked: str) -> None:
    async def main() -> None:
        models = ScriptedModels(["Hello"])
        async with memory_app(models=models) as app:
            await ended(app, agent(**fields), given)
            assert told(models) == [("system", "Help."), ("user", asked)]

    run_async(main())


def test_a_tool_that_fails_is_the_models_to_know() -> None:
    async def main() -> None:
        failure = StepError("MCP_TOOL_FAILED", "no such ticket", details={"reason": "tool_error"})
        models = ScriptedModels([[find(1)], "There is none."])
        async with memory_app(models=models, tools=ScriptedTools(lambda args: failure)) as app:
            run = await ended(app, agent("mcp:desk/find"))
            assert run.output == "There is none."
            assert told(models)[-1] == ("tool", '{"error": {"code": "MCP_TOOL_FAILED", "message": "no such ticket"}}')
            [returned] = await data_of(app, run, ToolReturned)
            assert (returned.call_id, returned.error.code) == ("c1", "MCP_TOOL_FAILED")

    run_async(main())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (ToolCall(id="c1", name="mcp:desk/other", args={}), "there is no tool 'mcp:desk/other'"),
        (ToolCall(id="c1", name="shell", args={}), "there is no tool 'shell'"),
        (ToolCall(id="c1", name="python:double", args='{"number": '), "are no object"),
        (ToolCall(id="c1", name="python:double", args={"number": "x"}), "break its input_schema"),
    ],
)
def test_a_call_that_may_not_be_made_is_not_made(call: ToolCall, words: str) -> None:
    double = {"type": "python", "name": "double", "input_schema": NUMBER, "code": "n * 2", "inputs": {"n": "{{ args.number }}"}}

    async def main() -> None:
        models, tools = ScriptedModels([[call], "Well."]), ScriptedTools()
        async with memory_app(models=models, tools=tools) as app:
            run = await ended(app, agent("mcp:desk/find", "python:double", declared=[double]))
            assert words in told(models)[-1][1]
            [returned] = await data_of(app, run, ToolReturned)
            assert (returned.error.code, tools.calls, await data_of(app, run, ToolCalled)) == ("TOOL_FAILED", [], [])

    run_async(main())


def test_declared_tools_are_carried_out() -> None:
    double = {"type": "python", "name": "double", "input_schema": NUMBER, "code": "n * 2", "inputs": {"n": "{{ args.number }}"}}

    async def main() -> None:
        models = ScriptedModels([[find(21, name="python:double")], "done"])
        async with memory_app(models=models) as app:
            await ended(app, agent("python:double", declared=[double]))
            assert models.requests[0].tools[0].input_schema == NUMBER
            assert told(models)[-1] == ("tool", "42")

    run_async(main())


def test_a_tool_over_the_runs_memory_ends_the_run() -> None:
    hog = {"type": "python", "name": "hog", "input_schema": {"type": "object"}, "code": "'x' * 100_000_000"}

    async def main() -> None:
        models = ScriptedModels([[ToolCall(id="c1", name="python:hog", args={})], "done"])
        async with memory_app(models=models) as app:
            run = await app.run_to_end(await app.start(agent("python:hog", declared=[hog]) | {"limits": {"memory_mb": 20}}, "x"))
            assert run.status == "memory_limit_exceeded"

    run_async(main())


def test_ids_that_a_server_gives_again_are_told_apart() -> None:
    async def main() -> None:
        models = ScriptedModels([[find(1), find(2)], [find(3)], [find(4, "a\nb")], "done"])
        tools = ScriptedTools()
        async with memory_app(models=models, tools=tools) as app:
            run = await ended(app, agent("mcp:desk/find"))
            assert [args["number"] for _, args, _, _ in tools.calls] == [1, 2, 3, 4]
            ids = [data.call_id for data in await data_of(app, run, ToolCalled)]
            assert len(set(ids)) == 4
            assert ids[0] == "c1"
            answered = [message.tool_call_id for message in models.requests[-1].messages if message.role == "tool"]
            assert answered == ids

    run_async(main())


# Answers of a schema.


def test_an_answer_that_breaks_the_schema_is_sent_back() -> None:
    async def main() -> None:
        models = ScriptedModels([[find(1)], "spam, I think", {"label": "maybe"}, {"label": "spam"}])
        async with memory_app(models=models, tools=ScriptedTools()) as app:
            run = await ended(app, agent("mcp:desk/find", output_schema=LABEL))
            assert run.output == {"label": "spam"}
            assert "does not follow the schema" in told(models)[-1][1]
            classes = [data.error_class for data in await data_of(app, run, GenerationCompleted)]
            assert classes == [None, "invalid_output", "invalid_output", None]

    run_async(main())


def test_an_agent_that_never_keeps_to_the_schema_fails_with_what_it_said() -> None:
    async def main() -> None:
        models = ScriptedModels(["spam"] * 2 + ["ham"] * 2)
        doc = agent(output_schema=LABEL, repair_attempts=1, retry={"max_attempts": 2})
        async with memory_app(models=models) as app:
            run = await ended(app, doc)
            error = error_of(run)
            assert (error.code, (error.details or {})["raw"]) == ("LLM_INVALID_OUTPUT", "ham")
            assert [len(request.messages) for request in models.requests] == [2, 4, 2, 4], "another attempt begins without the bad answers"

    run_async(main())


# Limits.


@pytest.mark.parametrize(
    ("limits", "calls", "which"),
    [({"rounds": 2}, 2, "rounds"), ({"tokens": 40}, 3, "tokens"), ({"cost_usd": 0.02}, 2, "cost_usd")],
)
def test_a_limit_ends_an_agent_that_has_no_answer(limits: dict[str, Any], calls: int, which: str) -> None:
    async def main() -> None:
        used = Usage(input_tokens=10, output_tokens=5, generations=1, cost_nanos=10_000_000)
        looking = (ModelAnswer(text="", provider="m", model="a", tool_calls=(find(i, f"c{i}"),), usage=used) for i in range(9))
        models, tools = ScriptedModels(looking), ScriptedTools()
        async with memory_app(models=models, tools=tools) as app:
            run = await ended(app, agent("mcp:desk/find", limits=limits, retry={"max_attempts": 3}))
            error = error_of(run)
            assert (error.code, (error.details or {})["limit"]) == ("AGENT_LIMIT_EXCEEDED", which)
            assert len(models.requests) == calls

    run_async(main())


def test_an_answer_counts_though_it_goes_over_a_limit() -> None:
    async def main() -> None:
        async with memory_app(models=ScriptedModels([[find(1)], "done"]), tools=ScriptedTools()) as app:
            assert (await ended(app, agent("mcp:desk/find", limits={"rounds": 2, "tokens": 20}))).output == "done"

    run_async(main())


# Several models, several attempts.


def test_the_model_that_answered_goes_on() -> None:
    async def main() -> None:
        models = ScriptedModels([BUSY, [find(1)], "done"])
        async with memory_app(models=models, tools=ScriptedTools()) as app:
            run = await ended(app, agent("mcp:desk/find", models=["m:a", "m:b"]))
            assert [request.model for request in models.requests] == ["m:a", "m:b", "m:b"]
            places = [(data.model_index, data.ok) for data in await data_of(app, run, GenerationCompleted)]
            assert places == [(0, False), (1, True), (1, True)]

    run_async(main())


def test_another_attempt_goes_on_where_the_one_before_ended() -> None:
    async def main() -> None:
        thought = Thought(text="Hm", opaque={"signature": "c2ln"})
        first = ModelAnswer(text="Let me see.", provider="m", model="a", tool_calls=(find(1),), thoughts=(thought,), usage=Usage())
        models, tools = ScriptedModels([first, BUSY, "done"]), ScriptedTools()
        async with memory_app(models=models, tools=tools) as app:
            run = await ended(app, agent("mcp:desk/find", retry={"max_attempts": 2}))
            assert (run.output, len(tools.calls), len(run.steps[0].attempts)) == ("done", 1, 2)
            assert models.requests[2].messages == models.requests[1].messages
            assert models.requests[2].messages[2] == Message(
                role="assistant", content="Let me see.", tool_calls=(find(1),), thoughts=(thought,)
            )

    run_async(main())


def test_the_tools_of_a_run_stay_what_its_first_round_was_offered() -> None:
    async def main() -> None:
        models, tools = ScriptedModels([[find(1)], BUSY, "done"]), ScriptedTools()
        async with memory_app(models=models, tools=tools) as app:
            run_id = await app.start(agent("mcp:desk/find", retry={"max_attempts": 2, "initial_delay_s": 60}), "x")
            await app.rest(run_id)
            tools.list = _gone  # type: ignore[method-assign, assignment]
            run = await app.run_to_end(run_id)
            assert run.output == "done"
            assert models.requests[2].tools == models.requests[0].tools

    run_async(main())


async def _gone(*_: Any) -> Any:
    raise StepError("MCP_TOOL_FAILED", "gone")
