"""Deciding in a person's place what the steps of a run ask."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from runwell.bootstrap import App
from runwell.model.commands import CompleteTask
from runwell.model.run import TaskView
from runwell.model.text_delta import Delta
from runwell.ports.journal import Kept
from runwell.query.families import descendants

Decide = Callable[[TaskView], Any]
"""Says what a person would: True, False, or an object of edits, which approves."""

ACTOR: Final = "python"


class Deciding:
    """Decides the tasks of one run and of those that it starts, each once."""

    def __init__(self, app: App, run_id: str, decide: Decide) -> None:
        self._app, self._run_id, self._decide = app, run_id, decide
        self._asked = asyncio.Event()
        self._decided: set[str] = set()
        self._work = asyncio.ensure_future(self._go_on())
        self._unlisten = app.runtime.feed.listen(self._hear)

    @property
    def broken(self) -> "asyncio.Future[None]":
        """Done only when `decide` raised, or what it said was refused: with that exception."""
        return self._work

    async def close(self) -> None:
        self._unlisten()
        self._work.cancel()
        await asyncio.wait([self._work])

    def _hear(self, item: Kept | Delta) -> None:
        if isinstance(item, Kept) and item.event.type == "task_created":
            self._asked.set()

    async def _go_on(self) -> None:
        while True:
            self._asked.clear()
            family = descendants(await self._app.journal.live(), self._run_id)
            for task in await self._app.journal.pending_tasks():
                if task.run_id in family and task.id not in self._decided:
                    self._decided.add(task.id)
                    await self._tell(task)
            await self._asked.wait()

    async def _tell(self, task: TaskView) -> None:
        said = self._decide(task)
        edits = dict(said) if isinstance(said, Mapping) else None
        decision = CompleteTask(task_id=task.id, approved=edits is not None or bool(said), result=edits, actor=ACTOR)
        await self._app.runtime.command(task.run_id, decision)


@asynccontextmanager
async def deciding(app: App, run_id: str, decide: Decide | None) -> AsyncIterator[Deciding | None]:
    """Decide meanwhile, if there is who does. Raises what `decide` raised."""
    if decide is None:
        yield None
        return
    own = Deciding(app, run_id, decide)
    try:
        yield own
    finally:
        if own.broken.done() and (error := own.broken.exception()) is not None:
            await own.close()
            raise error
        await own.close()
