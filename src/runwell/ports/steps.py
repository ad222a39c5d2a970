"""What a step type is: a shape in the document and a handler that makes one attempt."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from runwell.model.events import EventData
from runwell.model.scope import Scope
from runwell.model.step import StepSpec
from runwell.model.waits import Wait
from runwell.ports.http import Http
from runwell.ports.models import Models
from runwell.ports.sandbox import Sandbox
from runwell.ports.secrets import Secrets
from runwell.ports.tools import DeclaredTool, Tools


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The outside, as handlers reach it."""

    models: Models
    http: Http
    sandbox: Sandbox
    secrets: Secrets
    tools: Tools


class AttemptLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow's limits as far as one attempt must keep them itself."""

    memory_mb: int | None = None
    log_bytes: int = 1_048_576
    output_bytes: int = 10_485_760


class LateValues(Protocol):
    """What the step has to be filled in while it works (`StepSpec.late`), by its pointer within the step."""

    def fill(self, place: str, names: Mapping[str, Any]) -> Any:
        """Return the value with these values for the step's `late_names`. Raises `StepError` `EXPRESSION_FAILED`."""
        ...

    def secret_pointers(self, place: str) -> frozenset[str]:
        """Return where in `{"request": <the value>}` a secret text stands, as in `StepContext.secret_pointers`."""
        ...


class StepContext(Protocol):
    """One attempt, as its handler sees it."""

    @property
    def run_id(self) -> str: ...
    @property
    def scope(self) -> Scope:
        """The run's project, whose secrets and connections it may use."""
        ...

    @property
    def step_id(self) -> str:
        """The step's path, like `each[3].send`."""
        ...

    @property
    def attempt(self) -> int: ...
    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step in this run."""
        ...

    @property
    def spec(self) -> StepSpec: ...
    @property
    def input(self) -> Mapping[str, Any]:
        """The template fields of `spec`, rendered. Strings with secrets are `{"$secret_text": [...]}`, see `secret_pointers`."""
        ...

    @property
    def secret_pointers(self) -> frozenset[str]:
        """JSON pointers into `input` at which a secret text stands; one anywhere else is mere data."""
        ...

    @property
    def history(self) -> Sequence[dict[str, Any]]:
        """What was said before the run, as `Message`s: that of an agent which replies to an earlier run, with the reply at its end."""
        ...

    @property
    def limits(self) -> AttemptLimits: ...
    @property
    def services(self) -> Services: ...
    @property
    def tools(self) -> Mapping[str, DeclaredTool]:
        """The tools of the workflow document, by whole name (`http:find_ticket`)."""
        ...

    @property
    def late(self) -> LateValues: ...

    def record(self, data: EventData) -> None:
        """Append an event of this attempt: a log line, a model call, a tool call."""
        ...

    def recorded(self) -> Sequence[EventData]:
        """Return what this step recorded in this run so far, in this attempt and those before it: generations, tool calls and
        returns, tasks and their decisions, waits and what came of them; a message stands there from when the step received it.

        Of a generation without what was asked, but for the tools of the first one, and without the raw bodies. As it is kept, so
        without what the project redacts.
        """
        ...

    async def kept(self) -> None:
        """Return once all that was recorded is durable: for what must not be done unrecorded."""
        ...

    def delta(self, text: str) -> None:
        """Show a piece of model text live. It is not kept."""
        ...


class Suspended(Exception):
    """Raised by a handler that waits for something which may take long, as a person or another run may.

    The step then waits without a task or memory, also while there is no process. When the wait is over, the handler is
    called again from its beginning, in the same attempt, and finds in `recorded()` what it did and what it waited for.
    """

    def __init__(self, wait: Wait) -> None:
        self.wait = wait
        super().__init__(wait.key)


Handler = Callable[[StepContext], Awaitable[Any]]
"""Makes one attempt and returns the result (JSON data). Raises `StepError` when it failed, `Suspended` when it has to wait.

Cancellation must end it at once. Any other exception is a defect and fails the step as `STEP_CRASHED`.
"""

InlineHandler = Callable[[Mapping[str, Any]], Any]
"""From the rendered input to the result: no I/O, microseconds. Such steps take no task."""


class StepType(msgspec.Struct, frozen=True, kw_only=True):
    """One step type: the registry's entry.

    Exactly one of `handler` and `inline` is set, or neither for the types that the engine carries out.
    `unsafe` says whether an attempt may do what must not be done unrecorded (an http write): it
    then begins only once its start is durable.
    """

    name: str
    spec: type[StepSpec]
    handler: Handler | None = None
    inline: InlineHandler | None = None
    unsafe: Callable[[StepSpec, Mapping[str, Any]], bool] = lambda spec, input: False
    problems: Callable[[StepSpec], list[tuple[str, str, str]]] = lambda spec: []
    """Checks beyond the shape: (pointer within the step, message, hint) for each problem."""
    caches: bool = False
    """Whether results are kept and had again, as the step's `cache` says."""


StepTypes = Mapping[str, StepType]
