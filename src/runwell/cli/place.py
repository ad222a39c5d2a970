"""What commands need of the place where runs are: this machine's data directory, or a server."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from runwell.cli.complaints import FileProblem
from runwell.cli.document_files import Source
from runwell.cli.finding import TaskPlace
from runwell.cli.runs_wanted import RunsWanted
from runwell.engine.plan import Plan
from runwell.engine.state import RunState
from runwell.model.caching import CacheUse
from runwell.model.commands import Command, CompleteTask
from runwell.model.events import Event, StopMode
from runwell.model.run import TaskView
from runwell.model.run_search import RunPage
from runwell.ports.feed import Listener
from runwell.ports.journal import Version
from runwell.ports.keeping import TroubleListener

EVER: Final = "1970-01-01T00:00:00Z"
"""Since when runs are looked for here: a list on the command line is bounded by its length, not by a time."""


class Lists(Protocol):
    """Finds runs."""

    async def runs(self, wanted: RunsWanted) -> RunPage:
        """Return runs, the newest first. Raises `InvalidInput` for a search that cannot be read."""
        ...


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a person gave to start a run."""

    input: Any
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"
    use_cache: CacheUse = "auto"


class Reader(Protocol):
    """Looks at runs. Nothing is changed, and no run is carried on."""

    async def find_run(self, text: str) -> str:
        """Return the id of the one run whose id begins so. Raises `NotFound` and `InvalidInput`."""
        ...

    async def events(self, run_id: str, after: int = 0) -> list[Event]: ...

    async def folded(self, run_id: str, events: list[Event]) -> RunState:
        """Return the run's state as its events make it."""
        ...

    async def tasks(self) -> list[TaskView]:
        """Return the decisions that are waited for."""
        ...


class Followed(Protocol):
    """Runs that go on, here or elsewhere."""

    async def find_run(self, text: str) -> str:
        """Return the id of the one run whose id begins so. Raises `NotFound` and `InvalidInput`."""
        ...

    async def state(self, run_id: str) -> RunState: ...

    async def ended(self, run_id: str) -> Any:
        """Wait until the run has ended."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell what happens to these runs; return what ends that."""
        ...

    def watch_keeping(self, listener: TroubleListener) -> Callable[[], None]:
        """Tell when what happens here cannot be kept, and when it can again; return what ends that."""
        ...

    async def command(self, run_id: str, command: Command) -> RunState:
        """Give the command and return the state that came of it. Raises `CommandRefused`, `NotFound` and `InvalidInput`."""
        ...

    async def live_family(self, run_id: str) -> set[str]:
        """Return the run and those that descend from it, as far as they are carried on here and have not ended."""
        ...


class Place(Followed, Protocol):
    """Where runs are started and steered."""

    async def find_task(self, text: str, decision: CompleteTask) -> TaskPlace:
        """Return the one task whose id begins so; one that is decided already is found by its whole id.

        A place that cannot look for decided ones tells it the decision, which changes nothing when it is the same.
        Raises `NotFound`, `InvalidInput` and `CommandRefused`.
        """
        ...

    async def publish(self, source: Source) -> Version:
        """Publish the file after the files that it refers to. Raises `InvalidDocument`."""
        ...

    async def start(self, version: Version, new: NewRun) -> str:
        """Start a run and return its id. Raises `InvalidInput` when the input breaks the schema."""
        ...

    async def topmost(self, run_id: str) -> str:
        """Return the run's outermost ancestor that has not ended, or the run itself."""
        ...

    async def take_up(self, run_id: str) -> None:
        """See to it that the run goes on."""
        ...

    async def stop(self, run_id: str, mode: StopMode) -> None:
        """Stop the run and those that descend from it. Raises `CommandRefused`."""
        ...


class Checks(Protocol):
    """How documents that a person brings are checked."""

    def compile(self, document: Any) -> Plan:
        """Return the document's plan. Raises `InvalidDocument` with every problem."""
        ...

    async def further(self, source: Source) -> list[FileProblem]:
        """Return what only the place can know of the file and those that it refers to."""
        ...
