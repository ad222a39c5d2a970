"""Runs of this machine's data directory: carried by this process, or looked at while another one carries them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwell.cli.asking import who
from runwell.cli.checking import document_check
from runwell.cli.complaints import FileProblem
from runwell.cli.document_files import Source
from runwell.cli.finding import TaskPlace, find_run, find_task
from runwell.cli.keeping import located
from runwell.cli.needs import topmost
from runwell.cli.place import NewRun
from runwell.cli.publication import publish
from runwell.engine.evolve import fold
from runwell.engine.plan import Plan
from runwell.engine.state import RunState
from runwell.model.commands import Command, CompleteTask, StopRun
from runwell.model.errors import InvalidInput
from runwell.model.events import Event, RunCreated, StopMode
from runwell.model.run import RunRow, TaskView
from runwell.model.statuses import TERMINAL
from runwell.ports.feed import Listener
from runwell.ports.journal import Version
from runwell.ports.keeping import Trouble, TroubleListener
from runwell.ports.runs import StartRequest
from runwell.query.families import descendants
from runwell.viewing import View

if TYPE_CHECKING:  # slow to import, and only who carries runs needs it
    from runwell.bootstrap import App

LOOK_S: Final = 0.2
"""How often it is looked whether another process has appended to the journal."""


def no_run(row: RunRow) -> bool:
    """For `open_app`: take up nothing yet."""
    return False


class LocalPlace:
    """A data directory that this process owns. `name` is what messages call it."""

    def __init__(self, app: "App", name: str) -> None:
        self._app = app
        self._name = name

    async def find_run(self, text: str) -> str:
        return await find_run(self._app.journal, text)

    async def find_task(self, text: str, decision: CompleteTask) -> TaskPlace:
        return await find_task(self._app.journal, text)

    async def publish(self, source: Source) -> Version:
        return await publish(source, self._app.publisher, self._app.definitions)

    async def start(self, version: Version, new: NewRun) -> str:
        await self._check_input(version, new.input)
        request = StartRequest(
            version=version,
            input=new.input,
            trigger="cli",
            tags=new.tags,
            metadata=new.metadata,
            environment=new.environment,
            use_cache=new.use_cache,
            actor=who(),
        )
        return await self._app.runtime.start(request)

    async def _check_input(self, version: Version, given: Any) -> None:
        prepared = await self._app.runtime.plans.get(version.hash)
        problems = prepared.input_check.problems(given)
        if problems:
            raise InvalidInput(
                f"the input breaks the input_schema of {version.name!r}: nothing was started",
                hint="give it with --input JSON or --input @file",
                problems=tuple(problems),
            )

    async def topmost(self, run_id: str) -> str:
        return await topmost(self._app.journal, run_id)

    async def take_up(self, run_id: str) -> None:
        """Make this process carry the run and its child runs; others of the data directory are left alone."""
        mine = descendants(await self._app.journal.live(), run_id)
        await self._app.runtime.open(lambda row: row.run_id in mine)

    async def stop(self, run_id: str, mode: StopMode) -> None:
        """Gracefully: what was in flight when its process ended is let go."""
        for each in sorted(descendants(await self._app.journal.live(), run_id)):
            await self._app.runtime.command(each, StopRun(actor=who(), mode=mode))
        await self.take_up(run_id)

    async def state(self, run_id: str) -> RunState:
        return await self._app.runtime.state(run_id)

    async def ended(self, run_id: str) -> RunState:
        return await self._app.runtime.ended(run_id)

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._app.runtime.feed.listen(listener)

    def watch_keeping(self, listener: TroubleListener) -> Callable[[], None]:
        def hear(trouble: Trouble | None) -> None:
            named = None if trouble is None else msgspec.structs.replace(trouble, error=located(trouble.error, self._name))
            listener(named)

        return self._app.runtime.feed.keeping.listen(hear)

    async def command(self, run_id: str, command: Command) -> RunState:
        return await self._app.runtime.command(run_id, command)

    async def live_family(self, run_id: str) -> set[str]:
        live = await self._app.journal.live()
        return {row.run_id for row in live} & descendants(live, run_id)


class LocalReader:
    """A data directory, whoever owns it."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def find_run(self, text: str) -> str:
        return await find_run(self._view.journal, text)

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        return list(await self._view.journal.read(run_id, after))

    async def folded(self, run_id: str, events: list[Event]) -> RunState:
        return fold(await self.plan(run_id, events[0].of(RunCreated)), events)

    async def tasks(self) -> list[TaskView]:
        return list(await self._view.journal.pending_tasks())

    async def plan(self, run_id: str, created: RunCreated) -> Plan:
        return (await self._view.plans.get(created.version_hash)).plan

    async def live(self, run_id: str, after: int) -> AsyncIterator[Event]:
        """Yield what happens until the run has ended, looking again and again."""
        while True:
            row = await self._view.journal.row(run_id)
            for event in await self._view.journal.read(run_id, after):
                after = event.seq
                yield event
            if row is None or (row.status in TERMINAL and row.seq <= after):
                return
            await asyncio.sleep(LOOK_S)


class LocalChecks:
    """Documents are checked whole, and against what can be reached from here."""

    def __init__(self) -> None:
        self._compile = document_check()

    def compile(self, document: Any) -> Plan:
        return self._compile(document)

    async def further(self, source: Source) -> list[FileProblem]:
        """A workflow that nobody has published yet is no problem: it may be published before this one."""
        return []
