"""What every journal promises about deleting a workflow's runs."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from tests.contract.backend import Backend, opened
from tests.contract.samples import asks, event, logs, new_run, pending, row, run, seqs

from runwell.model.errors import NotFound, PositionConflict, Refused
from runwell.model.removals import Removals
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.ports.journal import RunFilter
from runwell.storage import deleted

ENDED = RunStatus.SUCCEEDED


def of(workflow_id: str, its_row: RunRow) -> RunRow:
    return msgspec.structs.replace(its_row, workflow_id=workflow_id)


class DeletionContract:
    """All of one workflow, nothing of another."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    def test_all_runs_of_the_workflow_go_and_no_others(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                gone, stays = [new_run() for _ in range(5)], [new_run() for _ in range(5)]
                for one, other in zip(gone, stays, strict=True):
                    await journal.append(0, logs(one, 1, 3), of("wf_1", row(one, 3)))
                    await journal.append(0, [event(other, 1, asks(f"task_{other}"), step="a")], of("wf_2", row(other, 1)))
                    await journal.append(3, logs(one, 4, 1), of("wf_1", row(one, 4, ENDED)))
                before, told = await journal.position(), await journal.tail(0, workflow_id="wf_2")
                assert await journal.delete_runs("wf_1") == 5
                for run_id in gone:
                    assert await journal.row(run_id) is None
                    assert await journal.read(run_id) == []
                    assert await journal.find(run_id) == []
                assert [found.run_id for found in await journal.rows()] == stays[::-1]
                assert await journal.rows(RunFilter(workflow_id="wf_1")) == []
                assert len(await pending(journal)) == 5
                assert await journal.tail(0) == told
                assert await journal.position() == before
                assert await journal.delete_runs("wf_1") == 0

        run(main())

    def test_live_runs_are_a_reason_to_refuse(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                ended, live = new_run(), new_run()
                await journal.append(0, logs(ended, 1, 1), row(ended, 1, ENDED))
                busy = new_run()
                journal.append(0, logs(busy, 1, 1), of("wf_2", row(busy, 1)))
                last = journal.append(0, logs(live, 1, 1), row(live, 1))  # behind what is being written just now
                with pytest.raises(Refused, match="1 run that has not ended"):
                    await journal.delete_runs("wf_1")
                await last
                assert len(await journal.rows()) == 3
                await journal.append(1, logs(live, 2, 1), row(live, 2))
                another = new_run()
                await journal.append(0, logs(another, 1, 1), row(another, 1, ENDED))
                await journal.append(2, logs(live, 3, 1), row(live, 3, ENDED))
                assert await journal.delete_runs("wf_1") == 3

        run(main())

    def test_nothing_comes_after_a_deletion_nor_during_it(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                ended = [new_run() for _ in range(20)]
                await asyncio.gather(*(journal.append(0, logs(run_id, 1, 1), row(run_id, 1, ENDED)) for run_id in ended))
                deleting = asyncio.ensure_future(journal.delete_runs("wf_1"))
                outcomes: list[Any] = []
                busy = new_run()
                for seq in range(300):
                    outcomes.append(journal.append(seq, logs(busy, seq + 1, 1), of("wf_2", row(busy, seq + 1))))
                    run_id, expected = (new_run(), 0) if seq % 2 else (ended[seq % 20], 1)
                    try:
                        sent = logs(run_id, expected + 1, 1)
                        outcomes.append(journal.append(expected, sent, row(run_id, expected + 1, ENDED)))
                    except (NotFound, PositionConflict) as exc:
                        outcomes.append(exc)
                    await asyncio.sleep(0)
                await deleting
                ends = await asyncio.gather(*(one for one in outcomes if isinstance(one, asyncio.Future)), return_exceptions=True)
                refused = [end for end in ends if isinstance(end, BaseException)]  # at once, or by the future: as the port says
                assert all(isinstance(end, NotFound | PositionConflict) for end in refused), refused
                assert {found.workflow_id for found in await journal.rows()} == {"wf_2"}
                assert {kept.event.run_id for kept in await journal.tail(0, limit=seq + 100)} == {busy}
                late = new_run()
                with pytest.raises(NotFound):
                    journal.append(0, logs(late, 1, 1), row(late, 1))
                other = of("wf_2", row(late, 1))
                await journal.append(0, logs(late, 1, 1), other)

        run(main())

    def test_positions_go_on_after_a_deletion(self, backend: Backend) -> None:
        async def main() -> None:
            journal = backend.make()
            async with opened(journal):
                kept, gone = new_run(), new_run()
                await journal.append(0, logs(kept, 1, 1), of("wf_2", row(kept, 1)))
                last = await journal.append(0, logs(gone, 1, 2), row(gone, 2, ENDED))
                await journal.delete_runs("wf_1")
            again = backend.make() if backend.persistent else journal
            async with opened(again):
                assert await again.position() == last
                after = new_run()
                assert await again.append(0, logs(after, 1, 1), of("wf_2", row(after, 1))) > last
                await again.append(1, logs(kept, 2, 1), of("wf_2", row(kept, 2)))
                assert [(kept_one.event.run_id, kept_one.event.seq) for kept_one in await again.tail(last)] == [(after, 1), (kept, 2)]
                assert seqs([kept_one.event for kept_one in await again.tail(0)]) == [1, 1, 2]

        run(main())

    # What others may still have

    def test_what_was_deleted_is_told_until_it_is_gone_everywhere(self, backend: Backend) -> None:
        async def main() -> None:
            journal = backend.make()
            async with opened(journal):
                one, other, live = new_run(), new_run(), new_run()
                await journal.append(0, logs(one, 1, 1), row(one, 1, ENDED))
                await journal.append(0, logs(other, 1, 1), of("wf_2", row(other, 1, ENDED)))
                await journal.append(0, logs(live, 1, 1), of("wf_3", row(live, 1)))
                assert not journal.removals()
                with pytest.raises(Refused):
                    await journal.delete_runs("wf_3")
                assert not journal.removals()
                await journal.delete_ended([other, live, new_run()])
                assert journal.removals() == Removals(runs=frozenset([other]))
                await journal.delete_runs("wf_1")
                await journal.delete_runs("wf_none")
                told = Removals(workflows={"wf_1": "deleted", "wf_none": "deleted"}, runs=frozenset([other]))
                assert journal.removals() == told
            again = backend.make() if backend.persistent else journal
            async with opened(again):
                known = again.removals()
                assert (known.workflows.keys(), known.runs, known.everything) == (told.workflows.keys(), told.runs, False)
                if backend.persistent:  # another process cannot know how far the deletion was
                    assert known.of("cut_off") == ["wf_1", "wf_none"]
                    late = new_run()
                    with pytest.raises(NotFound):
                        again.append(0, logs(late, 1, 1), row(late, 1))
                    assert await again.delete_runs("wf_1") == 0
                await again.removed(Removals(workflows={"wf_1": "deleted"}, runs=frozenset([other])))
                assert (list(again.removals().workflows), again.removals().runs) == (["wf_none"], frozenset())
            third = backend.make() if backend.persistent else journal
            async with opened(third):
                assert list(third.removals().workflows) == ["wf_none"]
                await third.removed(third.removals())
                assert not third.removals()
                assert await third.delete_ended([live]) == 0

        run(main())

    def test_very_many_deleted_runs_are_not_named(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deleted, "MOST_RUNS", 5)

        async def main() -> None:
            journal = backend.make()
            async with opened(journal):
                ended = [new_run() for _ in range(8)]
                for run_id in ended:
                    await journal.append(0, logs(run_id, 1, 1), row(run_id, 1, ENDED))
                await journal.delete_runs("wf_2")
                assert await journal.delete_ended(ended[:5]) == 5
                assert len(journal.removals().runs) == 5
                assert await journal.delete_ended(ended[5:7]) == 2
                assert journal.removals() == Removals(workflows={"wf_2": "deleted"}, everything=True)
                assert await journal.delete_ended(ended[7:]) == 1
                assert journal.removals().runs == set(ended[7:])
            again = backend.make() if backend.persistent else journal
            async with opened(again):
                known = again.removals()
                assert (list(known.workflows), known.runs, known.everything) == (["wf_2"], frozenset(ended[7:]), True)
                await again.removed(known)
            third = backend.make() if backend.persistent else journal
            async with opened(third):
                assert not third.removals()

        run(main())

    # Runs that have ended

    def test_ended_runs_go_and_live_ones_stay(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                gone, kept, live = [new_run() for _ in range(5)], [new_run() for _ in range(3)], new_run()
                for run_id in (*gone, *kept):
                    await journal.append(0, [event(run_id, 1, asks(f"task_{run_id}"), step="a")], row(run_id, 1))
                    await journal.append(1, logs(run_id, 2, 2), row(run_id, 3, ENDED))
                await journal.append(0, [event(live, 1, asks("task_live"), step="a")], row(live, 1))
                before = await journal.position()
                told = [one for one in await journal.tail(0) if one.event.run_id not in gone]
                unknown = new_run()
                assert await journal.delete_ended([*gone, *gone[:2], live, unknown, "run_", "' OR 1=1 --", "\0"]) == 5
                for run_id in gone:
                    assert await journal.row(run_id) is None
                    assert await journal.read(run_id) == []
                    assert await journal.find(run_id) == []
                assert [found.run_id for found in await journal.oldest(limit=9)] == [*kept, live]
                assert await pending(journal) == ["task_live"]
                assert await journal.tail(0) == told
                assert await journal.position() == before
                assert await journal.delete_ended(gone) == 0
                assert await journal.delete_ended([]) == 0
                await journal.append(1, logs(live, 2, 1), row(live, 2))
                with pytest.raises((NotFound, PositionConflict)):
                    await journal.append(3, logs(gone[0], 4, 1), row(gone[0], 4, ENDED))
                assert await journal.row(gone[0]) is None
                await journal.append(0, logs(gone[0], 1, 1), row(gone[0], 1))  # the id is free again
                assert [one.event.seq for one in await journal.tail(before)] == [2, 1]

        run(main())

    def test_no_comment_brings_back_a_part_of_a_run_that_is_deleted(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                ended = [new_run() for _ in range(20)]
                await asyncio.gather(*(journal.append(0, logs(run_id, 1, 1), row(run_id, 1, ENDED)) for run_id in ended))
                early = [journal.append(1, logs(run_id, 2, 1), row(run_id, 2, ENDED)) for run_id in ended[:5]]
                deleting = asyncio.ensure_future(journal.delete_ended(ended))
                late: list[Any] = []
                while not deleting.done():
                    for run_id in ended:
                        with suppress(NotFound, PositionConflict):
                            late.append(journal.append(1, logs(run_id, 2, 1), row(run_id, 2, ENDED)))
                    await asyncio.sleep(0)
                assert await deleting == 20
                ends = await asyncio.gather(*early, *late, return_exceptions=True)
                assert all(isinstance(end, int | NotFound | PositionConflict) for end in ends), ends
                assert await journal.rows() == []
                assert await journal.tail(0) == []
                for run_id in ended:
                    assert await journal.read(run_id) == []

        run(main())

    def test_the_oldest_come_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made = [new_run() for _ in range(6)]
                for number, run_id in enumerate(made):
                    status = ENDED if number % 2 else RunStatus.RUNNING
                    await journal.append(0, logs(run_id, 1, 1), of(f"wf_{number % 3}", row(run_id, 1, status)))
                assert [one.run_id for one in await journal.oldest(limit=4)] == made[:4]
                assert [one.run_id for one in await journal.oldest(limit=9, after=made[1])] == made[2:]
                assert [one.run_id for one in await journal.oldest(RunFilter(statuses=(ENDED,)), limit=2)] == made[1:4:2]
                assert [one.run_id for one in await journal.oldest(RunFilter(workflow_id="wf_1"), limit=9, after=made[1])] == [made[4]]
                assert await journal.oldest(limit=0) == []
                with pytest.raises(NotFound):
                    await journal.oldest(limit=1, after=new_run())

        run(main())

    def test_positions_go_on_after_ended_runs_were_deleted(self, backend: Backend) -> None:
        async def main() -> None:
            journal = backend.make()
            async with opened(journal):
                kept, gone = new_run(), new_run()
                await journal.append(0, logs(kept, 1, 1), row(kept, 1))
                last = await journal.append(0, logs(gone, 1, 2), row(gone, 2, ENDED))
                assert await journal.delete_ended([gone]) == 1
            again = backend.make() if backend.persistent else journal
            async with opened(again):
                assert await again.position() == last
                after = new_run()
                assert await again.append(0, logs(after, 1, 1), row(after, 1)) > last
                assert [kept_one.event.run_id for kept_one in await again.tail(last)] == [after]
                assert await again.rows(before=after) == [row(kept, 1)]

        run(main())
