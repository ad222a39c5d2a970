"""Which tasks wait for a decision, as the events tell it. Every journal backend keeps them by this one rule."""

from collections.abc import Sequence
from typing import Final

from runwell.model.events import Event, TaskCompleted, TaskCreated
from runwell.model.run import TaskView
from runwell.model.times import rfc3339

_ENDS_STEP: Final = frozenset({"step_completed", "step_failed", "step_cancelled", "step_stopped"})

OpenTasks = dict[str, str]
"""A run's undecided tasks: from task id to the step that asks."""


def task_changes(tasks: OpenTasks, events: Sequence[Event], ended: bool) -> dict[str, Event | None]:
    """Bring `tasks` up to date and return what changed: from task id to its `task_created`, or None when it is settled.

    `ended` says that the run has ended after these events, so that nobody is asked any more.
    """
    changes: dict[str, Event | None] = {}
    for event in events:
        data = event.data
        if isinstance(data, TaskCreated):
            tasks[data.task_id] = event.step_id or ""
            changes[data.task_id] = event
        elif isinstance(data, TaskCompleted):
            _settle(tasks, [data.task_id], changes)
        elif event.type in _ENDS_STEP:
            _settle(tasks, [task for task, step in tasks.items() if step == event.step_id], changes)
    if ended:
        _settle(tasks, list(tasks), changes)
    return changes


def _settle(tasks: OpenTasks, ids: Sequence[str], changes: dict[str, Event | None]) -> None:
    for task_id in ids:
        if tasks.pop(task_id, None) is not None:
            changes[task_id] = None


def task_view(event: Event, workflow: str) -> TaskView:
    """Return the task that a `task_created` event asks; `workflow` is the run's workflow slug."""
    data = event.of(TaskCreated)
    return TaskView(
        id=data.task_id,
        run_id=event.run_id,
        workflow=workflow,
        step_id=event.step_id or "",
        type=data.task_type,
        title=data.title,
        description=data.description,
        payload=data.payload,
        created_at=rfc3339(event.ts),
        expires_at=None if data.expires_at is None else rfc3339(data.expires_at),
        assignees=data.assignees,
        result_schema=data.result_schema,
        seq=event.seq,
    )
