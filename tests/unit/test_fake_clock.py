"""The fake clock: timers in order, each at its own moment, never early."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from runwell.testing import FakeClock


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_timers_fire_in_order_each_at_its_own_moment() -> None:
    async def main() -> None:
        clock, fired = FakeClock(1_000), []
        for when in (1_030, 1_010, 1_020, 1_010):
            clock.call_at(when, lambda when=when: fired.append((when, clock.now())))  # type: ignore[misc]
        await clock.advance(9)
        assert fired == []
        await clock.advance_to(1_025)
        assert fired == [(1_010, 1_010), (1_010, 1_010), (1_020, 1_020)]
        assert (clock.now(), clock.next_at) == (1_025, 1_030)

    run(main())


def test_a_timer_set_by_a_timer_fires_in_the_same_advance() -> None:
    async def main() -> None:
        clock, fired = FakeClock(0), []

        async def later() -> None:
            await asyncio.sleep(0)
            clock.call_at(clock.now() + 10, lambda: fired.append(clock.now()))

        tasks: list[asyncio.Task[None]] = []
        clock.call_at(10, lambda: tasks.append(asyncio.ensure_future(later())))
        await clock.advance(100)
        assert fired == [20]

    run(main())


def test_a_cancelled_timer_stays_silent_even_at_its_moment() -> None:
    async def main() -> None:
        clock, fired = FakeClock(0), []
        second = clock.call_at(5, lambda: fired.append("second"))
        clock.call_at(4, second.cancel)
        third = clock.call_at(6, lambda: fired.append("third"))
        clock.call_at(6, lambda: fired.append("fourth"))
        third.cancel()
        await clock.advance(10)
        assert fired == ["fourth"]
        assert clock.next_at is None

    run(main())


def test_a_timer_that_is_due_already_fires_on_the_loop_and_not_within_the_call() -> None:
    async def main() -> None:
        clock, fired = FakeClock(50), []
        clock.call_at(50, lambda: fired.append(1))
        clock.call_at(10, lambda: fired.append(2))
        assert fired == []
        await clock.settle()
        assert fired == [1, 2]

    run(main())


def test_settle_lets_chains_of_tasks_come_to_rest() -> None:
    async def main() -> None:
        clock, steps = FakeClock(), 0

        async def walk() -> None:
            nonlocal steps
            for _ in range(100):
                await asyncio.sleep(0)
                steps += 1

        task = asyncio.ensure_future(walk())
        await clock.settle()
        assert steps == 100
        await task

    run(main())


def test_time_does_not_run_backwards() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="does not run backwards"):
            await FakeClock(10).advance_to(9)

    run(main())
