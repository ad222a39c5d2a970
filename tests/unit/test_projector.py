"""The projector: what is written when, what the overlay has, and that nothing is lost or doubled, whatever happens."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest
from tests.contract.samples import run
from tests.unit.projection_stage import LIFE, ProjectionStage

from runwell.model import events as ev
from runwell.model.errors import RunStoreUnavailable
from runwell.model.ids import new_id
from runwell.model.run_record import RunRecord
from runwell.ports.journal import Kept
from runwell.runtime import intake, run_overlay
from runwell.runtime.run_overlay import HELD_MS, RESTING_MS


def test_a_run_is_in_the_overlay_at_once_and_in_the_store_a_second_after_its_end() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        run_id = await stage.start()
        await stage.check()
        assert [record.status for record in stage.projector.overlay()] == ["queued"]
        await stage.finish(run_id)
        await stage.check()
        assert [record.status for record in stage.projector.overlay()] == ["succeeded"]
        assert stage.memory.kept == {}
        await stage.tick(1_000)
        assert stage.projector.overlay() == ()
        assert stage.memory.kept[run_id].output == "yes"
        assert stage.memory.kept_at == await stage.journal.position()

    run(main())


def test_a_run_at_rest_is_written_as_it_is_and_read_again_when_it_wakes() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        run_id = await stage.start()
        await stage.go_on(run_id)
        await stage.check()
        await stage.tick(RESTING_MS - 1)
        assert stage.memory.kept == {}
        await stage.tick(1_000)
        assert (stage.memory.kept[run_id].status, stage.projector.held) == ("running", 0)
        await stage.go_on(run_id)
        await stage.check()
        assert [record.rev for record in stage.projector.overlay()] == [4]
        await stage.finish(run_id)
        await stage.go_on(run_id)  # a comment after its end
        await stage.check_written()
        assert stage.memory.kept[run_id].comments == 1

    run(main())


def test_a_run_that_never_rests_holds_up_the_position_for_a_minute_at_most() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        busy = await stage.start()
        for _ in range(HELD_MS // 1_000 + 2):
            await stage.finish(await stage.start())
            await stage.say(busy, [ev.Log(message="at it")])
            await stage.tick(1_000)
            await stage.check()
        assert busy in stage.memory.kept
        assert stage.memory.kept_at > 1
        await stage.check_written()

    run(main())


def test_what_changes_while_it_is_written_is_written_again() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        run_id = await stage.start()
        await stage.finish(run_id)
        await stage.projector.catch_up()
        held, keep = asyncio.Event(), stage.memory.keep

        async def slow_keep(records: list[RunRecord], position: int) -> None:
            await held.wait()
            await keep(records, position)

        stage.memory.keep = slow_keep  # type: ignore[assignment, method-assign]
        writing = asyncio.ensure_future(stage.projector.write())
        await stage.clock.settle()
        await stage.go_on(run_id)
        await stage.check()
        held.set()
        await writing
        assert (stage.memory.kept[run_id].comments, len(stage.projector.overlay())) == (0, 1)
        assert stage.memory.kept_at == await stage.journal.position() - 1
        await stage.check()
        await stage.check_written()

    run(main())


def test_while_the_store_is_away_runs_go_on_and_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_overlay, "MAX_RUNS", 5)

    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        stage.memory.fail = "away"
        most = 0
        for _ in range(30):
            await stage.finish(await stage.start())
            await stage.tick(100)
            most = max(most, stage.projector.held)
        assert most <= 11
        assert stage.projector.mode == "away"
        await stage.tick(60_000)
        assert not stage.projector.lag().complete
        assert stage.projector.lag().positions == 30 * len(LIFE)
        assert stage.projector.lag().seconds >= 60
        with pytest.raises(RunStoreUnavailable):
            await stage.projector.complete()
        stage.memory.fail = None
        await stage.tick(60_000)
        await stage.check_written()
        assert stage.projector.lag().positions == 0

    run(main())


def test_a_short_absence_costs_nothing() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        stage.memory.fail = "away"
        await stage.finish(await stage.start())
        await stage.tick(1_000)
        await stage.check()
        stage.memory.fail = None
        await stage.tick(1_000)
        assert (stage.projector.mode, len(stage.memory.kept)) == ("live", 1)

    run(main())


def test_a_feed_that_is_too_fast_or_not_to_be_trusted_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_HEARD", 7)

    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        for _ in range(5):
            await stage.finish(await stage.start())
        assert stage.projector.mode == "tailing"
        await stage.live()
        await stage.check()
        quiet = await stage.start()
        await stage.go_on(quiet, told=False)
        stage.trouble()
        await stage.live()
        await stage.check()
        await stage.check_written()

    run(main())


def test_what_happens_just_when_it_goes_live_is_not_missed() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        tail, late = stage.journal.tail, [1]

        async def tail_and_then_something_happens(*place: Any, **limits: Any) -> list[Kept]:
            page = await tail(*place, **limits)
            if not page and late:
                late.pop()
                await stage.start()
            return page

        stage.journal.tail = tail_and_then_something_happens  # type: ignore[method-assign]
        await stage.live()
        await stage.check()
        assert late == []

    run(main())


def test_a_store_of_another_journal_is_made_anew() -> None:
    async def main() -> None:
        before, stage = ProjectionStage(), ProjectionStage()
        for _ in range(3):
            await before.finish(await before.start())
        await before.check_written()
        stage.memory.kept, stage.memory.kept_at = before.memory.kept, before.memory.kept_at
        await stage.start()
        await stage.check_written()

    run(main())


def test_one_record_that_the_store_does_not_take_holds_up_nothing() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        ids = [await stage.start() for _ in range(3)]
        keep = stage.memory.keep

        async def picky(records: list[RunRecord], position: int) -> None:
            if any(record.run_id == ids[1] for record in records):
                raise ValueError("surrogates not allowed")
            await keep(records, position)

        stage.memory.keep = picky  # type: ignore[assignment, method-assign]
        for run_id in ids:
            await stage.finish(run_id)
        await stage.tick(1_000)
        assert set(stage.memory.kept) == {ids[0], ids[2]}
        assert (stage.projector.left_out, stage.projector.overlay()) == (1, ())
        assert stage.memory.kept_at == await stage.journal.position()

    run(main())


def test_a_rebuild_is_the_same_again() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        for number in range(20):
            run_id = await stage.start()
            for _ in range(number % (len(LIFE) + 2)):
                await stage.go_on(run_id)
        await stage.check_written()
        before = dict(stage.memory.kept)
        stage.memory.kept["run_stray"] = next(iter(before.values()))
        await stage.projector.rebuild()
        assert stage.memory.kept == before
        await stage.check_written()

    run(main())


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("seed", range(100))
def test_whatever_happens_nothing_is_lost_or_doubled(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random histories with crashes at every point of projection, stores that go away, feeds that fail, and small bounds."""
    chance = random.Random(seed)
    monkeypatch.setattr(run_overlay, "MAX_RUNS", chance.choice([3, 10, 1_000]))
    monkeypatch.setattr(run_overlay, "BATCH_RUNS", chance.choice([1, 3, 1_000]))
    monkeypatch.setattr(run_overlay, "LONG_EVENTS", chance.choice([2, 1_000]))
    monkeypatch.setattr(intake, "MAX_HEARD", chance.choice([5, 1_000]))
    monkeypatch.setattr(intake, "PAGE", chance.choice([1, 7, 1_000]))

    def probe(point: str) -> None:
        if chance.random() < 0.1:
            raise Died(point)

    async def main() -> None:
        stage = ProjectionStage()
        stage.restart(probe)
        keep = stage.memory.keep

        async def torn_keep(records: list[RunRecord], position: int) -> None:
            if chance.random() < 0.1:
                await keep(records[: chance.randint(0, len(records))], stage.memory.kept_at)
                raise Died("in the middle of a batch")
            await keep(records, position)

        stage.memory.keep = torn_keep  # type: ignore[assignment, method-assign]
        deaths = 0
        for _ in range(200):
            try:
                await step(stage, chance)
            except Died:
                deaths += 1
                stage.restart(probe)
        assert deaths > 0
        stage.memory.fail, stage.memory.keep = None, keep  # type: ignore[method-assign]
        stage.restart()
        await stage.live()
        await stage.check()
        await stage.check_written()
        before = dict(stage.memory.kept)
        await stage.projector.rebuild()
        assert stage.memory.kept == before

    run(main())


async def step(stage: ProjectionStage, chance: random.Random) -> None:
    what = chance.random()
    if stage.memory.fail and what < 0.15:
        stage.memory.fail = None
    elif what < 0.25 or not stage.runs:
        await stage.start(chance.choice(stage.names))
    elif what < 0.27:
        place = chance.randrange(3)
        gone, stage.names[place] = stage.names[place], new_id("wf")
        await stage.delete_workflow(gone)
    elif what < 0.3:
        await stage.delete_ended(chance.sample(list(stage.runs), min(len(stage.runs), 3)))
    elif what < 0.31:
        with suppress(RunStoreUnavailable):
            await stage.projector.remove_deleted()
    elif what < 0.7:
        await stage.go_on(chance.choice(list(stage.runs)), told=True)
    elif what < 0.72:
        stage.memory.fail = "away"
    elif what < 0.74:
        await stage.go_on(chance.choice(list(stage.runs)), told=False)
        stage.trouble()
    elif what < 0.8 and stage.projector.mode == "live" and stage.memory.fail is None:
        await stage.check()
    else:
        await stage.tick(chance.choice([0, 100, 1_000, 6_000, 61_000]))
