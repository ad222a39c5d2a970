"""Which steps of a graph run, in what order, and what comes out."""

from typing import Any

import pytest
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, statuses, step, work

from runwell.model.run import RunView
from runwell.testing import memory_app


def run_document(bench: Workbench, given: dict[str, Any], input: Any = None) -> RunView:
    """Run the document to its end, check that the run is sound, and return it."""

    async def main() -> RunView:
        async with memory_app([bench.type]) as app:
            run_id = await app.start(given, input)
            await app.run_to_end(run_id)
            return await sound(app, run_id)

    return run_async(main())


def test_diamond_runs_the_branches_side_by_side_and_joins_them() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            b, c = bench.hold("b"), bench.hold("c")
            join = {"id": "d", "type": "transform", "depends_on": ["b", "c"], "value": "{{ steps.b.result }}{{ steps.c.result }}"}
            run_id = await app.start(document(work("a"), work("b", "a"), work("c", "a"), join))
            await app.clock.settle()
            assert (len(b.waiting), len(c.waiting)) == (1, 1)
            c.open("C")
            assert statuses(await app.view(run_id)) == {"a": "succeeded", "b": "running", "c": "succeeded", "d": "pending"}
            b.open("B")
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", "BC")
            await sound(app, run_id)
            assert bench.paths() == ["a", "b", "c"]
            events = " ".join(kinds(await app.journal.read(run_id)))
            one = "step_started step_completed"
            both = "step_started step_started step_completed step_completed"
            assert events == f"run_created run_started {one} {both} {one} run_succeeded"

    run_async(main())


@pytest.mark.parametrize(("kind", "taken", "left"), [("refund", "refund", "answer"), ("other", "answer", "refund")])
def test_router_takes_one_branch_and_the_merge_runs_behind_it(kind: str, taken: str, left: str) -> None:
    merge = {
        "id": "merge",
        "type": "transform",
        "depends_on": ["refund", "answer"],
        "value": "{{ default(steps.refund.result, steps.answer.result) }}",
    }
    given = document(
        work("classify", value="{{ input.kind }}"),
        work("refund", "classify", when='steps.classify.result == "refund"', value="refunded"),
        work("answer", "classify", when='steps.classify.result != "refund"', value="answered"),
        merge,
    )
    run = run_document(Workbench(), given, {"kind": kind})
    assert statuses(run) == {"classify": "succeeded", taken: "succeeded", left: "skipped (condition_false)", "merge": "succeeded"}
    assert run.output == ("refunded" if kind == "refund" else "answered")


def test_skips_run_through_a_branch_and_join_any_needs_one_that_succeeded() -> None:
    given = document(
        work("a", when="1 > 2"),
        work("b", "a"),
        work("c", "b"),
        work("d", value=4),
        work("any", "c", "d", value="{{ steps.d.result }}"),
        work("all_skipped", "b", "c"),
        work("end", "any"),
    )
    run = run_document(Workbench(), given)
    assert run.status == "succeeded"
    assert {path: status for path, status in statuses(run).items() if status != "succeeded"} == {
        "a": "skipped (condition_false)",
        "b": "skipped (dependency_skipped)",
        "c": "skipped (dependency_skipped)",
        "all_skipped": "skipped (dependency_skipped)",
    }
    assert step(run, "b").caused_by == "a"


def test_join_all_is_skipped_when_one_dependency_was_skipped() -> None:
    given = document(work("a"), work("b", when="false || 1 > 2"), work("all", "a", "b", join="all"), work("any", "a", "b"))
    run = run_document(Workbench(), given)
    assert statuses(run) == {"a": "succeeded", "b": "skipped (condition_false)", "all": "skipped (dependency_skipped)", "any": "succeeded"}


def test_a_disabled_step_is_skipped_and_says_so() -> None:
    run = run_document(Workbench(), document(work("a", enabled=False), work("b", "a"), work("c")))
    assert statuses(run) == {"a": "skipped (disabled)", "b": "skipped (dependency_skipped)", "c": "succeeded"}


def test_a_run_whose_last_step_was_skipped_has_no_output() -> None:
    run = run_document(Workbench(), document(work("a", value=1), work("b", "a", when="1 > 2", value=2)))
    assert (run.status, run.output) == ("succeeded", None)


def test_the_output_template_keeps_types() -> None:
    given = document(
        work("a", value={"n": 3, "big": 2**70}),
        output={"n": "{{ steps.a.result.n }}", "all": "{{ steps.a.result }}", "as": "n={{ steps.a.result.n }}"},
    )
    assert run_document(Workbench(), given).output == {"n": 3, "all": {"n": 3, "big": 2**70}, "as": "n=3"}


def test_what_a_step_returned_is_never_rendered_again() -> None:
    given = document(work("a", value="{{ input.text }}"), work("b", "a", value="{{ steps.a.result }}"))
    assert run_document(Workbench(), given, {"text": "{{ run.id }} {{ 1 + 1 }}"}).output == "{{ run.id }} {{ 1 + 1 }}"


def test_a_failing_output_template_fails_the_run() -> None:
    run = run_document(Workbench(), document(work("a"), output="{{ steps.a.result.missing }}"))
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error.code, run.failed_step) == ("EXPRESSION_FAILED", None)
    assert run.error.message.startswith("output: ")


def test_a_condition_that_is_no_truth_value_fails_its_step() -> None:
    run = run_document(Workbench(), document(work("a", when="input.n"), work("b", "a")), {"n": 2})
    assert statuses(run) == {"a": "failed", "b": "skipped (blocked)"}
    assert run.failed_step == "a"


def test_a_chain_of_500_steps_runs_through() -> None:
    chain = [work("s0", value=0)] + [
        {"id": f"s{i}", "type": "transform", "depends_on": [f"s{i - 1}"], "value": f"{{{{ steps.s{i - 1}.result + 1 }}}}"}
        for i in range(1, 500)
    ]
    assert run_document(Workbench(), document(*chain)).output == 499
