"""Runs of a server, through its client."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

import msgspec

from runwell.cli.document_files import Source
from runwell.cli.finding import TaskPlace, digits_of, no_task, the_one_task
from runwell.cli.folded_runs import FoldedRuns
from runwell.cli.place import EVER, NewRun
from runwell.cli.remote_documents import publish, structure_check
from runwell.engine.evolve import fold
from runwell.engine.plan import Plan
from runwell.engine.state import RunState
from runwell.model.commands import ArchiveRun, Command, CompleteTask, PauseRun, ResumeRun, ReviewRun, SendMessage, StopRun, UnarchiveRun
from runwell.model.errors import InvalidInput, NotFound, Problem
from runwell.model.events import Event, RunCreated, StopMode, decode_event
from runwell.model.run import SET_APART, TESTING, TaskView
from runwell.model.run_parts import EventView
from runwell.model.text_delta import Delta
from runwell.ports.feed import Listener
from runwell.ports.journal import Version
from runwell.ports.keeping import TroubleListener
from runwell.sdk.client import AsyncClient

_PAGE: Final = 200
_SEARCHED: Final = 4_000
"""Among so many of the newest runs a run is found by the beginning of its id."""

_STRAY: Final = 20
"""So many lower ids may stand before one that is looked for: runs that were made in the same moment."""

_INPUT: Final = "/params/input"
"""Where the interface has a run's input."""


class RemoteReader:
    """Looks at the runs of a server."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._plans: dict[str, Plan] = {}
        self._compile = structure_check()

    async def find_run(self, text: str) -> str:
        digits = digits_of("run", text)
        if len(digits) in (24, 32):
            return (await self._client.runs.summary(digits)).id
        found = [run_id for environment in (None, *SET_APART) for run_id in await self._begin_so(digits, environment)]
        if not found:
            raise NotFound(
                f"there is no run {text!r} among the newest", hint="runwell runs list shows them; give the whole id of an older one"
            )
        if len(found) > 1:
            raise InvalidInput(f"more than one run begins with {text!r}", hint="give more of its id")
        return found[0]

    async def _begin_so(self, digits: str, environment: str | None) -> list[str]:
        """Return the newest runs whose ids begin so: lists go by creation, and so nearly from the highest id down."""
        begins, found, seen, below = f"run_{digits}", list[str](), 0, 0
        async for run in self._client.runs.list(environment=environment, since=EVER, archived="true", limit=_PAGE):
            seen += 1
            if run.id.startswith(begins):
                found.append(run.id)
            below += run.id < begins
            if below > _STRAY or seen >= _SEARCHED:
                break
        return found

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        return [event_of(view) async for view in self._client.runs.events(run_id, after=after, limit=1_000)]

    async def folded(self, run_id: str, events: list[Event]) -> RunState:
        return fold(await self.plan(run_id, events[0].of(RunCreated)), events)

    async def tasks(self) -> list[TaskView]:
        production = [task async for task in self._client.tasks.pending(limit=_PAGE)]
        return production + [task async for task in self._client.tasks.pending(environment=TESTING, limit=_PAGE)]

    async def plan(self, run_id: str, created: RunCreated) -> Plan:
        held = self._plans.get(created.version_hash)
        if held is None:
            held = self._plans[created.version_hash] = self._compile(await self._client.runs.document(run_id))
        return held

    async def live(self, run_id: str, after: int) -> AsyncGenerator[Event | Delta, None]:
        """Yield what happens until the run has ended."""
        async for item in self._client.runs.watch(run_id, after=after):
            yield item if isinstance(item, Delta) else event_of(item)


class RemotePlace(RemoteReader):
    """Starts and steers the runs of a server, which carries them on by itself."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client)
        self._folded = FoldedRuns(self)

    async def close(self) -> None:
        await self._folded.close()

    async def find_task(self, text: str, decision: CompleteTask) -> TaskPlace:
        found = the_one_task(await self.tasks(), text)
        if found is not None:
            return found
        digits = digits_of("task", text)
        if len(digits) < 32:
            raise no_task(text)
        try:
            told = await self._give("", msgspec.structs.replace(decision, task_id=f"task_{digits}"))
        except NotFound as exc:
            raise no_task(text) from exc
        return TaskPlace(told.id, told.run_id)

    async def publish(self, source: Source) -> Version:
        return await publish(self._client, source)

    async def start(self, version: Version, new: NewRun) -> str:
        try:
            started = await self._client.workflows.start(
                version.workflow_id,
                new.input,
                version=version.number,
                tags=new.tags,
                metadata=new.metadata,
                environment=new.environment,
                use_cache=new.use_cache,
            )
        except InvalidInput as exc:
            if not any(problem.pointer.startswith(_INPUT) for problem in exc.problems):
                raise
            message = f"the input breaks the input_schema of {version.name!r}: nothing was started"
            raise InvalidInput(
                message, hint="give it with --input JSON or --input @file", problems=tuple(map(_of_input, exc.problems))
            ) from exc
        return started.run_id

    async def topmost(self, run_id: str) -> str:
        top = run_id
        while (parent := (await self.state(top)).created.parent_run_id) is not None and not (await self.state(parent)).is_terminal:
            top = parent
        return top

    async def take_up(self, run_id: str) -> None:
        """The server does."""

    async def stop(self, run_id: str, mode: StopMode) -> None:
        await self._client.runs.stop(run_id, mode=mode)

    async def state(self, run_id: str) -> RunState:
        return await self._folded.state(run_id)

    async def ended(self, run_id: str) -> None:
        await self._folded.ended(run_id)

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._folded.listen(listener)

    def watch_keeping(self, listener: TroubleListener) -> Callable[[], None]:
        return self._folded.watch_keeping(listener)

    async def live_family(self, run_id: str) -> set[str]:
        return await self._folded.live_family(run_id)

    async def command(self, run_id: str, command: Command) -> RunState:
        await self._give(run_id, command)
        return await self._folded.refresh(run_id)

    async def _give(self, run_id: str, command: Command) -> Any:
        match command:
            case StopRun(mode=mode, drain_timeout_s=seconds):
                return await self._client.runs.stop(run_id, mode=mode, drain_timeout_s=seconds)
            case PauseRun():
                return await self._client.runs.pause(run_id)
            case ResumeRun():
                return await self._client.runs.resume(run_id)
            case SendMessage(name=name, body=body, message_id=message_id):
                return await self._client.runs.send(run_id, name, body, message_id=message_id)
            case ArchiveRun():
                return await self._client.runs.archive(run_id)
            case UnarchiveRun():
                return await self._client.runs.unarchive(run_id)
            case ReviewRun(review=review, score=score, comment=comment):
                return await self._client.runs.review(run_id, review, score=score, comment=comment)
            case CompleteTask(task_id=task_id, approved=approved, result=result, comment=comment):
                return await self._client.tasks.complete(task_id, approved=approved, result=result, comment=comment)
        raise TypeError(f"no server takes {type(command).__name__} from outside")


def event_of(view: EventView) -> Event:
    """Return the event that is shown so. Raises `InvalidInput` for one that only a newer Runwell knows."""
    return decode_event(msgspec.json.encode(view))


def _of_input(problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, pointer=problem.pointer.removeprefix(_INPUT))
