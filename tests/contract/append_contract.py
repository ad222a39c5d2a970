"""What every journal promises about appending."""

import asyncio
import random

import pytest
from tests.contract.backend import Backend, opened, refused
from tests.contract.samples import CREATED, asks, event, events, logs, new_run, pending, row, run, seqs

from runwell.model.errors import JournalUnavailable, PositionConflict
from runwell.model.events import (
    RunCreated,
    StepCompleted,
    StepStarted,
)
from runwell.model.statuses import RunStatus


class AppendContract:
    """Positions, order, failure, and that nothing acknowledged is lost."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    # Appending and reading

    def test_events_come_back_as_they_went_in(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                first = [event(run_id, 1, CREATED), event(run_id, 2, StepStarted(step_type="http", input={"a": [1, None]}), step="s")]
                await journal.append(0, first, row(run_id, 2))
                second = [event(run_id, 3, StepCompleted(result={"x": 1.5}), step="s")]
                await journal.append(2, second, row(run_id, 3, RunStatus.SUCCEEDED))
                assert await journal.read(run_id) == first + second
                assert await journal.row(run_id) == row(run_id, 3, RunStatus.SUCCEEDED)

        run(main())

    def test_read_after_and_limit(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, logs(run_id, 1, 10), row(run_id, 10))
                assert seqs(await journal.read(run_id, after=7)) == [8, 9, 10]
                assert seqs(await journal.read(run_id, after=2, limit=3)) == [3, 4, 5]
                assert await journal.read(run_id, after=10) == []
                assert await journal.read(run_id, limit=0) == []

        run(main())

    def test_an_unknown_run_is_empty(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                assert await journal.read(new_run()) == []
                assert await journal.row(new_run()) is None
                assert await journal.rows() == []
                assert await journal.live() == []
                assert await journal.pending_tasks() == []

        run(main())

    def test_nothing_is_shared_by_reference(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id, value = new_run(), {"items": [1]}
                future = journal.append(0, events(run_id, 1, StepCompleted(result=value)), row(run_id, 1))
                value["items"].append(2)
                await future
                for _ in range(2):
                    (found,) = await journal.read(run_id)
                    assert found.of(StepCompleted).result == {"items": [1]}
                    found.of(StepCompleted).result["items"].append(3)

        run(main())

    # Positions

    @pytest.mark.parametrize("expected", [0, 1, 3])
    def test_another_position_is_a_conflict_at_once(self, backend: Backend, expected: int) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                first = journal.append(0, logs(run_id, 1, 2), row(run_id, 2))
                with pytest.raises(PositionConflict) as caught:  # submitted, not durable yet
                    journal.append(expected, logs(run_id, expected + 1, 1), row(run_id, expected + 1))
                assert (caught.value.expected, caught.value.actual) == (expected, 2)
                await first
                with pytest.raises(PositionConflict):
                    journal.append(expected, logs(run_id, expected + 1, 1), row(run_id, expected + 1))
                await journal.append(2, logs(run_id, 3, 1), row(run_id, 3))
                assert seqs(await journal.read(run_id)) == [1, 2, 3]

        run(main())

    def test_an_unknown_run_is_at_position_zero(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await refused(journal, PositionConflict, 4, logs(run_id, 5, 1), row(run_id, 5))
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))

        run(main())

    def test_the_position_of_an_ended_run_is_kept(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, logs(run_id, 1, 3), row(run_id, 3, RunStatus.FAILED))
                for expected in (0, 2, 4):
                    its_row = row(run_id, expected + 1, RunStatus.FAILED)
                    conflict = await refused(journal, PositionConflict, expected, logs(run_id, expected + 1, 1), its_row)
                    assert (conflict.expected, conflict.actual) == (expected, 3)
                await journal.append(3, logs(run_id, 4, 1), row(run_id, 4, RunStatus.FAILED))  # a comment, say
                assert seqs(await journal.read(run_id)) == [1, 2, 3, 4]

        run(main())

    def test_gaps_within_an_append_are_refused(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id, other = new_run(), new_run()
                bad = [
                    (0, [], row(run_id, 0)),
                    (0, logs(run_id, 2, 1), row(run_id, 2)),
                    (0, logs(run_id, 1, 1) + logs(run_id, 3, 1), row(run_id, 3)),
                    (0, logs(run_id, 1, 2)[::-1], row(run_id, 1)),
                    (0, logs(other, 1, 1), row(run_id, 1)),
                    (0, logs(run_id, 1, 2), row(run_id, 1)),
                ]
                for expected, wrong, its_row in bad:
                    with pytest.raises(ValueError, match=r"event|append"):
                        journal.append(expected, wrong, its_row)
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                assert await journal.read(other) == []

        run(main())

    # Order and concurrency

    def test_200_tasks_on_interleaved_runs(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                runs = [new_run() for _ in range(20)]
                position = dict.fromkeys(runs, 0)
                acknowledged: list[tuple[str, int]] = []
                rng = random.Random(7)

                async def writer() -> None:
                    for _ in range(10):
                        run_id, count = rng.choice(runs), rng.randint(1, 5)
                        at = position[run_id]
                        position[run_id] = at + count
                        await journal.append(at, logs(run_id, at + 1, count), row(run_id, at + count))
                        acknowledged.append((run_id, at + count))
                        if rng.random() < 0.5:
                            await asyncio.sleep(0)

                await asyncio.gather(*(writer() for _ in range(200)))
                assert len(acknowledged) == 2000
                for run_id in runs:
                    assert await journal.read(run_id) == logs(run_id, 1, position[run_id])
                    assert await journal.row(run_id) == row(run_id, position[run_id])
                    order = [seq for other, seq in acknowledged if other == run_id]
                    assert order == sorted(order)

        run(main())

    def test_an_acknowledged_append_can_be_read(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                for seq in range(1, 30):
                    await journal.append(seq - 1, logs(run_id, seq, 1), row(run_id, seq))
                    assert seqs(await journal.read(run_id, after=seq - 1)) == [seq]
                    found = await journal.row(run_id)
                    assert found is not None
                    assert found.seq == seq

        run(main())

    def test_a_caller_that_gives_up_takes_nothing_back(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                journal.append(0, logs(run_id, 1, 1), row(run_id, 1)).cancel()
                await journal.append(1, logs(run_id, 2, 1), row(run_id, 2))
                assert seqs(await journal.read(run_id)) == [1, 2]

        run(main())

    # Failure

    def test_a_failed_commit_keeps_nothing_and_fails_what_follows(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id, other = new_run(), new_run()
                await journal.append(0, logs(run_id, 1, 2), row(run_id, 2))
                backend.fail_next(journal)
                futures = [
                    journal.append(2, [event(run_id, 3, asks("task_1"), step="s")], row(run_id, 3)),
                    journal.append(3, logs(run_id, 4, 1), row(run_id, 4)),
                    journal.append(0, logs(other, 1, 1), row(other, 1)),
                ]
                for outcome in await asyncio.gather(*futures, return_exceptions=True):
                    assert isinstance(outcome, JournalUnavailable)
                    assert outcome.__cause__ is not None
                assert seqs(await journal.read(run_id)) == [1, 2]
                assert await journal.row(run_id) == row(run_id, 2)
                assert await journal.row(other) is None
                assert await journal.pending_tasks() == []
                conflict = await refused(journal, PositionConflict, 4, logs(run_id, 5, 1), row(run_id, 5))
                assert conflict.actual == 2
                await journal.append(2, logs(run_id, 3, 1), row(run_id, 3))
                await journal.append(0, logs(other, 1, 1), row(other, 1))
                assert await journal.read(run_id) == logs(run_id, 1, 3)

        run(main())

    def test_a_failure_brings_back_the_tasks_as_they_were(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, [event(run_id, 1, asks("task_1"), step="s")], row(run_id, 1))
                backend.fail_next(journal)
                with pytest.raises(JournalUnavailable):
                    await journal.append(1, [event(run_id, 2, StepCompleted(), step="s")], row(run_id, 2))
                assert await pending(journal) == ["task_1"]
                await journal.append(1, [event(run_id, 2, StepCompleted(), step="s")], row(run_id, 2))
                assert await pending(journal) == []

        run(main())

    def test_nobody_has_to_look_at_a_failure(self, backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                backend.fail_next(journal)
                journal.append(0, logs(run_id, 1, 1), row(run_id, 1))

        run(main())
        assert caplog.records == []

    def test_a_closed_journal_takes_nothing(self, backend: Backend) -> None:
        async def main() -> None:
            run_id, journal = new_run(), backend.make()
            with pytest.raises(JournalUnavailable):
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            await journal.open()
            kept = journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            await journal.close()
            assert kept.done()
            assert kept.exception() is None
            await journal.close()
            with pytest.raises(JournalUnavailable):
                await journal.append(1, logs(run_id, 2, 1), row(run_id, 2))

        run(main())

    # Opening again

    def test_everything_outlives_the_journal(self, backend: Backend) -> None:
        if not backend.persistent:
            return

        async def main() -> None:
            ended, live = new_run(), new_run()
            async with opened(backend.make()) as journal:
                await journal.append(0, logs(ended, 1, 3), row(ended, 3, RunStatus.SUCCEEDED))
                journal.append(0, [event(live, 1, CREATED), event(live, 2, asks("task_1"), step="s")], row(live, 2))
            async with opened(backend.make()) as journal:
                assert await journal.read(ended) == logs(ended, 1, 3)
                assert [found.run_id for found in await journal.live()] == [live]
                assert (await journal.read(live))[0].of(RunCreated) == CREATED
                for run_id, at in ((ended, 3), (live, 2)):
                    await refused(journal, PositionConflict, 0, logs(run_id, 1, 1), row(run_id, 1))
                    await refused(journal, PositionConflict, at + 1, logs(run_id, at + 2, 1), row(run_id, at + 2))
                newest = new_run()
                await journal.append(0, logs(newest, 1, 1), row(newest, 1))
                await journal.append(2, [event(live, 3, StepCompleted(), step="s")], row(live, 3))
                assert await journal.pending_tasks() == []
                assert [found.run_id for found in await journal.rows()] == [newest, live, ended]

        run(main())

    def test_the_same_journal_opens_again(self, backend: Backend) -> None:
        run_id, journal = new_run(), backend.make()

        async def once(at: int) -> None:
            async with opened(journal):
                await journal.append(at, logs(run_id, at + 1, 1), row(run_id, at + 1))
                assert seqs(await journal.read(run_id)) == list(range(1, at + 2))

        for at in range(3):
            run(once(at))
