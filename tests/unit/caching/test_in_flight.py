"""Runs that wait for one like them which is under way: one call, whatever becomes of whom."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.acceptance.workbench import run_async, sound
from tests.unit.caching.stage import HELLO, CountingModel, HeldJournal, SlowJournal, ask, broken, document, settled
from tests.unit.caching.test_runs import staged

from runwell.model.commands import PauseRun, StopRun
from runwell.model.errors import CommandRefused, QueueFull
from runwell.model.limits import Limits
from runwell.model.run import RunView
from runwell.runtime.flights import Flights
from runwell.runtime.project_limits import ProjectLimits
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import MemoryApp, memory_app

ALONE = document(ask(1, cache="never"))
"""What only whole runs share."""


async def start(app: MemoryApp, count: int, use: Any = "always", **request: Any) -> list[str]:
    return list(await asyncio.gather(*(app.start(ALONE, HELLO, use_cache=use, **request) for _ in range(count))))


async def ends(app: MemoryApp, run_ids: list[str]) -> list[RunView]:
    runs = [await app.run_to_end(run_id) for run_id in run_ids]
    for run in runs:
        await sound(app, run.id)
    return runs


def test_fifty_at_once_make_one_call() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = await start(app, 50)
        await settled(app, 1, model)
        assert Counter([(await app.view(run_id)).status for run_id in run_ids]) == {"running": 1, "queued": 49}
        model.let_go()
        runs = await ends(app, run_ids)
        assert model.calls == 1
        assert {(run.status, run.output) for run in runs} == {("succeeded", "answer 1")}
        assert sum(run.cache is not None for run in runs) == 49
        assert sum(run.usage.cost_nanos for run in runs) == 2_000_000

    staged(check)


def test_only_always_waits() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = [*await start(app, 2, "auto"), *await start(app, 2, "never"), *await start(app, 2)]
        await settled(app, 4, model)
        model.let_go()
        await ends(app, run_ids)
        assert model.calls == 4

    staged(check)


@pytest.mark.parametrize("end", ["fails", "stops"])
def test_when_the_first_gives_nothing_exactly_one_takes_over(end: str) -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = await start(app, 10)
        await settled(app, 1, model)
        [first] = [run_id for run_id in run_ids if (await app.view(run_id)).status == "running"]
        if end == "fails":
            model.failures = [broken()]
            model.let_go()
        else:
            await app.runtime.command(first, StopRun())
            await settled(app, 2, model)
            assert Counter([(await app.view(run_id)).status for run_id in run_ids]) == {"stopped": 1, "running": 1, "queued": 8}
            model.let_go()
        runs = await ends(app, run_ids)
        assert model.calls == 2
        assert Counter([run.status for run in runs]) == {"succeeded": 9, "failed" if end == "fails" else "stopped": 1}
        assert {run.output for run in runs if run.id != first} == {"answer 2"}

    staged(check)


def test_one_that_waits_can_be_stopped_and_is_not_paused() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        run_ids = await start(app, 4)
        await settled(app, 1, model)
        waiting = [run_id for run_id in run_ids if (await app.view(run_id)).status == "queued"]
        with pytest.raises(CommandRefused, match="queued"):
            await app.runtime.command(waiting[0], PauseRun())
        await app.runtime.command(waiting[0], StopRun())
        model.failures = [broken()]
        model.let_go()
        runs = await ends(app, run_ids)
        assert Counter([run.status for run in runs]) == {"stopped": 1, "failed": 1, "succeeded": 2}
        assert model.calls == 2

    staged(check)


def test_a_first_one_that_waits_for_its_turn_leads_too_and_one_that_takes_over_takes_a_place() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        other = await app.start(document(ask(1), name="other"), {"text": "x"})
        run_ids = await start(app, 3)
        await settled(app, 1, model)
        assert app.runtime.load.queued == 1
        await app.runtime.command(run_ids[0], StopRun())
        await app.clock.settle()
        assert (app.runtime.load.running, app.runtime.load.queued) == (1, 1)
        model.let_go()
        runs = await ends(app, [other, *run_ids])
        assert [run.status for run in runs] == ["succeeded", "stopped", "succeeded", "succeeded"]
        assert model.calls == 2

    staged(check, max_running=1)


def test_those_that_wait_count_as_queued() -> None:
    limits = ProjectLimits()
    limits.set("prj_a", Limits(max_queued=2))

    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        mine = {"org_id": "org_a", "project_id": "prj_a"}
        run_ids = await start(app, 3, **mine)
        with pytest.raises(QueueFull):
            await start(app, 1, **mine)
        await app.runtime.command(run_ids[1], StopRun())
        run_ids += await start(app, 1, **mine)
        model.let_go()
        assert Counter([run.status for run in await ends(app, run_ids)]) == {"succeeded": 3, "stopped": 1}
        await start(app, 3, **mine)

    staged(check, limits=limits)


@pytest.mark.parametrize("ended", [False, True], ids=["under way", "ended"])
def test_after_a_crash_they_come_together_again(ended: bool) -> None:
    async def main() -> None:
        journal, definitions, model = MemoryJournal(), MemoryDefinitions(), CountingModel()
        model.hold()
        app = memory_app(models=model, journal=journal, definitions=definitions)
        first = await app.__aenter__()
        run_ids = await start(first, 20)
        await settled(first, 1, model)
        if ended:
            first.runtime._cache.over = lambda run_id: None  # type: ignore[method-assign]
            model.let_go()
            await settled(first, 1, model)
        await app.__aexit__(None, None, None)
        before = model.calls
        model.let_go()
        async with memory_app(models=model, journal=journal, definitions=definitions) as second:
            runs = await ends(second, run_ids)
            assert Counter([run.status for run in runs]) == {"succeeded": 20}
            assert {run.output for run in runs} == {f"answer {model.calls}"}
            assert model.calls - before == (0 if ended else 1)

    run_async(main())


@pytest.mark.parametrize("which", ["first", "waiting", "all"])
def test_a_journal_that_fails_loses_nobody(which: str) -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        journal = app.journal
        assert isinstance(journal, MemoryJournal)
        model.hold()
        run_ids = await start(app, 5)
        await settled(app, 1, model)
        if which == "waiting":
            journal.fail_next()
            await asyncio.gather(app.start(ALONE, HELLO, use_cache="always"), return_exceptions=True)
        else:
            journal.fail_next(3 if which == "all" else 1)
        model.let_go()
        runs = await ends(app, run_ids)
        assert Counter([run.status for run in runs]) == {"succeeded": 5}
        assert len({run.output for run in runs}) == 1
        assert model.calls == (1 if which == "waiting" else 2)

    staged(check)


def test_a_first_one_that_could_not_be_kept_keeps_nobody_waiting() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        journal = app.journal
        assert isinstance(journal, MemoryJournal)
        version = await app.publish(ALONE)
        journal.fail_next()
        begun = [asyncio.ensure_future(app.start(version, HELLO, use_cache="always")) for _ in range(3)]
        await asyncio.gather(*begun, return_exceptions=True)
        await app.clock.advance(5)
        assert (await app.run_to_end(await app.start(version, HELLO, use_cache="always"))).status == "succeeded"

    staged(check)


def test_a_child_run_waits_for_nobody() -> None:
    async def check(app: MemoryApp, model: CountingModel) -> None:
        await app.publish({**ALONE, "name": "inner"})
        model.hold()
        outer = document({"id": "c", "type": "workflow", "workflow": "inner", "input": HELLO, "cache": "always"}, name="outer")
        run_ids = [await app.start(outer, {"n": n}) for n in range(2)]
        await settled(app, 2, model)
        model.let_go()
        await ends(app, run_ids)
        assert model.calls == 2

    staged(check)


def test_flights_forget_what_is_over() -> None:
    flights = Flights()
    flights.lead("k", "a")
    flights.follow("k", "b", "p")
    flights.follow("k", "c", "p")
    assert (flights.is_led("k"), flights.is_led("k", "a"), flights.waiting_in("p")) == (True, False, 2)
    assert flights.over("b") == ("", [])
    assert flights.over("a") == ("k", ["c"])
    assert (flights.over("a"), flights.over("c"), flights.waiting_in("p"), flights.is_led("k")) == (("", []), ("", []), 0, False)
    assert (flights._keys, flights._followers, flights._leaders) == ({}, {}, {})


def test_one_that_ends_while_another_looks_is_found() -> None:
    journal = SlowJournal()

    async def check(app: MemoryApp, model: CountingModel) -> None:
        slow = asyncio.ensure_future(app.start(ALONE, HELLO, use_cache="always"))
        await journal.asked.wait()
        assert (await ends(app, await start(app, 1)))[0].output == "answer 1"
        journal.let_go.set()
        assert ((await ends(app, [await slow]))[0].output, model.calls) == ("answer 1", 1)

    staged(check, journal=journal)


def test_whoever_has_seen_one_end_finds_it() -> None:
    journal = HeldJournal()

    async def check(app: MemoryApp, model: CountingModel) -> None:
        model.hold()
        first = await app.start(document(), HELLO)
        await settled(app, 1, model)
        journal.is_held = True
        model.let_go()
        await settled(app, 1, model)
        assert (await app.runtime.cell(first)).state.status == "succeeded"  # and not durable yet
        second = asyncio.ensure_future(app.start(document(), HELLO))
        await settled(app, 1, model)
        journal.let_go()
        assert ((await app.run_to_end(await second)).output, model.calls) == ("answer 1", 1)

    staged(check, journal=journal)
