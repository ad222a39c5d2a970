"""What every journal promises about results that can be had again."""

from typing import Any

import msgspec
import pytest
from tests.contract.backend import Backend, opened
from tests.contract.samples import KEY, event, logs, new_run, row, run

from runwell.model.caching import KeptResult
from runwell.model.events import Event, RunSucceeded, StepCompleted
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Cached


class CacheContract:
    """Runs by their key, and results of steps by theirs."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    def test_cached_is_the_newest_success_with_the_key(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:

                async def kept(status: RunStatus = RunStatus.SUCCEEDED, key: str = KEY) -> str:
                    run_id = new_run()
                    its = msgspec.structs.replace(row(run_id, 1), cache_key=key)
                    await journal.append(0, logs(run_id, 1, 1), its)
                    await journal.append(1, [end(run_id)], msgspec.structs.replace(its, seq=2, status=status))
                    return run_id

                def end(run_id: str) -> Event:
                    return event(run_id, 2, RunSucceeded(output=run_id))

                async def found(key: str = KEY) -> str | None:
                    its = await journal.cached(key)
                    assert its is None or its.end.of(RunSucceeded).output == its.row.run_id
                    return None if its is None else its.row.run_id

                assert await found() is None
                slow = new_run()
                still = msgspec.structs.replace(row(slow, 1), cache_key=KEY)
                await journal.append(0, logs(slow, 1, 1), still)
                first = await kept()
                assert await found() == first
                await journal.append(1, [end(slow)], msgspec.structs.replace(still, seq=2, status=RunStatus.SUCCEEDED))
                assert await found() == first  # `slow` ended later, but is older
                newest = await kept()
                for status in set(RunStatus) - {RunStatus.SUCCEEDED}:
                    await kept(status)
                other = await kept(key=KEY[::-1])
                await kept(key="")
                assert (await found(), await found(KEY[::-1]), await found("")) == (newest, other, None)
                comment = msgspec.structs.replace(row(newest, 3, RunStatus.SUCCEEDED), cache_key=KEY)
                await journal.append(2, logs(newest, 3, 1), comment)
                assert await journal.cached(KEY) == Cached(comment, end(newest))

        run(main())

    def test_a_steps_result_is_found_by_its_key_the_last_one_first(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:

                async def kept(seq: int, *results: tuple[str, Any]) -> str:
                    run_id = new_run()
                    done = [
                        Event(seq + i, run_id, "step_completed", 5, "ask", 1, None, StepCompleted(result=result, kept=KeptResult(key=key)))
                        for i, (key, result) in enumerate(results)
                    ]
                    before = logs(run_id, 1, seq - 1)
                    await journal.append(0, [*before, *done], row(run_id, seq + len(done) - 1, RunStatus.SUCCEEDED))
                    return run_id

                async def found(key: str = KEY) -> tuple[str, Any] | None:
                    event = await journal.cached_step(key)
                    return None if event is None else (event.run_id, event.of(StepCompleted).result)

                assert await found() is None
                first = await kept(2, (KEY, 1), (KEY[::-1], "other"))
                assert (await found(), await found(KEY[::-1])) == ((first, 1), (first, "other"))
                large = {"text": "x" * 300_000}
                second = await kept(3, (KEY, "replaced at once"), (KEY, large))
                assert (await found(), await found(KEY[::-1])) == ((second, large), (first, "other"))
                assert await journal.delete_ended([second]) == 1
                assert (await found(), await found(KEY[::-1])) == (None, (first, "other"))

        run(main())

    def test_what_was_deleted_is_cached_no_more(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                done = Event(1, run_id, "step_completed", 5, "ask", 1, None, StepCompleted(kept=KeptResult(key=KEY)))
                its = msgspec.structs.replace(row(run_id, 2, RunStatus.SUCCEEDED), cache_key=KEY)
                await journal.append(0, [done, event(run_id, 2, RunSucceeded())], its)
                assert None not in (await journal.cached(KEY), await journal.cached_step(KEY))
                await journal.delete_runs("wf_1")
                assert (await journal.cached(KEY), await journal.cached_step(KEY)) == (None, None)

        run(main())
