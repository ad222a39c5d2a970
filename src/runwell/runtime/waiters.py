"""Who waits for the ends of runs, in this process."""

import asyncio

from runwell.engine.state import RunState


class Waiters:
    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[RunState]]] = {}

    async def end_of(self, run_id: str) -> RunState:
        """Return the run's last state, once it is told."""
        waiter: asyncio.Future[RunState] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run_id, []).append(waiter)
        return await waiter

    def tell(self, state: RunState) -> None:
        for waiter in self._taken(state.run_id):
            waiter.set_result(state)

    def fail(self, run_id: str, cause: BaseException) -> None:
        """Tell that there is no such run, after all."""
        for waiter in self._taken(run_id):
            waiter.set_exception(cause)

    def cancel(self) -> None:
        for run_id in list(self._waiting):
            for waiter in self._taken(run_id):
                waiter.cancel()

    def _taken(self, run_id: str) -> list["asyncio.Future[RunState]"]:
        return [waiter for waiter in self._waiting.pop(run_id, ()) if not waiter.done()]
