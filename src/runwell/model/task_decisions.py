"""A task is decided once: what is the same decision said again, and what is another."""

from runwell.model.commands import CompleteTask
from runwell.model.events import Event, TaskCompleted
from runwell.model.times import rfc3339


def is_same(decided: TaskCompleted, command: CompleteTask) -> bool:
    """Whether the command says what was decided, whoever says it."""
    said = (command.approved, command.comment or None, command.result or None)
    return not decided.expired and (decided.approved, decided.comment or None, decided.result or None) == said


def told(event: Event) -> str:
    """Return who decided what, and when, of a `task_completed` event."""
    data = event.of(TaskCompleted)
    if data.expired:
        return f"{data.task_id} expired at {rfc3339(event.ts)} without a decision"
    how = "approved" if data.approved else "rejected"
    edited = " with edits" if data.result else ""
    return f"{data.task_id} was {how}{edited} by {data.by or 'Runwell'} at {rfc3339(event.ts)}"
