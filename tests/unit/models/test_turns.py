"""Calls by way of one connection wait for their turn."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from runwell.adapters.models.connections import Connection, Connections
from runwell.adapters.models.turns import Turns
from runwell.model.errors import StepError
from runwell.model.vault import CallLimits


def connection(**limits: float) -> Connection:
    environ = {f"RUNWELL_CONNECTION_X_{name.upper()}": str(value) for name, value in limits.items()}
    return Connections({"RUNWELL_CONNECTION_X_BASE_URL": "http://localhost/v1", **environ}).named("x")


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def calling(test: Callable[[Turns, Time], Awaitable[None]]) -> None:
    async def run() -> None:
        time = Time()
        await asyncio.wait_for(test(Turns(time, time.sleep), time), 5)

    asyncio.run(run())


def test_no_more_at_a_time_than_said() -> None:
    async def test(turns: Turns, time: Time) -> None:
        under_way, most, done = 0, 0, []

        async def call(number: int) -> None:
            nonlocal under_way, most
            async with turns.turn(connection(max_concurrent=2)):
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                under_way -= 1
                done.append(number)

        await asyncio.gather(*map(call, range(9)))
        assert (most, done) == (2, list(range(9)))

    calling(test)


def test_no_more_in_any_minute_than_said() -> None:
    async def test(turns: Turns, time: Time) -> None:
        begun: list[float] = []

        async def call() -> None:
            async with turns.turn(connection(requests_per_minute=3)):
                begun.append(time.now)

        await asyncio.gather(*(call() for _ in range(10)))
        assert begun == [1_000.0] * 3 + [1_060.0] * 3 + [1_120.0] * 3 + [1_180.0]

    calling(test)


def test_who_gives_up_waiting_takes_no_turn_and_a_failure_gives_it_back() -> None:
    async def test(turns: Turns, time: Time) -> None:
        one = connection(max_concurrent=1)
        holding = turns.turn(one)
        await holding.__aenter__()
        waiting = asyncio.ensure_future(turns.turn(one).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await holding.__aexit__(None, None, None)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                async with turns.turn(one):
                    raise RuntimeError

    calling(test)


def test_changed_limits_hold_from_then_on_and_others_are_not_held_back() -> None:
    async def test(turns: Turns, time: Time) -> None:
        async with turns.turn(connection(max_concurrent=1)), turns.turn(connection(max_concurrent=2)), turns.turn(connection()):
            other = msgspec.structs.replace(connection(max_concurrent=2), stored_id="con_2")
            async with turns.turn(other), turns.turn(other):
                assert True

    calling(test)


@pytest.mark.parametrize(
    ("name", "value"), [("timeout_s", "soon"), ("timeout_s", "nan"), ("max_concurrent", "0"), ("max_concurrent", "1.5")]
)
def test_limits_that_are_none(name: str, value: str) -> None:
    with pytest.raises(StepError, match=name.upper()):
        Connections({f"RUNWELL_CONNECTION_X_{name.upper()}": value, "RUNWELL_CONNECTION_X_BASE_URL": "http://x"}).named("x")


def test_limits_of_the_environment() -> None:
    limits = connection(max_concurrent=3, requests_per_minute=60, timeout_s=1.5).limits
    assert limits == CallLimits(max_concurrent=3, requests_per_minute=60, timeout_s=1.5)
