"""Connections to ClickHouse, one to each of a few worker threads, opened when they are needed.

The engine in this process and a server's HTTP interface are used alike: calls block, in threads of their own. What goes
wrong with the store is remembered as its trouble, and it is opened again with the next call after a pause.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from runwell.model.errors import RunStoreUnavailable, RunwellError
from runwell.runstore.bounds import Bounds
from runwell.runstore.failures import is_away, is_broken, is_the_stores, reason, translated
from runwell.runstore.targets import Target

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_log = structlog.get_logger("runwell.runstore")
_T = TypeVar("_T")

PAUSE_S: Final = 1.0
"""After the store could not be opened, calls fail at once for so long."""


class Connections:
    """`run` gives a connection to a function, in a worker thread."""

    def __init__(self, target: Target, bounds: Bounds, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._target, self._monotonic = target, monotonic
        self._workers = ThreadPoolExecutor(bounds.connections, thread_name_prefix="runstore")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._open: list[Client] = []
        self._round = 0
        self._is_ready = False
        self._is_closed = False
        self._was_open = False
        self._trouble: RunwellError | None = RunStoreUnavailable("the run store is not open yet")
        self._logged = ""
        self._pause_until = 0.0

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet, and this process never had anything."""
        return not self._was_open and self._target.is_new()

    def trouble(self) -> str | None:
        return None if self._trouble is None else self._trouble.message

    async def open(self) -> None:
        """Open what `run` would open. Never raises for the store's sake: `trouble` tells."""
        with suppress(RunStoreUnavailable):
            await self.run(lambda _client: None)

    async def close(self) -> None:
        """End when what is under way has ended."""
        self._is_closed = True
        await asyncio.to_thread(self._close)

    async def run(self, work: Callable[["Client"], _T], *, is_search: bool = False) -> _T:
        """Return what the function returns. Raises `RunStoreUnavailable`; a search over its bounds `SearchTooLarge`."""
        if self._is_closed:
            raise RunStoreUnavailable("the run store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._workers, self._worked, work, is_search)

    def _worked(self, work: Callable[["Client"], _T], is_search: bool) -> _T:
        client, of_round = self._client()
        try:
            return work(client)
        except Exception as exc:
            if not is_the_stores(exc):
                raise
            told = translated(exc, is_search=is_search)
            if is_broken(exc) or is_away(exc):
                self._failed(exc, told, of_round)
            elif isinstance(told, RunStoreUnavailable):
                _log.error("run_store_refused", store=str(self._target), reason=reason(exc))
            raise told from exc

    def _client(self) -> tuple["Client", int]:
        """Return this thread's connection, and which opening of the store it belongs to."""
        with self._lock:
            if not self._is_ready:
                self._prepare()
            if getattr(self._own, "round", None) != self._round:
                self._own.client = self._guarded(self._target.connect)
                self._own.round = self._round
                self._open.append(self._own.client)
            return self._own.client, self._round

    def _prepare(self) -> None:
        if self._monotonic() < self._pause_until:
            assert self._trouble is not None
            raise RunStoreUnavailable(self._trouble.message, hint=self._trouble.hint)
        self._guarded(self._target.prepare)
        self._round += 1
        self._is_ready = self._was_open = True
        self._trouble, self._logged = None, ""

    def _guarded(self, connect: Callable[[], _T]) -> _T:
        try:
            return connect()
        except Exception as exc:
            if not is_the_stores(exc):
                raise
            told = translated(exc, is_search=False)
            self._forget(told)
            if self._logged != reason(exc):  # it is tried every second
                self._logged = reason(exc)
                _log.warning("run_store_cannot_be_opened", store=str(self._target), reason=self._logged)
            raise told from exc

    def _failed(self, exc: Exception, told: RunwellError, of_round: int) -> None:
        with self._lock:
            if of_round != self._round or not self._is_ready:
                return  # somebody met it before
            _log.error("run_store_failed", store=str(self._target), reason=reason(exc))
            self._forget(told)
            if is_broken(exc):
                self._pause_until = 0.0
                self._target.put_aside(reason(exc))

    def _forget(self, trouble: RunwellError) -> None:
        self._is_ready, self._trouble = False, trouble
        self._pause_until = self._monotonic() + PAUSE_S
        self._close_all()

    def _close_all(self) -> None:
        for client in self._open:
            client.close()
        self._open.clear()

    def _close(self) -> None:
        self._workers.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            self._forget(RunStoreUnavailable("the run store is closed"))
