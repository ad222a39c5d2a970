"""Alarms: one per run, never early, and nothing left of those that were taken back."""

import asyncio

from runwell.runtime.alarms import Alarms
from runwell.testing import FakeClock


def test_each_run_is_woken_once_at_its_last_moment() -> None:
    async def main() -> None:
        clock, woken = FakeClock(0), []
        alarms = Alarms(clock, lambda run_id: woken.append((run_id, clock.now())))
        alarms.set("a", 10)
        alarms.set("b", 20)
        alarms.set("a", 30)
        alarms.set("c", 25)
        alarms.set("c", None)
        await clock.advance(100)
        assert woken == [("b", 20), ("a", 30)]

    asyncio.run(main())


def test_alarms_that_were_taken_back_leave_neither_timer_nor_memory() -> None:
    async def main() -> None:
        clock = FakeClock(0)
        alarms = Alarms(clock, lambda run_id: None)
        alarms.set("stays", 5)
        for number in range(10_000):
            alarms.set(f"run {number}", 1_000 + number)
            alarms.set(f"run {number}", None)
        assert len(alarms._heap) < 300
        alarms.set("stays", None)
        assert clock.next_at is None

    asyncio.run(main())
