"""What the journal deleted shows nowhere, and is deleted from the run store, whatever happens in between."""

import asyncio

import pytest
from tests.contract.samples import run
from tests.unit.projection_stage import ProjectionStage

from runwell.model.errors import JournalUnavailable, RunStoreUnavailable
from runwell.model.run import RunRow
from runwell.model.run_record import RunRecord
from runwell.storage import deleted
from runwell.storage.memory_journal import MemoryJournal


def test_the_runs_of_a_deleted_workflow_are_nowhere_wherever_they_were() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        kept, dirty = await stage.start("wf_gone"), ""
        await stage.finish(kept)
        await stage.tick(1_000)
        dirty = await stage.start("wf_gone")
        await stage.finish(dirty)
        other = await stage.start("wf_other")
        assert await stage.journal.delete_runs("wf_gone") == 2
        await stage.projector.remove_deleted()
        for run_id in (kept, dirty):
            del stage.runs[run_id]
        await stage.check()
        await stage.check_written()
        assert list(stage.memory.kept) == [other]
        assert other

    run(main())


def test_removed_runs_are_nowhere() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        one, two = await stage.start("wf_a"), await stage.start("wf_b")
        await stage.finish(one)
        assert await stage.journal.delete_ended([one, two]) == 1
        await stage.projector.remove_deleted()
        del stage.runs[one]
        await stage.check()
        await stage.check_written()
        assert list(stage.memory.kept) == [two]

    run(main())


def test_a_deletion_that_the_process_did_not_survive_is_finished_by_the_next() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        for workflow in ("wf_gone", "wf_other", "wf_gone"):
            await stage.finish(await stage.start(workflow))
        single = await stage.start("wf_other")
        await stage.finish(single)
        await stage.tick(1_000)
        assert len(stage.memory.kept) == 4
        await stage.delete_workflow("wf_gone")
        await stage.delete_ended([single])
        stage.restart()
        assert len(stage.memory.kept) == 4
        await stage.check()  # none of them shows, though the store has them
        await stage.live()
        await stage.removed()
        assert list(stage.memory.kept) == list(stage.runs)
        assert not stage.journal.removals()

    run(main())


def test_a_deletion_waits_for_a_store_that_is_away() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        await stage.finish(await stage.start("wf_gone"))
        await stage.tick(1_000)
        stage.memory.fail = "away"
        await stage.delete_workflow("wf_gone")
        for _ in range(2):
            with pytest.raises(RunStoreUnavailable):
                await stage.projector.remove_deleted()
        await stage.tick(100)
        stage.memory.fail = None
        await stage.check()
        assert len(stage.memory.kept) == 1
        await stage.tick(60_000)  # nobody asks again
        assert (stage.memory.kept, bool(stage.journal.removals())) == ({}, False)

    run(main())


def test_a_deletion_from_the_journal_that_was_cut_off_goes_on_by_itself() -> None:
    class Cut(MemoryJournal):
        cut = True

        def _remove(self, row: RunRow) -> None:
            if self.cut and len(self._runs) == 2:
                raise JournalUnavailable("the disk is full")
            super()._remove(row)

    async def main() -> None:
        journal = Cut()
        stage = ProjectionStage(journal=journal)
        await stage.live()
        for _ in range(4):
            await stage.finish(await stage.start("wf_gone"))
        await stage.tick(1_000)
        with pytest.raises(JournalUnavailable):
            await stage.delete_workflow("wf_gone")
        assert len(await journal.rows()) == 2
        stage.runs.clear()
        await stage.check()
        await stage.tick(1_000)
        assert len(stage.memory.kept) == 4
        journal.cut = False
        await stage.tick(60_000)
        assert (await journal.rows(), stage.memory.kept) == ([], {})

    run(main())


def test_a_deletion_that_somebody_works_on_is_theirs_and_shows_at_once() -> None:
    class Slow(MemoryJournal):
        def __init__(self) -> None:
            super().__init__()
            self.go_on = asyncio.Event()

        async def delete_runs(self, workflow_id: str) -> int:
            async with self._deleted.taking(workflow_id) as close:
                close()
                await self.go_on.wait()
            return await super().delete_runs(workflow_id)

    async def main() -> None:
        journal = Slow()
        stage = ProjectionStage(journal=journal)
        await stage.live()
        await stage.finish(await stage.start("wf_gone"))
        await stage.tick(1_000)
        deleting = asyncio.ensure_future(stage.delete_workflow("wf_gone"))
        await stage.clock.settle()
        assert stage.projector.removals().workflows == {"wf_gone": "deleting"}
        await stage.tick(1_000)
        assert len(stage.memory.kept) == 1
        journal.go_on.set()
        await deleting
        await stage.tick(1_000)
        assert stage.memory.kept == {}

    run(main())


def test_a_store_that_missed_too_many_deletions_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleted, "MOST_RUNS", 3)

    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        gone = [await stage.start() for _ in range(5)]
        for run_id in [*gone, await stage.start()]:
            await stage.finish(run_id)
        await stage.tick(1_000)
        await stage.delete_ended(gone)
        stage.restart()
        with pytest.raises(RunStoreUnavailable, match="built anew"):
            stage.projector.removals()
        await stage.removed()
        await stage.check_written()
        assert list(stage.memory.kept) == list(stage.runs)

    run(main())


def test_a_removal_waits_for_the_batch_in_flight() -> None:
    async def main() -> None:
        stage = ProjectionStage()
        await stage.live()
        run_id = await stage.start("wf_gone")
        await stage.finish(run_id)
        await stage.projector.catch_up()
        held, keep = asyncio.Event(), stage.memory.keep

        async def slow_keep(records: list[RunRecord], position: int) -> None:
            await held.wait()
            await keep(records, position)

        stage.memory.keep = slow_keep  # type: ignore[assignment, method-assign]
        writing = asyncio.ensure_future(stage.projector.write())
        await stage.clock.settle()
        await stage.journal.delete_runs("wf_gone")
        removing = asyncio.ensure_future(stage.projector.remove_deleted())
        await stage.clock.settle()
        held.set()
        await asyncio.gather(writing, removing)
        assert (stage.memory.kept, stage.projector.overlay()) == ({}, ())

    run(main())
