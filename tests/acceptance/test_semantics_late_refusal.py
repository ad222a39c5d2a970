"""A journal that tells only by the future that an append is refused, as one on a server does of runs that it must look up."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.acceptance.steered_journal import SteeredJournal
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, work

from runwell.engine.state import RunState
from runwell.model.commands import AddComment
from runwell.model.errors import InvalidInput, PositionConflict
from runwell.model.events import Event
from runwell.model.ids import new_id
from runwell.model.run import RunRow
from runwell.ports.runs import StartRequest
from runwell.storage.outcome import refuse_quietly
from runwell.testing import memory_app


class LateJournal(SteeredJournal):
    """Refuses a few turns of the loop later. `refused` counts."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        try:
            return super().append(expected, events, row)
        except (PositionConflict, InvalidInput) as exc:
            self.refused += 1
            return self._late(exc)

    def _late(self, error: Exception) -> "asyncio.Future[int]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        loop.call_soon(lambda: loop.call_soon(refuse_quietly, future, error))
        return future


def test_commands_that_meet_on_a_run_that_has_ended_are_all_kept() -> None:
    async def main() -> None:
        journal = LateJournal()
        async with memory_app([Workbench().type], journal=journal) as app:
            run_id = (await app.run_to_end(await app.start(document(work("a"))))).id
            journal.slow = 20
            commands: list[asyncio.Task[RunState]] = []
            for number in range(5):  # each reads the run before the comment of the one before is kept
                comment = AddComment(comment_id=f"c{number}", content="?", actor="ann")
                commands.append(asyncio.ensure_future(app.runtime.command(run_id, comment)))
                for _ in range(5):
                    await asyncio.sleep(0)
            await asyncio.gather(*commands)
            assert journal.refused >= 4
            assert kinds(await journal.read(run_id)).count("comment_added") == 5
            await sound(app, run_id)
            await app.clock.advance(10_000)  # what was lost is taken up again: there is nothing to do
            assert (await sound(app, run_id)).status == "succeeded"

    run_async(main())


@pytest.mark.parametrize("waits", [False, True])
def test_a_run_whose_short_id_is_taken_is_refused_to_whoever_starts_it(waits: bool) -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type], journal=LateJournal()) as app:
            version = await app.publish(document(work("a")))
            run_id = new_id("run")
            await app.run_to_end(await app.runtime.start(StartRequest(version=version, run_id=run_id)))
            twin = StartRequest(version=version, run_id=run_id[:-1] + ("0" if run_id[-1] != "0" else "1"))
            starting = asyncio.ensure_future(app.runtime.run(twin) if waits else app.runtime.start(twin))
            await app.clock.settle()
            await app.clock.advance(10_000)
            with pytest.raises(InvalidInput, match="24-hex"):
                await starting
            assert not app.runtime.is_busy

    run_async(main())
