"""Following one run to its end, or to where only somebody can move it on."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

from runwell.cli.asking import Asker
from runwell.cli.complaints import complain
from runwell.cli.display import Display
from runwell.cli.keeping import KeepingWatch
from runwell.cli.needs import Need, family, is_stuck, needs
from runwell.cli.place import Followed
from runwell.cli.signals import Wish, Wishes
from runwell.engine.state import RunState
from runwell.model.commands import StopRun
from runwell.model.errors import CommandRefused, NotFound, RunwellError
from runwell.model.events import StopMode
from runwell.model.text_delta import Delta
from runwell.ports.journal import Kept

REFRESH_S: Final = 0.1
DRAWING_SHARE: Final = 20
"""Drawing a large run takes at most one part in so many of the time."""
PAUSE_S: Final = 0.05
"""The least time between two looks at what is needed."""
CHILDREN_S: Final = 5.0
"""How long the child runs of a run that has ended may take to end, too."""

_SAID: Final = {
    "graceful": "Stopping: what runs may still end. Press Ctrl-C again to stop at once.",
    "immediate": "Stopping at once.",
    "leave": "Leaving the run as it is.",
}


class Follower:
    """Follows one run. Without an `asker` nobody is asked anything. `only_looks`: it stays when only somebody can move the run on."""

    def __init__(self, runs: Followed, run_id: str, display: Display, asker: Asker | None, *, only_looks: bool = False) -> None:
        self._runs = runs
        self._only_looks = only_looks
        self._steering: set[asyncio.Task[None]] = set()
        self._run_id = run_id
        self._display = display
        self._asker = asker
        self._changed = asyncio.Event()
        self._leaving = False
        self._asking: tuple[Need, asyncio.Task[None]] | None = None
        self._put_off: set[tuple[str, str, str]] = set()
        """Needs that the person left for later."""

    async def follow(self) -> RunState:
        """Return the run's state once it has ended, or needs somebody who is not there, or this process is told to go.

        Raises `JournalUnavailable` when it is left because nothing could be kept.
        """
        ended = asyncio.ensure_future(self._runs.ended(self._run_id))
        unlisten = self._runs.listen(self._hear)
        keeping = KeepingWatch(self._say, self._leave)
        unwatch = self._runs.watch_keeping(keeping.hear)
        refresh = asyncio.create_task(self._refresh())
        try:
            with Wishes(self._wish).heard():
                while not ended.done() and not self._leaving:
                    self._changed.clear()
                    if await self._attend():
                        break
                    await self._rest(ended)
                if ended.done():
                    await self._children_ended()
        finally:
            unlisten()
            unwatch()
            keeping.close()
            await self._take_back()
            await _cancelled(refresh, ended)
        keeping.require()
        return await self._runs.state(self._run_id)

    async def _rest(self, ended: "asyncio.Future[Any]") -> None:
        """Wait until something may have changed."""
        change = asyncio.create_task(self._changed.wait())
        await asyncio.wait({ended, change}, return_when=asyncio.FIRST_COMPLETED)
        change.cancel()
        if not self._leaving:
            await asyncio.wait({ended}, timeout=PAUSE_S)

    async def _attend(self) -> bool:
        """Ask for what is needed; return whether the run is stuck and nobody is left to ask."""
        found = await family(self._runs, self._run_id)
        wanted = [need for need in needs(found) if need.key not in self._put_off] if self._asker else []
        if self._asking is not None and (self._asking[1].done() or self._asking[0].key not in {need.key for need in wanted}):
            await self._take_back()
        if self._asking is None and wanted:
            self._display.show(found)
            self._display.suspend()
            self._asking = (wanted[0], asyncio.create_task(self._ask(wanted[0])))
        return self._asking is None and not self._only_looks and is_stuck(found)

    async def _ask(self, need: Need) -> None:
        """Ask until there is an answer that the run accepts, or none for now."""
        if self._asker is None:
            return
        try:
            command = await self._asker.answer(need)
            if command is None:
                self._put_off.add(need.key)
            else:
                await self._runs.command(need.run_id, command)
        except (CommandRefused, NotFound):  # decided, expired or ended meanwhile
            self._put_off.add(need.key)
        except RunwellError as exc:
            complain(exc)
        finally:
            self._changed.set()

    async def _take_back(self) -> None:
        if self._asking is not None:
            task, self._asking = self._asking[1], None
            await _cancelled(task)

    async def _refresh(self) -> None:
        while self._display.is_live:
            before = time.perf_counter()
            if self._asking is None:
                self._display.show(await family(self._runs, self._run_id))
            await asyncio.sleep(max(REFRESH_S, DRAWING_SHARE * (time.perf_counter() - before)))

    def _hear(self, item: Kept | Delta) -> None:
        self._display.hear(item.event if isinstance(item, Kept) else item)
        if isinstance(item, Kept):
            self._changed.set()

    def _wish(self, wish: Wish) -> None:
        wish = "leave" if self._only_looks else wish
        self._say(_SAID[wish])
        if wish == "leave":
            self._leave()
        else:
            task = asyncio.create_task(self._stop(wish))
            self._steering.add(task)
            task.add_done_callback(self._steering.discard)

    def _say(self, text: str) -> None:
        if self._asker is not None:
            self._asker.end_line()
        self._display.say(text)

    def _leave(self) -> None:
        self._leaving = True
        self._changed.set()

    async def _stop(self, mode: StopMode) -> None:
        with suppress(RunwellError):  # the run has ended meanwhile
            await self._runs.command(self._run_id, StopRun(mode=mode))

    async def _children_ended(self) -> None:
        """Give the child runs that the run's end stops the time to be stopped."""
        left = await self._runs.live_family(self._run_id)
        with suppress(TimeoutError):
            await asyncio.wait_for(_all_ended(self._runs, left), CHILDREN_S)


async def _all_ended(runs: Followed, run_ids: Collection[str]) -> None:
    await asyncio.gather(*(runs.ended(run_id) for run_id in run_ids))


async def _cancelled(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
