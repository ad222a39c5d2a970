"""What projects do not want to be kept, as the runtime asks for it."""

from typing import Protocol, TypeVar

from runwell.model.commands import CompleteTask
from runwell.model.events import EventData
from runwell.model.traces import Span

D = TypeVar("D", bound=EventData)


class EventRedactor(Protocol):
    """The rules of one project. What it gives back is what may be kept. `mark` stands for them: other rules have another one."""

    mark: str

    def event(self, data: D) -> D: ...

    def span(self, span: Span) -> Span:
        """Return a span as it may lie until it is part of a run: without what can be told before it is read."""
        ...

    def decision(self, command: CompleteTask) -> CompleteTask: ...


class Redactions(Protocol):
    def of(self, project_id: str) -> EventRedactor | None:
        """Return the project's rules as they are now; None when it has none."""
        ...
