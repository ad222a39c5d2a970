"""Steps that have an earlier result, and attempts that wait for one that is about to come."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.acceptance.workbench import run_async, sound, step
from tests.unit.caching.stage import HELLO, CountingModel, HeldJournal, SlowJournal, ask, broken, document, settled
from tests.unit.caching.test_runs import ended, staged

from runwell.bootstrap import event_rules
from runwell.model.commands import PauseRun, ResumeRun, StopRun
from runwell.model.events import StepCompleted
from runwell.model.redaction import Redaction
from runwell.model.run import RunView
from runwell.runtime.project_redaction import ProjectRedaction
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import MemoryApp, memory_app


def varied(**fields: Any) -> dict[str, Any]:
    """Return a document whose runs differ by input, while its model step is the same."""
    return document(ask(**{"prompt": "the same", **fields}), name="varied")


async def start(app: MemoryApp, count: int, workflow: dict[str, Any], first: int = 0) -> list[str]:
    return list(await asyncio.gather(*(app.start(workflow, {"n": first + n}) for n in range(count))))


async def ends(app: MemoryApp, run_ids: list[str]) -> list[RunView]:
    runs = [await app.run_to_end(run_id) for run_id in run_ids]
    for run in runs:
        await sound(app, run.id)
    return runs


def test_a_hit_costs_nothing_and_is_marked_on_the_step_and_the_run() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        first, second = [await ended(app, varied(), {"n": n}) for n in range(2)]
        assert (model.calls, first.cache, step(first, "ask").cache) == (1, None, None)
        assert (second.output, second.cost_usd, second.usage.generations) == ("answer 1", "0", 0)
        mark = step(second, "ask").cache
        assert mark is not None
        assert (mark.source_run_id, mark.source_step_id, mark.saved_cost_usd) == (first.id, "ask", "0.002")
        assert second.cache is not None
        assert (second.cache.source_run_id, second.cache.hits, second.cache.saved_cost_usd) == (None, 1, "0.002")
        kinds = [event.type for event in await app.journal.read(second.id)]
        assert kinds == ["run_created", "run_started", "step_started", "step_completed", "run_succeeded"]

    staged(check)


def test_a_run_that_saved_at_its_steps_saves_it_again() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for n in (0, 1, 1):
            run = await ended(app, varied(), {"n": n})
        assert run.cache is not None
        assert (run.cache.source_run_id is not None, run.cache.saved_cost_usd) == (True, "0.002")

    staged(check)


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({}, 1),
        ({"temperature": 0.0}, 1),
        ({"temperature": 0.1}, 2),
        ({"temperature": None}, 2),
        ({"temperature": "{{ 0 }}"}, 1),
        ({"temperature": "{{ false }}"}, 2),
        ({"cache": "never"}, 2),
        ({"cache": "always", "temperature": 1}, 1),
        ({"prompt": "number {{ input.n }}"}, 2),
    ],
)
def test_which_steps_qualify(fields: dict[str, Any], calls: int) -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for n in range(2):
            await ended(app, varied(**fields), {"n": n})
        assert model.calls == calls

    staged(check)


def test_a_result_is_the_steps_own_wherever_it_stands() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, varied(), {"n": 0})
        moved = ask(prompt="the same", name="Moved", retry={"max_attempts": 2}, timeout_s=60, fallback=1, cache="always")
        loop = {"id": "each", "type": "for_each", "items": [1, 2], "steps": [{**moved, "id": "inner"}]}
        assert (await ended(app, document(loop, name="other"), {"n": 1})).output == ["answer 1", "answer 1"]
        others: tuple[dict[str, Any], ...] = (
            {"repair_attempts": 1},
            {"system": "Be brief"},
            {"connection": "c"},
            {"model": "test:n"},
            {"files": ["data:a/b,c"]},
        )
        for number, field in enumerate(others, 2):
            await ended(app, document(ask(prompt="the same", **field), name=f"other-{number}"), {"n": 2})
            assert model.calls == number, field

    staged(check)


def test_trials_tenants_projects_and_never() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for number, request in enumerate(
            (
                {"environment": "testing"},
                {},
                {"environment": "testing"},
                {"org_id": "org_b", "project_id": "prj_b"},
                {"org_id": "org_b", "project_id": "prj_c"},
                {"use_cache": "never"},
            ),
            1,
        ):
            await ended(app, varied(cache="always"), {"n": number}, **request)
            assert model.calls == number, request
        assert (await ended(app, varied(cache="always"), {"n": 9})).output == "answer 6"  # what `never` made anew
        assert (await ended(app, varied(cache="always"), {"n": 9}, org_id="org_b", project_id="prj_b")).output == "answer 4"

    staged(check)


def test_a_failure_is_not_kept_and_a_deleted_run_takes_its_results_along() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.failures = [broken()]
        assert (await ended(app, varied(fallback="sorry"), {"n": 0})).output == "sorry"
        first = await ended(app, varied(), {"n": 1})
        assert (first.output, (await ended(app, varied(), {"n": 2})).output) == ("answer 2", "answer 2")
        await app.journal.delete_runs(first.workflow.id)
        assert (await ended(app, {**varied(), "name": "anew"}, {"n": 3})).output == "answer 3"

    staged(check)


def test_results_do_not_outlive_the_rules_by_which_they_were_kept() -> None:
    redaction, mine = ProjectRedaction(), {"org_id": "org_a", "project_id": "prj_a"}

    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, varied(), {"n": 0}, **mine)
        redaction.set("prj_a", event_rules(Redaction(kinds=("email",))))
        for n in (1, 2):
            assert (await ended(app, varied(), {"n": n}, **mine)).output == "answer 2"

    staged(check, redaction=redaction)


def test_a_result_that_is_larger_than_the_workflow_allows_fails_as_it_would_anew() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, varied(), {"n": 0})
        small = await ended(app, {**varied(), "name": "small", "limits": {"output_bytes": 3}}, {"n": 1})
        assert (small.status, small.error and small.error.code) == ("failed", "OUTPUT_TOO_LARGE")

    staged(check)


def test_fifty_at_once_make_one_call() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = await start(app, 50, varied(cache="always", temperature=1))
        await settled(app, 1, model)
        model.let_go()
        runs = await ends(app, run_ids)
        assert model.calls == 1
        assert {(run.status, run.output) for run in runs} == {("succeeded", "answer 1")}
        assert sum(run.cache is not None for run in runs) == 49

    staged(check)


def test_the_items_of_one_loop_wait_for_each_other_and_auto_waits_for_nobody() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for cache, calls in (("always", 1), ("auto", 3)):
            inner = ask(prompt=f"with {cache}", cache=cache)
            model.hold()
            before = model.calls
            run_id = await app.start(document({"id": "each", "type": "for_each", "items": [1, 2, 3], "steps": [inner]}, name=cache))
            await settled(app, before + calls, model)
            model.let_go()
            assert (await app.run_to_end(run_id)).status == "succeeded"
            assert model.calls - before == calls

    staged(check)


@pytest.mark.parametrize("end", ["fails", "stops", "retries", "times out"])
def test_when_the_first_gives_nothing_exactly_one_takes_over(end: str) -> None:
    policies: dict[str, dict[str, Any]] = {"retries": {"retry": {"max_attempts": 2, "initial_delay_s": 9}}, "times out": {"timeout_s": 5}}
    more = policies.get(end, {})
    workflow = varied(cache="always", temperature=1, **more)

    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = await start(app, 1, workflow)
        await settled(app, 1, model)
        await app.clock.advance(1_000)
        run_ids += await start(app, 9, workflow, first=1)
        await settled(app, 1, model)
        if end in ("fails", "retries"):
            model.failures = [broken(retryable=end == "retries")]
        elif end == "stops":
            await app.runtime.command(run_ids[0], StopRun())
            await settled(app, 2, model)
        else:
            await app.clock.advance(4_500)
            await settled(app, 2, model)
        model.let_go()
        runs = await ends(app, run_ids)
        assert model.calls == 2
        statuses = Counter(str(run.status) for run in runs)
        assert statuses == {"succeeded": 10} if end == "retries" else statuses["succeeded"] == 9
        assert {run.output for run in runs if run.status == "succeeded"} == {"answer 2"}

    staged(check)


def test_one_that_waits_can_be_stopped_paused_and_timed_out() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        [first] = await start(app, 1, varied(cache="always", temperature=1))
        await settled(app, 1, model)
        [hurried] = await start(app, 1, varied(cache="always", temperature=1, timeout_s=5), first=1)
        stopped, paused = await start(app, 2, varied(cache="always", temperature=1), first=2)
        await settled(app, 1, model)
        await app.runtime.command(stopped, StopRun())
        await app.runtime.command(paused, PauseRun())
        await app.clock.advance(1_000)
        assert [(await app.view(run_id)).status for run_id in (hurried, stopped, paused)] == ["running", "stopped", "paused"]
        await app.clock.advance(4_500)
        late = await app.view(hurried)
        assert (late.status, late.error and late.error.code) == ("failed", "STEP_TIMED_OUT")
        await app.runtime.command(paused, ResumeRun())
        model.let_go()
        assert ((await app.run_to_end(first)).output, model.calls) == ("answer 1", 1)

    staged(check)


def test_a_paused_run_that_waits_has_the_result_when_it_goes_on() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        first, paused = await start(app, 2, varied(cache="always", temperature=1))
        await settled(app, 1, model)
        await app.runtime.command(paused, PauseRun())
        model.let_go()
        await app.run_to_end(first)
        await app.clock.settle()
        assert step(await app.view(paused), "ask").status == "succeeded"
        assert (await app.run_to_end(paused)).output == "answer 1"

    staged(check)


def test_after_a_crash_they_wait_again() -> None:
    async def main() -> None:
        journal, definitions, model = MemoryJournal(), MemoryDefinitions(), CountingModel()
        model.hold()
        app = memory_app(models=model, journal=journal, definitions=definitions)
        first = await app.__aenter__()
        run_ids = await start(first, 20, varied(cache="always", temperature=1))
        await settled(first, 1, model)
        await app.__aexit__(None, None, None)
        async with memory_app(models=model, journal=journal, definitions=definitions) as second:
            await second.clock.advance(1_000)
            await settled(second, 2, model)
            model.let_go()
            runs = await ends(second, run_ids)
            assert Counter([(run.status, run.output) for run in runs]) == {("succeeded", "answer 2"): 20}
            assert model.calls == 2

    run_async(main())


def test_nobody_has_a_result_that_is_not_durable() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        journal = app.journal
        assert isinstance(journal, MemoryJournal)
        model.hold()
        run_ids = await start(app, 5, varied(cache="always", temperature=1))
        await settled(app, 1, model)
        journal.fail_next()
        model.let_go()
        runs = await ends(app, run_ids)
        assert Counter([(run.status, run.output) for run in runs]) == {("succeeded", "answer 2"): 5}
        kept = [event.data for run in runs for event in await journal.read(run.id) if isinstance(event.data, StepCompleted)]
        assert sum(data.kept is not None for data in kept) == 1

    staged(check)


def test_turns_are_given_back() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.failures = [broken()]
        await ended(app, varied(), {"n": 0})
        await ended(app, varied(), {"n": 1})
        assert app.runtime._dispatcher._cache.turns == {}

    staged(check)


def test_the_same_input_said_otherwise_is_the_same() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, document(), HELLO)
        again = document(ask(prompt="{{ 'Say ' + input.text }}"), name="again")
        assert (await ended(app, again)).output == "answer 1"
        assert model.calls == 1

    staged(check)


TOOL = {"name": "add", "type": "python", "code": "a + 1", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}


def agent(**fields: Any) -> dict[str, Any]:
    return {"id": "ask", "type": "agent", "model": "test:m", "prompt": "the same", "params": {"temperature": 0}, **fields}


@pytest.mark.parametrize(
    ("step_fields", "tools", "calls"),
    [
        ({}, [], 1),
        ({"params": {}}, [], 2),
        ({"params": {}, "cache": "always"}, [], 1),
        ({"tools": ["python:add"]}, [TOOL], 2),
        ({"tools": ["python:add"], "cache": "always"}, [TOOL], 1),
        ({"tools": ["python:add"], "cache": "always"}, [{**TOOL, "requires_approval": True}], 2),
        ({"tools": ["workflow:other"], "cache": "always"}, [], 2),
    ],
)
def test_agents_qualify_without_tools_and_never_where_people_or_other_workflows_are_asked(
    step_fields: dict[str, Any], tools: list[dict[str, Any]], calls: int
) -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await app.publish(document({"id": "t", "type": "transform", "value": 1}, name="other"))
        workflow = document(agent(**step_fields), name="agent", **({"tools": tools} if tools else {}))
        for n in range(2):
            assert (await ended(app, workflow, {"n": n})).status == "succeeded"
        assert model.calls == calls

    staged(check)


def test_another_tool_of_the_same_name_is_another_step() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for code in ("a + 1", "a + 2"):
            workflow = document(agent(tools=["python:add"], cache="always"), name="agent", tools=[{**TOOL, "code": code}])
            await ended(app, workflow, {"n": 1})
        assert model.calls == 2

    staged(check)


def test_what_was_said_before_belongs_to_the_keys() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "And?"}]
        for history in (None, said, said[:2] + said[:1], None, said):
            await ended(app, document(agent(), name="agent"), {"n": 1}, history=history)
        assert model.calls == 3

    staged(check)


def test_one_that_ends_while_another_looks_is_found() -> None:
    journal = SlowJournal()

    async def check(app: MemoryApp, model: CountingModel) -> None:
        workflow = varied(cache="always", temperature=1)
        [slow] = await start(app, 1, workflow)
        await journal.asked.wait()
        [quick] = await start(app, 1, workflow, first=1)
        await settled(app, 1, model)
        await asyncio.wait_for(app.runtime.ended(quick), 5)
        journal.let_go.set()
        assert ((await app.run_to_end(slow)).output, model.calls) == ("answer 1", 1)

    staged(check, journal=journal)


def test_whoever_has_seen_one_end_finds_it() -> None:
    journal = HeldJournal()

    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        first = (await start(app, 1, varied()))[0]
        await settled(app, 1, model)
        journal.is_held = True
        model.let_go()
        await settled(app, 1, model)
        assert (await app.runtime.cell(first)).state.status == "succeeded"  # and not durable yet
        second = asyncio.ensure_future(app.start(varied(), {"n": 1}))
        await settled(app, 1, model)
        journal.let_go()
        assert ((await app.run_to_end(await second)).output, model.calls) == ("answer 1", 1)

    staged(check, journal=journal)
