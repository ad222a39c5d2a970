"""Runs that have the output of an earlier one: which do, which must not, and what is said of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.acceptance.workbench import run_async, sound
from tests.unit.caching.stage import HELLO, CountingModel, ask, broken, document

from runwell.bootstrap import event_rules
from runwell.model.caching import MOST_KEYED
from runwell.model.canonical import content_hash
from runwell.model.redaction import Redaction
from runwell.model.run import SET_APART, RunView
from runwell.runtime.project_redaction import ProjectRedaction
from runwell.testing import MemoryApp, memory_app

Test = Callable[[MemoryApp, CountingModel], Awaitable[None]]


def staged(test: Test, **parts: Any) -> None:
    async def main() -> None:
        model = CountingModel()
        async with memory_app(models=model, **parts) as app:
            await test(app, model)

    run_async(main())


async def ended(app: MemoryApp, workflow: Any, given: Any = HELLO, **request: Any) -> RunView:
    run = await app.run_to_end(await app.start(workflow, given, **request))
    await sound(app, run.id)
    return run


def test_the_second_identical_run_calls_nobody_costs_nothing_and_says_so() -> None:
    async def twice(app: MemoryApp, model: CountingModel) -> None:
        first, second = await ended(app, document()), await ended(app, document())
        assert model.calls == 1
        assert (first.cache, first.cost_usd) == (None, "0.002")
        assert (second.status, second.output, second.cost_usd, second.usage.generations) == ("succeeded", "answer 1", "0", 0)
        assert second.cache is not None
        assert (second.cache.source_run_id, second.cache.hits, second.cache.saved_cost_usd) == (first.id, 1, "0.002")
        assert [(step.status, step.reason) for step in second.steps] == [("skipped", "cached")]
        kinds = [event.type for event in await app.journal.read(second.id)]
        assert kinds == ["run_created", "run_served_from_cache"]

    staged(twice)


def test_what_was_had_before_is_no_source_itself() -> None:
    async def thrice(app: MemoryApp, model: CountingModel) -> None:
        first, _, third = [await ended(app, document()) for _ in range(3)]
        assert third.cache is not None
        assert third.cache.source_run_id == first.id
        assert await app.journal.delete_ended([first.id]) == 1
        assert (await ended(app, document())).output == "answer 2"

    staged(thrice)


@pytest.mark.parametrize(
    ("steps", "use", "again"),
    [
        ([ask()], "auto", True),
        ([ask(0.0)], "auto", True),
        ([ask(0.1)], "auto", False),
        ([ask(None)], "auto", False),
        ([ask("{{ input.t }}")], "auto", False),
        ([ask(0.1)], "always", True),
        ([ask()], "never", False),
        ([{"id": "t", "type": "transform", "value": "{{ input.text }}"}, ask()], "auto", True),
        ([ask(cache="never")], "auto", False),
        ([ask(cache="never")], "always", True),
        ([ask(), {"id": "p", "type": "python", "code": "1"}], "auto", False),
        ([ask(), {"id": "d", "type": "delay", "for_s": 1}], "auto", False),
        ([ask(), {"id": "d", "type": "delay", "for_s": 1}], "always", True),
        ([{"id": "t", "type": "transform", "value": 1}], "auto", False),
        ([{"id": "t", "type": "transform", "value": 1}], "always", True),
        ([{"id": "each", "type": "for_each", "items": [1, 2], "steps": [ask()]}], "auto", True),
        ([{"id": "each", "type": "for_each", "items": [1, 2], "steps": [ask(1)]}], "auto", False),
        ([ask(), {"id": "t", "type": "transform", "value": "{{ run.created_at }}"}], "auto", False),
        ([ask(), {"id": "t", "type": "transform", "value": "{{ run.version }}"}], "auto", True),
    ],
)
def test_which_versions_qualify(steps: list[dict[str, Any]], use: Any, again: bool) -> None:
    async def twice(app: MemoryApp, model: CountingModel) -> None:
        given = {"text": "a", "t": 0}
        await ended(app, document(*steps), given, use_cache=use)
        second = await ended(app, document(*steps), given, use_cache=use)
        assert ((second.cache and second.cache.source_run_id) is not None) == again

    staged(twice)


APPROVAL = {"id": "ok", "type": "approval", "title": "Fine?"}


def test_what_people_and_other_workflows_said_is_not_said_again() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await app.publish(document(name="inner"))
        for steps in (
            [APPROVAL, ask()],
            [{"id": "w", "type": "wait", "message": "go"}],
            [{"id": "talk", "type": "conversation", "nodes": [{"id": "hi", "type": "say", "messages": ["Hi"]}]}],
            [{"id": "c", "type": "workflow", "workflow": "inner"}],
        ):
            run_id = await app.start(document(*steps, name="outer"), HELLO, use_cache="always")
            created = (await app.journal.read(run_id, limit=1))[0]
            assert created.data.cache_key == ""  # type: ignore[attr-defined]

    staged(check)


def test_a_run_in_which_something_failed_is_not_had_again() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.failures = [broken(), broken()]
        assert (await ended(app, document())).status == "failed"
        handled = document(ask(fallback="sorry", cache="never"), name="handled")
        assert (await ended(app, handled)).output == "sorry"
        again = [(await ended(app, which, use_cache="always")).output for which in (document(), handled)]
        assert again == ["answer 3", "answer 4"]

    staged(check)


@pytest.mark.parametrize("apart", SET_APART)
def test_trials_and_evaluations_neither_have_nor_give(apart: str) -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for environment in (apart, "production", apart, "production"):
            await ended(app, document(), environment=environment, use_cache="always")
        assert model.calls == 3

    staged(check)


def test_never_has_nothing_and_gives_what_is_new() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        outputs = [(await ended(app, document(), use_cache=use)).output for use in ("auto", "never", "auto")]
        assert outputs == ["answer 1", "answer 2", "answer 2"]

    staged(check)


def test_tenants_share_nothing_and_neither_do_projects() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        for _ in range(2):
            for org, project in (("org_a", "prj_a"), ("org_a", "prj_b"), ("org_b", "prj_a")):
                await ended(app, document(), org_id=org, project_id=project, use_cache="always")
        assert model.calls == 3

    staged(check)


def test_other_inputs_and_versions_are_not_the_same() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, document(), {"text": "a", "n": 1})
        await ended(app, document(), {"n": 1, "text": "a"})  # the same
        await ended(app, document(), {"n": "1", "text": "a"})
        assert model.calls == 1  # the step's own entry serves the other two
        runs = [await ended(app, document(ask(1)), {"text": "a", "n": n}, use_cache="always") for n in (1, 1, "1")]
        assert [run.output for run in runs] == ["answer 2", "answer 2", "answer 3"]

    staged(check)


def test_what_expressions_see_of_the_run_belongs_to_the_key() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        said = document(ask(prompt="For {{ run.metadata.customer }}", cache="never"), name="named")
        for customer in ("ann", "bob", "ann"):
            await ended(app, said, metadata={"customer": customer}, use_cache="always")
        assert model.calls == 2
        plain = document(ask(cache="never"))
        for customer in ("ann", "bob"):
            await ended(app, plain, metadata={"customer": customer}, use_cache="always")
        assert model.calls == 3

    staged(check)


def test_a_change_of_what_steps_reach_or_of_what_may_be_kept_makes_all_anew() -> None:
    marks, redaction = {"": "a"}, ProjectRedaction()

    async def mark(scope: object) -> str:
        return marks[""]

    async def check(app: MemoryApp, model: CountingModel) -> None:
        scope = {"org_id": "org_a", "project_id": "prj_a"}

        async def calls() -> int:
            before = model.calls
            for _ in range(2):
                await ended(app, document(), **scope)
            return model.calls - before

        assert await calls() == 1
        marks[""] = "b"
        assert await calls() == 1
        redaction.set("prj_a", event_rules(Redaction(paths=("input.card",))))
        assert await calls() == 1
        redaction.set("prj_a", event_rules(Redaction(paths=("input.card", "output.iban"))))
        assert await calls() == 1
        assert await calls() == 0

    staged(check, marks=mark, redaction=redaction)


def test_a_key_is_made_of_what_is_kept_of_the_input() -> None:
    redaction = ProjectRedaction()
    redaction.set("prj_a", event_rules(Redaction(paths=("input.card",))))

    async def check(app: MemoryApp, model: CountingModel) -> None:
        for card in ("4111", "4222"):
            run = await ended(app, document(), {"text": "a", "card": card}, org_id="org_a", project_id="prj_a")
        assert model.calls == 1  # no step could tell the cards apart
        assert run.input == {"text": "a", "card": "[redacted:card]"}
        created = (await app.journal.read(run.id, limit=1))[0]
        assert content_hash({"text": "a", "card": "4222"})[:32] not in str(created)

    staged(check, redaction=redaction)


def test_an_input_that_is_too_large_is_not_cached() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        given = {"text": "a", "file": "data:image/png;base64," + "x" * MOST_KEYED}
        for _ in range(2):
            assert (await ended(app, document(ask(cache="never")), given, use_cache="always")).cache is None
        assert model.calls == 2

    staged(check)


def test_a_child_run_is_served_as_its_step_says() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await app.publish(document(ask(1), name="inner"))
        for cache, calls in (("auto", 2), ("always", 2), ("never", 3)):
            child = {"id": "c", "type": "workflow", "workflow": "inner", "input": HELLO, "cache": cache}
            outer = document(child, name=f"outer-{cache}")
            first = model.calls
            runs = [await ended(app, outer) for _ in range(2 if cache == "auto" else 1)]
            assert runs[0].output.startswith("answer")
            assert model.calls == calls, (cache, first)

    staged(check)


def test_a_start_said_again_is_one_run() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await ended(app, document())
        run_id = "run_" + "1" * 32
        for _ in range(2):
            assert await app.start(document(), HELLO, run_id=run_id) == run_id
        assert [event.type for event in await app.journal.read(run_id)] == ["run_created", "run_served_from_cache"]

    staged(check)
