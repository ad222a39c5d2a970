"""The sessions with MCP servers: one for each project and server, opened when it is first needed, closed when it is not.

What ends by itself is opened again by the next call: at once after the first time, then after longer and longer
pauses. A project never shares a session, so none sees what a server keeps of another.
"""

import asyncio
import importlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from runwell.adapters.tools.commands import McpCommand
from runwell.adapters.tools.failures import failed
from runwell.adapters.tools.targets import Target
from runwell.model.errors import StepError
from runwell.model.scope import Scope

MOST: Final = 100
"""Sessions at once, of all projects."""
MOST_OF_ONE: Final = 20
"""Of one project, so that its servers cannot take them from all others."""
IDLE_S: Final = 300.0
LOOK_S: Final = 30.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0


class Key(NamedTuple):
    scope: Scope
    server: str


class _Entry:
    """A server, as a project uses it. `failures` counts the ends in a row that nobody asked for."""

    def __init__(self, target: Target, session: Any) -> None:
        self.target, self.session = target, session
        self.failures = 0
        self.not_before = 0.0
        self.counted = False


class Pool:
    """Used on one event loop."""

    def __init__(self, http_allow: Sequence[str], *, idle_s: float = IDLE_S) -> None:
        self._http_allow = http_allow
        self._idle_s = idle_s
        self._entries: dict[Key, _Entry] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()
        self._module: Any = None
        self._watch: asyncio.Task[None] | None = None
        self._closed = False

    async def session(self, key: Key, target: Target) -> Any:
        """Return the session with the server, open or being opened. Raises `StepError`."""
        module = await self._loaded()
        if self._closed:
            raise StepError("STEP_INTERRUPTED", "the sessions with MCP servers are closed", retryable=True)
        entry = self._entries.get(key)
        if entry is not None and entry.target != target:  # the connection was changed
            self._drop(key)
            entry = None
        if entry is not None and entry.session.is_over:
            self._count_end(entry)
        if entry is None or entry.session.is_over:
            entry = self._opened(module, key, target, entry)
        return entry.session

    def succeeded(self, key: Key, session: Any) -> None:
        """Take notice that the server answered."""
        entry = self._entries.get(key)
        if entry is not None and entry.session is session:
            entry.failures = 0

    async def aclose(self) -> None:
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        for key in list(self._entries):
            self._drop(key)
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _opened(self, module: Any, key: Key, target: Target, before: _Entry | None) -> _Entry:
        now = asyncio.get_running_loop().time()
        if before is not None and now < before.not_before:
            why = before.session.gone()
            message = f"the MCP server {key.server!r} failed {before.failures} times in a row, the last time so: {why.message}"
            raise failed("unavailable", message, retry_after_s=before.not_before - now)
        if before is None:
            self._make_room([other for other in self._entries if other.scope == key.scope], MOST_OF_ONE)
            self._make_room(list(self._entries), MOST)
        entry = _Entry(target, module.open_session(target, self._http_allow, isinstance(target, McpCommand)))
        entry.failures, entry.not_before = (before.failures, before.not_before) if before else (0, 0.0)
        if before is not None:
            self._leave(before.session)
        self._entries[key] = entry
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._close_idle())
        return entry

    def _count_end(self, entry: _Entry) -> None:
        """Count an end once, and say when the server may be tried again."""
        if entry.counted:
            return
        entry.counted = True
        entry.failures += 1
        pause = 0.0 if entry.failures == 1 else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (entry.failures - 2))
        entry.not_before = asyncio.get_running_loop().time() + pause

    def _make_room(self, keys: Sequence[Key], most: int) -> None:
        """End the one of these sessions that nobody used for longest, if there are too many. Raises `StepError`."""
        if len(keys) < most:
            return
        idle = [key for key in keys if self._entries[key].session.is_over or not self._entries[key].session.is_busy]
        if not idle:
            raise failed("unavailable", f"{most} sessions with MCP servers are in use", retry_after_s=1.0)
        self._drop(min(idle, key=lambda key: float(self._entries[key].session.used_at)))

    def _drop(self, key: Key) -> None:
        self._leave(self._entries.pop(key).session)

    def _leave(self, session: Any) -> None:
        task = asyncio.get_running_loop().create_task(session.aclose())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _close_idle(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._idle_s))
            now = asyncio.get_running_loop().time()
            for key, entry in list(self._entries.items()):
                idle = not entry.session.is_busy and now - entry.session.used_at > self._idle_s
                if idle and (not entry.session.is_over or now > entry.not_before):
                    self._drop(key)

    async def _loaded(self) -> Any:
        """Return the module of sessions. Importing the library takes seconds, so it is done in a thread, when it is needed."""
        async with self._loading:
            if self._module is None:
                self._module = await asyncio.to_thread(importlib.import_module, "runwell.adapters.tools.session")
            return self._module
