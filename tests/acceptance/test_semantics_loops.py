"""for_each and while: order, parallelism, failures, scopes."""

import asyncio
import time
from typing import Any

import pytest
from tests.acceptance.test_semantics_graphs import run_document
from tests.acceptance.workbench import Workbench, broken, document, run_async, sound, statuses, step, work

from runwell.ports.steps import StepContext
from runwell.testing import memory_app


def each(*steps: dict[str, Any], items: Any = "{{ input }}", **fields: Any) -> dict[str, Any]:
    return {"id": "each", "type": "for_each", "items": items, "steps": list(steps), **fields}


def loop(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "loop", "type": "while", "steps": list(steps), "condition": "true", "max_iterations": 10, **fields}


def test_results_keep_the_order_of_the_items_whatever_ends_first() -> None:
    async def main() -> None:
        bench = Workbench()
        gates = [asyncio.Event() for _ in range(4)]

        async def in_turn(context: StepContext) -> Any:
            number = context.input["value"]
            await gates[number].wait()
            return number * 10

        bench.on("do", in_turn)
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(each(work("do", value="{{ item }}"))), [0, 1, 2, 3])
            for number in (2, 0, 3, 1):
                gates[number].set()
                await app.clock.settle()
            run = await app.run_to_end(run_id)
            assert run.output == [0, 10, 20, 30]
            assert [path for path in statuses(run) if path != "each"] == [f"each[{i}].do" for i in range(4)]
            await sound(app, run_id)

    run_async(main())


def test_max_parallel_is_kept_and_used() -> None:
    async def main() -> None:
        bench = Workbench()
        under_way, most = 0, 0

        async def count(context: StepContext) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

        bench.on("do", count)
        async with memory_app([bench.type]) as app:
            run = await app.run_to_end(await app.start(document(each(work("do"), max_parallel=3)), list(range(20))))
            assert (run.status, most) == ("succeeded", 3)

    run_async(main())


def test_nested_loops_see_their_own_item_and_the_outer_steps() -> None:
    inner = {
        "id": "inner",
        "type": "for_each",
        "items": "{{ item }}",
        "steps": [
            work(
                "cell",
                value={"item": "{{ item }}", "index": "{{ index }}", "outer": "{{ steps.row.result }}", "top": "{{ steps.top.result }}"},
            )
        ],
    }
    row = work("row", value="row {{ index }}")
    given = document(
        work("top", value="T"), each(row, inner | {"depends_on": ["row"]}, depends_on=["top"], output="{{ steps.inner.result }}")
    )
    run = run_document(Workbench(), given, [["a", "b"], [], ["c"]])
    assert run.output == [
        [{"item": "a", "index": 0, "outer": "row 0", "top": "T"}, {"item": "b", "index": 1, "outer": "row 0", "top": "T"}],
        [],
        [{"item": "c", "index": 0, "outer": "row 2", "top": "T"}],
    ]
    assert statuses(run)["each[2].inner[0].cell"] == "succeeded"


def test_an_empty_list_succeeds_with_an_empty_list() -> None:
    run = run_document(Workbench(), document(each(work("do")), work("after", "each")), [])
    assert (run.status, step(run, "each").result, step(run, "after").status) == ("succeeded", [], "succeeded")


@pytest.mark.parametrize("items", ["text", 7, None, {"a": 1}])
def test_items_that_are_no_list_fail_the_step(items: Any) -> None:
    run = run_document(Workbench(), document(each(work("do"))), items)
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error.code, run.failed_step) == ("EXPRESSION_FAILED", "each")


def test_one_item_too_many_is_refused_before_any_begins() -> None:
    bench = Workbench()
    run = run_document(bench, document(each(work("do"))), [0] * 10_001)
    assert (run.status, run.failed_step, bench.calls) == ("failed", "each", [])


def test_ten_thousand_items_in_reasonable_time() -> None:
    given = document(each({"id": "double", "type": "transform", "value": "{{ item * 2 }}"}, max_parallel=1_000))
    began = time.monotonic()
    run = run_document(Workbench(), given, list(range(10_000)))
    assert run.output == [2 * i for i in range(10_000)]
    assert time.monotonic() - began < 20


def test_other_runs_get_their_turn_while_a_large_loop_runs() -> None:
    async def main() -> None:
        given = document(each({"id": "double", "type": "transform", "value": "{{ item }}"}, max_parallel=1_000), name="large")
        small = document({"id": "a", "type": "transform", "value": 1}, name="small")
        async with memory_app() as app:
            large_id = await app.start(given, list(range(5_000)))
            small_id = await app.start(small)
            assert (await app.runtime.ended(small_id)).status == "succeeded"
            assert (await app.runtime.state(large_id)).status == "running"
            await app.run_to_end(large_id)

    run_async(main())


def test_a_failing_item_fails_the_loop_cancels_its_siblings_and_names_itself() -> None:
    async def main() -> None:
        bench = Workbench()
        held, failing = bench.hold("slow"), bench.hold("do")
        async with memory_app([bench.type]) as app:
            steps = [work("do", when="index == 1"), work("slow", when="index != 1"), work("after", "do", "slow")]
            run_id = await app.start(document(each(*steps, max_parallel=3), work("end", "each")), [0, 1, 2, 3, 4])
            await app.clock.settle()
            failing.fail(broken("item two"))
            run = await app.run_to_end(run_id)
            await sound(app, run_id)
            assert (run.status, run.failed_step) == ("failed", "each[1].do")
            found = statuses(run)
            assert found["each"] == "failed"
            assert found["each[1].do"] == "failed"
            assert found["each[1].after"] == "skipped (blocked)"
            assert found["each[2].slow"] == "cancelled"
            assert found["end"] == "skipped (blocked)"
            assert "each[3].do" not in found
            assert step(run, "each[2].slow").caused_by == "each[1].do"
            assert held.cancelled == ["each[0].slow", "each[2].slow"]

    run_async(main())


def test_collect_keeps_the_place_of_what_failed_and_goes_on() -> None:
    bench = Workbench()
    bench.script("do", "a", broken("no b"), "c")
    run = run_document(
        bench, document(each(work("do"), work("then", "do", value="{{ steps.do.result }}"), on_item_error="collect")), [1, 2, 3]
    )
    assert run.status == "succeeded"
    assert run.output == ["a", {"error": {"code": "HTTP_FAILED", "message": "no b", "step_id": "each[1].do"}}, "c"]
    assert statuses(run)["each[1].then"] == "skipped (blocked)"
    assert run.failed_step is None


def test_while_tests_its_condition_before_each_iteration_but_the_first() -> None:
    bench = Workbench()
    given = document(loop(work("n", value="{{ loop.iteration }}"), condition="loop.previous.n.result < 2"))
    run = run_document(bench, given)
    assert run.output == {"iterations": 3, "stopped_reason": "condition_false", "value": 2}
    assert bench.paths() == ["loop[0].n", "loop[1].n", "loop[2].n"]


def test_while_ends_at_max_iterations_and_says_so() -> None:
    run = run_document(Workbench(), document(loop(work("n", value="{{ loop.iteration }}"), max_iterations=4)))
    assert run.output == {"iterations": 4, "stopped_reason": "max_iterations", "value": 3}


def test_an_iteration_builds_on_the_one_before_it() -> None:
    grown = "{{ loop.iteration == 0 ? input : loop.previous.grow.result + loop.previous.grow.result }}"
    given = document(loop(work("grow", value=grown), max_iterations=4, output="{{ steps.grow.result + '!' }}"))
    assert run_document(Workbench(), given, "ab").output == {"iterations": 4, "stopped_reason": "max_iterations", "value": "ab" * 8 + "!"}


def test_a_failing_iteration_ends_the_loop_and_its_fallback_stands_in() -> None:
    bench = Workbench()
    bench.script("n", 1, broken("second"))
    run = run_document(
        bench, document(loop(work("n"), fallback={"value": "none"}), work("after", "loop", value="{{ steps.loop.result.value }}"))
    )
    assert (run.status, run.output) == ("succeeded", "none")
    assert statuses(run)["loop"] == "failed"
    assert step(run, "loop").caused_by == "loop[1].n"


def test_a_loop_inside_a_while_and_a_while_inside_a_loop() -> None:
    counting = {
        "id": "loop",
        "type": "while",
        "max_iterations": 2,
        "condition": "true",
        "steps": [work("n", value="{{ item }}{{ loop.iteration }}")],
    }
    run = run_document(Workbench(), document(each(counting, output="{{ steps.loop.result.value }}")), ["a", "b"])
    assert run.output == ["a1", "b1"]
    inner = {"id": "each", "type": "for_each", "items": [1, 2], "steps": [work("n", value="{{ loop.iteration * 10 + item }}")]}
    run = run_document(Workbench(), document(loop(inner, max_iterations=3)))
    assert run.output == {"iterations": 3, "stopped_reason": "max_iterations", "value": [21, 22]}
