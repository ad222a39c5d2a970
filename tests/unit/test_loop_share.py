"""Work in the background gives way to others, and not to nobody."""

import asyncio
import time

from tests.contract.samples import run

from runwell.runtime.loop_share import SHARE, LoopShare


def test_when_others_use_the_time_they_get_most_of_it() -> None:
    async def main() -> None:
        share, done = LoopShare(), asyncio.Event()

        async def others() -> None:
            while not done.is_set():
                until = time.perf_counter() + 0.005
                while time.perf_counter() < until:
                    pass
                await asyncio.sleep(0)

        busy = asyncio.ensure_future(others())
        began = time.perf_counter()
        await share.give_back(0.005)
        assert time.perf_counter() - began > 0.5 * 0.005 / SHARE
        done.set()
        await busy

    run(main())


def test_nobody_else_gets_hardly_any() -> None:
    async def main() -> None:
        began = time.process_time()
        share = LoopShare()
        for _ in range(20):
            await share.give_back(0.001)
        assert time.process_time() - began < 0.3

    run(main())


def test_who_waits_for_the_work_does_not_wait_for_the_others() -> None:
    async def main() -> None:
        share = LoopShare()
        giving = asyncio.ensure_future(share.give_back(1_000.0))
        await asyncio.sleep(0)
        with share.hurried():
            await asyncio.wait_for(giving, 5)
            await asyncio.wait_for(share.give_back(1_000.0), 5)

    run(main())
