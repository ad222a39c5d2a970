"""The client, waiting and awaited."""

from types import TracebackType
from typing import Self

import httpx2

from runwell.sdk.connection import Connection, connection_to
from runwell.sdk.driving import AsyncDriver, Driver
from runwell.sdk.evaluations import AsyncDatasets, AsyncEvaluators, AsyncExperiments, Datasets, Evaluators, Experiments
from runwell.sdk.runs import AsyncRuns, Runs
from runwell.sdk.tasks import AsyncTasks, Tasks
from runwell.sdk.workflows import AsyncWorkflows, Workflows


class Client:
    """A Runwell server, from Python. Threads may share it; `close` it, or use it as a context manager.

    base_url: where the server is (`RUNWELL_SERVER`, or else http://127.0.0.1:7878).
    api_key: `rw_...` (`RUNWELL_API_KEY`); a server without sign-in needs none.
    timeout_s: how long the server may take for an answer.
    retries: how often a request is repeated that got none, or was one of too many. Only what is safe to repeat is repeated.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 4,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._connection = connection_to(base_url, api_key, timeout_s, retries)
        self._driver = Driver(self._connection, transport)
        self.workflows = Workflows(self._connection, self._driver)
        self.runs = Runs(self._connection, self._driver)
        self.tasks = Tasks(self._connection, self._driver)
        self.evaluators = Evaluators(self._connection, self._driver)
        self.datasets = Datasets(self._connection, self._driver)
        self.experiments = Experiments(self._connection, self._driver)

    @property
    def connection(self) -> Connection:
        """Where the server is, and how patient the client is."""
        return self._connection

    def close(self) -> None:
        """Close all connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncClient:
    """A Runwell server, from asyncio: as `Client`, but for `await` and `async for`."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        retries: int = 4,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = connection_to(base_url, api_key, timeout_s, retries)
        self._driver = AsyncDriver(self._connection, transport)
        self.workflows = AsyncWorkflows(self._connection, self._driver)
        self.runs = AsyncRuns(self._connection, self._driver)
        self.tasks = AsyncTasks(self._connection, self._driver)
        self.evaluators = AsyncEvaluators(self._connection, self._driver)
        self.datasets = AsyncDatasets(self._connection, self._driver)
        self.experiments = AsyncExperiments(self._connection, self._driver)

    @property
    def connection(self) -> Connection:
        """Where the server is, and how patient the client is."""
        return self._connection

    async def close(self) -> None:
        """Close all connections."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
