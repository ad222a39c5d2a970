"""What is kept though its time is over."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from runwell.model.retention import Hold
from runwell.model.scope import Scope


class Holds(Protocol):
    """`guard` is held by whoever puts a hold, and by whoever looks at them to delete what is not held: one after the other."""

    guard: asyncio.Lock

    async def put(self, scope: Scope, workflow_id: str, run_id: str | None, *, reason: str, by: str) -> Hold:
        """Hold the run or, without one, the workflow from now on; a hold that is there for the same becomes this one."""
        ...

    async def remove(self, scope: Scope, subject: str) -> None:
        """Let go of a run or a workflow, by its id; nothing happens when it is not held."""
        ...

    async def page(self, scope: Scope, limit: int, after: str | None = None) -> list[Hold]:
        """Return holds in the order of the ids that they are about, those after the id `after`."""
        ...

    async def held(self, scope: Scope, workflow_ids: Collection[str]) -> list[Hold]:
        """Return the holds of these workflows and of runs of theirs."""
        ...
