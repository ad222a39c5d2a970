"""A command on a run that no process carries comes before all that is due of the run; a runtime that ends begins nothing."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.workbench import Workbench, document, run_async, work

from runwell.model.commands import Command, PauseRun, StopRun
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import FakeClock, memory_app
from runwell.testing.app import assemble_memory

NAP: dict[str, Any] = {"id": "nap", "type": "delay", "for_s": 60}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (PauseRun(), ["run_paused"]),
        (StopRun(), ["run_stop_requested", "step_stopped"]),
        (StopRun(mode="graceful"), ["run_stop_requested", "step_stopped"]),
    ],
    ids=["pause", "stop", "stop gracefully"],
)
def test_what_is_due_waits_for_a_command_on_a_run_that_nobody_carries(command: Command, expected: list[str]) -> None:
    """The delay is over; were the run carried on first, `pay` would begin."""
    journal, definitions, clock = MemoryJournal(), MemoryDefinitions(), FakeClock()

    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type], journal=journal, definitions=definitions, clock=clock) as app:
            run_id = await app.start(document(NAP, work("pay", "nap")))
            await app.rest(run_id)
            before = len(await journal.read(run_id))
        later = FakeClock(clock.now() + 120_000)
        app = assemble_memory([bench.type], journal=journal, definitions=definitions, clock=later)
        await app.runtime.open(lambda row: False)
        try:
            await app.runtime.state(run_id)  # as the command line does: it looks before it commands
            await app.clock.settle()
            await app.runtime.command(run_id, command)
            assert [event.type for event in await journal.read(run_id, before)][: len(expected)] == expected
            await app.clock.settle()
            assert "pay" not in [event.step_id for event in await journal.read(run_id) if event.type == "step_started"]
        finally:
            await app.runtime.close()

    run_async(main())


def test_a_runtime_that_ends_lets_work_end_and_begins_none() -> None:
    journal, definitions = MemoryJournal(), MemoryDefinitions()

    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        app = assemble_memory([bench.type], journal=journal, definitions=definitions)
        await app.runtime.open()
        run_id = await app.start(document(work("a"), work("b", "a")))
        await app.clock.settle()
        closing = asyncio.ensure_future(app.runtime.close(grace_s=5))
        await asyncio.sleep(0)
        gate.open()
        await closing
        await journal.open()
        assert [(event.type, event.step_id) for event in await journal.read(run_id)][-1] == ("step_completed", "a")
        async with memory_app([bench.type], journal=journal, definitions=definitions) as again:
            assert (await again.run_to_end(run_id)).status == "succeeded"
            started = [event.step_id for event in await journal.read(run_id) if event.type == "step_started"]
            assert started == ["a", "b"]

    run_async(main())


def test_a_runtime_that_ends_lets_a_run_end_whose_last_step_does() -> None:
    journal = MemoryJournal()

    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        app = assemble_memory([bench.type], journal=journal)
        await app.runtime.open()
        run_id = await app.start(document(work("a")))
        await app.clock.settle()
        closing = asyncio.ensure_future(app.runtime.close(grace_s=5))
        await asyncio.sleep(0)
        gate.open()
        await closing
        await journal.open()
        assert (await journal.read(run_id))[-1].type == "run_succeeded"

    run_async(main())
