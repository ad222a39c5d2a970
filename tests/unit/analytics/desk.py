"""The HTTP interface over figures in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from tests.unit.analytics.samples import END

from runwell.api.application import create_app
from runwell.bootstrap import open_app
from runwell.model.principal import LOCAL, Permission
from runwell.model.removals import NO_REMOVALS, Removals
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.ports.analytics import Analytics
from runwell.ports.projection import Lag
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.testing.memory_analytics import MemoryAnalytics
from runwell.testing.memory_run_store import MemoryRunStore

NOTHING = Lag(positions=0, seconds=0, complete=True)


class Overlay:
    """A projection that has caught up, and whose overlay a test decides."""

    def __init__(self, newer: Sequence[RunRecord] = (), lag: Lag = NOTHING) -> None:
        self.newer, self.behind, self.caught_up = newer, lag, 0

    async def catch_up(self) -> None:
        self.caught_up += 1

    def overlay(self) -> Sequence[RunRecord]:
        assert self.caught_up, "it must have caught up before the overlay is taken"
        return self.newer

    def lag(self) -> Lag:
        return self.behind

    def removals(self) -> Removals:
        return NO_REMOVALS

    async def remove_deleted(self) -> None:
        raise NotImplementedError


@asynccontextmanager
async def desk(
    path: Path,
    kept: Sequence[RunRecord],
    scope: Scope,
    *,
    overlay: Overlay | None = None,
    analytics: Analytics | None = None,
    now: int = END,
    permissions: frozenset[Permission] = LOCAL.permissions,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve a caller of this project, at this moment."""
    settings = Settings(data_dir=path)

    async def caller(connection: Any) -> Any:
        return msgspec.structs.replace(LOCAL, scope=scope, permissions=permissions)

    async with open_app(settings, run_store=MemoryRunStore()) as app:
        store = MemoryRunStore()
        store.analytics = analytics or MemoryAnalytics(lambda: kept)
        parts = msgspec.structs.replace(
            parts_for(app, settings),
            run_store=store,
            projection=overlay or Overlay(),
            now=lambda: now,
            authenticate=caller,
            local_only=False,
        )
        transport = httpx2.ASGITransport(create_app(parts), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client
