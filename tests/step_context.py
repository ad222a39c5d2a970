"""A step's context as handlers see it, for tests of one step without a runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from runwell.model.events import EventData
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.step import StepSpec
from runwell.ports.http import Http
from runwell.ports.models import Models
from runwell.ports.sandbox import Sandbox
from runwell.ports.secrets import Secrets
from runwell.ports.steps import AttemptLimits, Services
from runwell.ports.tools import DeclaredTool, Tools


@dataclass
class FakeContext:
    """What was recorded is in `events`, text shown live in `deltas`. A service that the test does not give is None."""

    spec: StepSpec
    input: Mapping[str, Any] = field(default_factory=dict)
    secret_pointers: frozenset[str] = frozenset()
    limits: AttemptLimits = field(default_factory=AttemptLimits)
    models: Models | None = None
    http: Http | None = None
    sandbox: Sandbox | None = None
    secrets: Secrets | None = None
    external: Tools | None = None
    tools: Mapping[str, DeclaredTool] = field(default_factory=dict)
    run_id: str = "run_1"
    scope: Scope = DEFAULT_SCOPE
    step_id: str = "step"
    attempt: int = 1
    idempotency_key: str = "key-of-the-step"
    events: list[EventData] = field(default_factory=list)
    deltas: list[str] = field(default_factory=list)
    history: Sequence[dict[str, Any]] = ()
    before: list[EventData] = field(default_factory=list)
    """What the step recorded before this attempt."""
    kept_events: int = 0
    """How many of `events` were durable when the handler last waited for that."""

    @property
    def services(self) -> Services:
        return Services(
            models=cast(Models, self.models),
            http=cast(Http, self.http),
            sandbox=cast(Sandbox, self.sandbox),
            secrets=cast(Secrets, self.secrets),
            tools=cast(Tools, self.external),
        )

    async def kept(self) -> None:
        self.kept_events = len(self.events)

    def recorded(self) -> Sequence[EventData]:
        return (*self.before, *self.events)

    def record(self, data: EventData) -> None:
        self.events.append(data)

    def delta(self, text: str) -> None:
        self.deltas.append(text)
