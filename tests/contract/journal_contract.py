"""What every journal promises. A backend's test class inherits this and says how to make one.

`Backend.persistent` backends keep everything over closing and opening a new instance.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from tests.contract.samples import CREATED, event, events, logs, new_run, row, run, seqs

from runwell.model.errors import InvalidInput, JournalUnavailable, NotFound, PositionConflict
from runwell.model.events import (
    UPCASTERS,
    Event,
    Log,
    RunCreated,
    RunSucceeded,
    StepCancelled,
    StepCompleted,
    StepStarted,
    TaskCompleted,
    TaskCreated,
)
from runwell.model.run import TaskView
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import rfc3339
from runwell.ports.journal import Journal


class Backend(Protocol):
    """How a suite gets at a kind of journal. All journals that one backend makes share the same storage."""

    persistent: bool

    def make(self) -> Journal: ...

    def fail_next(self, journal: Journal) -> None:
        """Let the journal's next commit fail, once."""
        ...


@asynccontextmanager
async def opened(journal: Journal) -> AsyncIterator[Journal]:
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


class JournalContract:
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
                with pytest.raises(PositionConflict):
                    journal.append(4, logs(run_id, 5, 1), row(run_id, 5))
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))

        run(main())

    def test_the_position_of_an_ended_run_is_kept(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, logs(run_id, 1, 3), row(run_id, 3, RunStatus.FAILED))
                for expected in (0, 2, 4):
                    with pytest.raises(PositionConflict):
                        journal.append(expected, logs(run_id, expected + 1, 1), row(run_id, expected + 1, RunStatus.FAILED))
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

    # Rows

    def test_live_oldest_first_and_rows_newest_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                made: list[str] = []
                for number, status in enumerate(RunStatus):
                    made.append(new_run())
                    await journal.append(0, logs(made[-1], 1, 1), row(made[-1], 1, slug=f"flow-{number % 2}"))
                    await journal.append(1, logs(made[-1], 2, 1), row(made[-1], 2, status, slug=f"flow-{number % 2}"))
                status_of = dict(zip(made, RunStatus, strict=True))
                assert [found.run_id for found in await journal.live()] == [r for r in made if status_of[r] not in TERMINAL]
                assert [found.run_id for found in await journal.rows()] == made[::-1]
                assert [found.run_id for found in await journal.rows(workflow="flow-1")] == made[1::2][::-1]
                assert [found.run_id for found in await journal.rows(limit=3)] == made[::-1][:3]
                assert [found.run_id for found in await journal.rows(limit=3, before=made[5])] == [made[4], made[3], made[2]]
                assert await journal.rows(limit=0) == []
                assert await journal.rows(before=made[0]) == []
                for run_id in made:
                    assert [found.run_id for found in await journal.rows(status=status_of[run_id])] == [run_id]
                assert await journal.rows(status=RunStatus.QUEUED, workflow="flow-1") == []
                with pytest.raises(NotFound):
                    await journal.rows(before=new_run())

        run(main())

    def test_find(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                ids = [f"run_0195{digit * 28}" for digit in "abc"] + ["run_0195" + "ab" * 14]
                for run_id in ids:
                    await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                assert await journal.find("run_0195c") == [ids[2]]
                assert await journal.find(ids[1]) == [ids[1]]
                assert await journal.find("run_0195a") == [ids[0], ids[3]]
                assert len(await journal.find("run_0195")) == 2
                for nothing in ("run_0196", "run_%", "run_019_", ids[0] + "0", "\x00"):
                    assert await journal.find(nothing) == []

        run(main())

    def test_the_24_hex_id_is_unique(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                twin = run_id[:-1] + ("0" if run_id[-1] != "0" else "1")
                first = journal.append(0, logs(run_id, 1, 1), row(run_id, 1, RunStatus.SUCCEEDED))
                other = new_run()
                beside = journal.append(0, logs(other, 1, 1), row(other, 1))
                with pytest.raises(InvalidInput, match="24-hex"):  # while the first is under way
                    journal.append(0, logs(twin, 1, 1), row(twin, 1))
                await asyncio.gather(first, beside)
                with pytest.raises(InvalidInput, match="24-hex"):  # and once it is ended and kept
                    journal.append(0, logs(twin, 1, 1), row(twin, 1))
                with pytest.raises(InvalidInput):
                    journal.append(0, logs("0195", 1, 1), row("0195", 1))
                assert await journal.row(twin) is None

        run(main())

    # Tasks

    def test_pending_tasks_follow_the_events(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                asked = [event(run_id, n, _asks(f"task_{n}"), step=f"ask[{n}]") for n in range(1, 6)]
                await journal.append(0, asked, row(run_id, 5, RunStatus.WAITING))
                assert await _pending(journal) == [f"task_{n}" for n in range(1, 6)]
                first = (await journal.pending_tasks(task_id="task_1"))[0]
                assert first == _view(run_id, asked[0])
                decided = event(run_id, 6, TaskCompleted(task_id="task_2", approved=True), step="ask[2]")
                await journal.append(5, [decided], row(run_id, 6))
                assert await _pending(journal) == ["task_1", "task_3", "task_4", "task_5"]
                ends = [
                    event(run_id, 7, StepCompleted(), step="ask[3]"),
                    event(run_id, 8, StepCancelled(caused_by="x"), step="ask[4]"),
                    event(run_id, 9, StepCompleted(), step="ask"),
                ]
                await journal.append(6, ends, row(run_id, 9))
                assert await _pending(journal) == ["task_1", "task_5"]
                await journal.append(9, [event(run_id, 10, RunSucceeded())], row(run_id, 10, RunStatus.SUCCEEDED))
                assert await _pending(journal) == []

        run(main())

    def test_pending_tasks_of_several_runs_oldest_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                late, early = new_run(), new_run()
                for run_id, ts in ((late, 2_000), (early, 1_000)):
                    await journal.append(0, [event(run_id, 1, _asks(f"task_{run_id}"), step="s", ts=ts)], row(run_id, 1))
                assert [task.run_id for task in await journal.pending_tasks()] == [early, late]
                assert [task.run_id for task in await journal.pending_tasks(run_id=late)] == [late]
                assert await journal.pending_tasks(run_id=late, task_id=f"task_{early}") == []
                assert await journal.pending_tasks(task_id="task_?") == []
                assert await journal.pending_tasks(run_id=new_run()) == []

        run(main())

    def test_tasks_asked_and_settled_in_one_commit(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                journal.append(
                    0, [event(run_id, 1, _asks("task_a"), step="a"), event(run_id, 2, _asks("task_b"), step="b")], row(run_id, 2)
                )
                settled = event(run_id, 3, TaskCompleted(task_id="task_a", approved=False), step="a")
                journal.append(2, [settled], row(run_id, 3))
                again = [event(run_id, 4, StepCompleted(), step="b"), event(run_id, 5, _asks("task_b"), step="b")]
                await journal.append(3, again, row(run_id, 5))
                assert await _pending(journal) == ["task_b"]

        run(main())

    # Failure

    def test_a_failed_commit_keeps_nothing_and_fails_what_follows(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id, other = new_run(), new_run()
                await journal.append(0, logs(run_id, 1, 2), row(run_id, 2))
                backend.fail_next(journal)
                futures = [
                    journal.append(2, [event(run_id, 3, _asks("task_1"), step="s")], row(run_id, 3)),
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
                with pytest.raises(PositionConflict) as caught:
                    journal.append(4, logs(run_id, 5, 1), row(run_id, 5))
                assert caught.value.actual == 2
                await journal.append(2, logs(run_id, 3, 1), row(run_id, 3))
                await journal.append(0, logs(other, 1, 1), row(other, 1))
                assert await journal.read(run_id) == logs(run_id, 1, 3)

        run(main())

    def test_a_failure_brings_back_the_tasks_as_they_were(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, [event(run_id, 1, _asks("task_1"), step="s")], row(run_id, 1))
                backend.fail_next(journal)
                with pytest.raises(JournalUnavailable):
                    await journal.append(1, [event(run_id, 2, StepCompleted(), step="s")], row(run_id, 2))
                assert await _pending(journal) == ["task_1"]
                await journal.append(1, [event(run_id, 2, StepCompleted(), step="s")], row(run_id, 2))
                assert await _pending(journal) == []

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

    # Values

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\x00",
            "a\x00b",
            "\u202eevil\u2066",
            "\U0001f600\ufffe",
            "'\"\\;--",
            '{"$payload_ref": "sha256:00"}',
            '"refs":{',
            "é" * 524_288,
        ],
        ids=["empty", "nul", "nul within", "bidi", "astral", "quotes", "reference", "mark", "1 MiB"],
    )
    def test_hostile_text_comes_back_unharmed(self, backend: Backend, text: str) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [event(run_id, 1, Log(message=text)), event(run_id, 2, StepCompleted(result={text: [text, 10**30]}), step=text)]
                slug = text[:1000]
                await journal.append(0, sent, row(run_id, 2, slug=slug))
                assert await journal.read(run_id) == sent
                assert await journal.rows(workflow=slug) == [row(run_id, 2, slug=slug)]

        run(main())

    @pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, object(), {1j: 2}], ids=["surrogate", "key", "object", "complex"])
    def test_what_has_no_json_form_is_refused_at_once(self, backend: Backend, value: object) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                with pytest.raises(InvalidInput, match=run_id):
                    journal.append(0, [event(run_id, 1, CREATED), event(run_id, 2, StepCompleted(result=value))], row(run_id, 2))
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                with pytest.raises(InvalidInput):
                    journal.append(1, logs(run_id, 2, 1), row(run_id, 2, slug="\ud800"))

        run(main())

    @pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 3_000_000])
    def test_big_payloads(self, backend: Backend, size: int) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [
                    event(run_id, 1, CREATED),
                    event(run_id, 2, StepStarted(step_type="http", input="i" * size, items=["x" * size, {"refs": {"input": 1}}]), step="a"),
                    event(run_id, 3, StepCompleted(result={"$payload_ref": "sha256:" + "0" * 64, "text": "é" * size}), step="a"),
                    event(run_id, 4, TaskCreated(task_id="task_1", task_type="approval", title="t", payload="p" * size), step="b"),
                ]
                await journal.append(0, sent, row(run_id, 4))
                assert await journal.read(run_id) == sent
                assert (await journal.pending_tasks())[0].payload == "p" * size

        run(main())

    def test_an_old_event_is_lifted_when_it_is_read(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(UPCASTERS, ("log", 0), lambda data: {**data, "message": data["message"].upper()})

        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [event(run_id, 1, Log(message="old"), v=0), event(run_id, 2, Log(message="b" * 100_000), v=0)]
                await journal.append(0, [*sent, event(run_id, 3, Log(message="new"))], row(run_id, 3))
                found = await journal.read(run_id)
                assert [one.of(Log).message for one in found] == ["OLD", "B" * 100_000, "new"]
                assert {one.v for one in found} == {1}

        run(main())

    def test_an_event_of_a_newer_version_is_refused(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, [event(run_id, 1, Log(message="?"), v=2)], row(run_id, 1))
                with pytest.raises(InvalidInput, match="newer"):
                    await journal.read(run_id)

        run(main())

    # Opening again

    def test_everything_outlives_the_journal(self, backend: Backend) -> None:
        if not backend.persistent:
            return

        async def main() -> None:
            ended, live = new_run(), new_run()
            async with opened(backend.make()) as journal:
                await journal.append(0, logs(ended, 1, 3), row(ended, 3, RunStatus.SUCCEEDED))
                journal.append(0, [event(live, 1, CREATED), event(live, 2, _asks("task_1"), step="s")], row(live, 2))
            async with opened(backend.make()) as journal:
                assert await journal.read(ended) == logs(ended, 1, 3)
                assert [found.run_id for found in await journal.live()] == [live]
                assert (await journal.read(live))[0].of(RunCreated) == CREATED
                for run_id, at in ((ended, 3), (live, 2)):
                    with pytest.raises(PositionConflict):
                        journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                    with pytest.raises(PositionConflict):
                        journal.append(at + 1, logs(run_id, at + 2, 1), row(run_id, at + 2))
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


def _asks(task_id: str) -> TaskCreated:
    return TaskCreated(task_id=task_id, task_type="approval", title="Refund?", payload={"a": 1}, assignees=("ann",), expires_at=5_000)


def _view(run_id: str, asked: Event) -> TaskView:
    return TaskView(
        id=asked.of(TaskCreated).task_id,
        run_id=run_id,
        workflow="triage",
        step_id=asked.step_id or "",
        type="approval",
        title="Refund?",
        payload={"a": 1},
        created_at=rfc3339(asked.ts),
        expires_at="1970-01-01T00:00:05.000Z",
        assignees=("ann",),
    )


async def _pending(journal: Journal) -> list[str]:
    return [task.id for task in await journal.pending_tasks()]
