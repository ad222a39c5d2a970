"""Runs, as whoever starts, steers and looks at them sees them, whatever runtime hosts them."""

from typing import Any, Protocol

import msgspec

from runwell.model.caching import CacheUse
from runwell.model.commands import Command, CompleteTask
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.run import RunGraph, RunRow, RunView
from runwell.model.run_overview import RunOverview
from runwell.model.scope import Scope
from runwell.ports.feed import Feed
from runwell.ports.journal import Version
from runwell.ports.keeping import Trouble


class StartRequest(msgspec.Struct, kw_only=True):
    """A `run_id` that exists already makes starting it again harmless. `history` is as in `RunCreated`."""

    version: Version
    input: Any = None
    run_id: str | None = None
    org_id: str = DEFAULT_ORG
    project_id: str = DEFAULT_PROJECT
    trigger: str = "api"
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"
    use_cache: CacheUse = "auto"
    actor: str | None = None
    source_run_id: str | None = None
    parent_run_id: str | None = None
    parent_step_id: str | None = None
    root_run_id: str | None = None
    depth: int = 0
    history: list[dict[str, Any]] | None = None


class Runs(Protocol):
    """A run outside of `scope` does not exist: every call about it raises `NotFound`, in the words for an unknown id."""

    feed: Feed

    def trouble(self) -> Trouble | None:
        """Return why what happens cannot be kept just now; None when it can, as far as is known."""
        ...

    async def start(self, request: StartRequest) -> RunRow:
        """Start a run and return its row once it is durable. Raises `InvalidInput` when the input breaks the schema."""
        ...

    async def command(self, scope: Scope, run_id: str, command: Command) -> RunRow:
        """Apply a command and return the row once what it changed is durable. Raises `CommandRefused` and `InvalidInput`."""
        ...

    def as_kept(self, scope: Scope, decision: CompleteTask) -> CompleteTask:
        """Return the decision without what the project does not want to be kept: as its event will say it."""
        ...

    async def row(self, scope: Scope, run_id: str) -> RunRow:
        """Return the run's current-state row."""
        ...

    async def view(self, scope: Scope, run_id: str) -> RunView:
        """Return the run whole, as it is now."""
        ...

    async def overview(self, scope: Scope, run_id: str) -> RunOverview:
        """Return how the run stands now; `causes` are those within the run."""
        ...

    async def context(self, scope: Scope, run_id: str) -> dict[str, Any]:
        """Return `{input, variables, steps: {path: {status, input, result, error}}}`."""
        ...

    async def graph(self, scope: Scope, run_id: str) -> RunGraph:
        """Return the graph of the run's version with how far each step is."""
        ...

    async def document(self, scope: Scope, run_id: str) -> dict[str, Any]:
        """Return the document of the run's exact version."""
        ...
