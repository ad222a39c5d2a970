"""The client, waiting and awaited."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from runwell.model.caching import CacheUse
from runwell.model.run import RunView
from runwell.model.workflow_views import VersionSummary
from runwell.sdk.agents import Agents, AsyncAgents
from runwell.sdk.analytics import Analytics, AsyncAnalytics
from runwell.sdk.authored import Authored
from runwell.sdk.connection import Connection, connection_to
from runwell.sdk.driving import AsyncDriver, Driver
from runwell.sdk.evaluations import AsyncDatasets, AsyncEvaluators, AsyncExperiments, Datasets, Evaluators, Experiments
from runwell.sdk.publishing import AsyncPublishing, Publishing
from runwell.sdk.runs import AsyncRuns, Runs
from runwell.sdk.tasks import AsyncTasks, Tasks
from runwell.sdk.views import AsyncViews, Views
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
        self.agents = Agents(self._connection, self._driver)
        self.runs = Runs(self._connection, self._driver)
        self.tasks = Tasks(self._connection, self._driver)
        self.evaluators = Evaluators(self._connection, self._driver)
        self.datasets = Datasets(self._connection, self._driver)
        self.experiments = Experiments(self._connection, self._driver)
        self.analytics = Analytics(self._connection, self._driver)
        self.views = Views(self._connection, self._driver)
        self._publishing = Publishing(self._connection, self._driver)

    @property
    def connection(self) -> Connection:
        """Where the server is, and how patient the client is."""
        return self._connection

    def publish(self, authored: Authored) -> VersionSummary:
        """Publish a workflow or agent that is written in Python, after those that it runs, unless its version is the active one.

        Raises `InvalidDocument`, as when the server has not registered one of its functions (`RUNWELL_TOOL_MODULES` there).
        """
        return self._publishing.publish(authored)

    def run(
        self,
        authored: Authored,
        input: Any = None,
        *,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> RunView:
        """Publish it if the server has it not, run that version there, and return the run once it has ended.

        Raises `RunNotEnded` when that takes longer than `timeout_s`; the run goes on.
        """
        return self._publishing.run(
            authored,
            input,
            tags=tags,
            metadata=metadata,
            environment=environment,
            use_cache=use_cache,
            idempotency_key=idempotency_key,
            timeout_s=timeout_s,
        )

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
        self.agents = AsyncAgents(self._connection, self._driver)
        self.runs = AsyncRuns(self._connection, self._driver)
        self.tasks = AsyncTasks(self._connection, self._driver)
        self.evaluators = AsyncEvaluators(self._connection, self._driver)
        self.datasets = AsyncDatasets(self._connection, self._driver)
        self.experiments = AsyncExperiments(self._connection, self._driver)
        self.analytics = AsyncAnalytics(self._connection, self._driver)
        self.views = AsyncViews(self._connection, self._driver)
        self._publishing = AsyncPublishing(self._connection, self._driver)

    @property
    def connection(self) -> Connection:
        """Where the server is, and how patient the client is."""
        return self._connection

    async def publish(self, authored: Authored) -> VersionSummary:
        """Publish a workflow or agent that is written in Python, after those that it runs, unless its version is the active one.

        Raises `InvalidDocument`, as when the server has not registered one of its functions (`RUNWELL_TOOL_MODULES` there).
        """
        return await self._publishing.publish(authored)

    async def run(
        self,
        authored: Authored,
        input: Any = None,
        *,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> RunView:
        """Publish it if the server has it not, run that version there, and return the run once it has ended.

        Raises `RunNotEnded` when that takes longer than `timeout_s`; the run goes on.
        """
        return await self._publishing.run(
            authored,
            input,
            tags=tags,
            metadata=metadata,
            environment=environment,
            use_cache=use_cache,
            idempotency_key=idempotency_key,
            timeout_s=timeout_s,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
