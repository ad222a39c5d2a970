"""What a run needs of somebody before it can go on: a decision, a message, or to be resumed.

A run is looked at with its child runs: one that waits for a child needs what the child needs.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from runwell.cli.formatting import one_line
from runwell.cli.options import Options
from runwell.engine.state import RunState, StepState
from runwell.model.errors import NotFound
from runwell.model.events import TaskCreated
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Journal

_PEOPLES: Final = frozenset({"approval", "message", "child_run"})
"""What time alone does not end. A child run is looked at itself."""


class States(Protocol):
    async def state(self, run_id: str) -> RunState:
        """Return the run's current state. Raises `NotFound`."""
        ...


class Family(msgspec.Struct, frozen=True):
    """A run, first, and the child runs that it waits for. `whole` is false while a child is about to start or has just ended."""

    states: list[RunState]
    whole: bool = True

    @property
    def children(self) -> dict[str, RunState]:
        return {state.run_id: state for state in self.states[1:]}


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of one run waits for; a paused run has no step. `editable` is what of the payload may be edited, as one edits it."""

    kind: Literal["approval", "message", "resume"]
    run_id: str
    path: str = ""
    task_id: str = ""
    message: str = ""
    title: str = ""
    description: str | None = None
    payload: Any = None
    editable: Any = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.run_id, self.path, self.task_id


async def family(runs: States, run_id: str) -> Family:
    """Return the run and those of its child runs, however deep, that are waited for."""
    states = [await runs.state(run_id)]
    whole = True
    for state in states:
        children = [state.steps[path].child_run_id for path in state.waiting]  # before others carry the run on
        for child_id in children:
            if child_id is None:
                continue
            try:
                child = await runs.state(child_id)
            except NotFound:
                whole = False
                continue
            whole = whole and not child.is_terminal
            states.append(child)
    return Family(states, whole)


def needs(found: Family) -> list[Need]:
    """Return everything that somebody could do for these runs now."""
    wanted = []
    for state in found.states:
        if state.status is RunStatus.PAUSED:
            wanted.append(Need(kind="resume", run_id=state.run_id))
        if not state.is_terminal:
            wanted += [need for path in state.waiting if (need := _need(state, state.steps[path])) is not None]
    return wanted


def _need(state: RunState, step: StepState) -> Need | None:
    if step.waiting_for == "message":
        return Need(kind="message", run_id=state.run_id, path=step.path, message=step.message or "")
    if step.waiting_for != "approval" or step.task_id is None:
        return None
    title, description, payload, editable = _question(step)
    return Need(
        kind="approval",
        run_id=state.run_id,
        path=step.path,
        task_id=step.task_id,
        title=title,
        description=description,
        payload=payload,
        editable=editable,
    )


def _question(step: StepState) -> tuple[str, str | None, Any, Any]:
    asked = next((data for data in step.recorded if isinstance(data, TaskCreated) and data.task_id == step.task_id), None)
    if asked is None:  # an approval step: what it asks is its input
        given = step.input
        return str(given["title"]), given.get("description"), given.get("payload"), given.get("payload")
    editable = asked.payload
    if asked.result_schema is not None and isinstance(editable, dict):
        editable = {name: value for name, value in editable.items() if name in asked.result_schema.get("properties", {})}
    return asked.title, asked.description, asked.payload, editable


def is_stuck(found: Family) -> bool:
    """Whether nothing but somebody's doing moves these runs on."""
    return found.whole and all(_is_stuck(state) for state in found.states)


def _is_stuck(state: RunState) -> bool:
    if state.working or state.status not in (RunStatus.WAITING, RunStatus.PAUSED):
        return False
    return state.status is RunStatus.PAUSED or all(state.steps[path].waiting_for in _PEOPLES for path in state.waiting)


def ways_on(wanted: Sequence[Need], run_id: str, options: Options) -> list[str]:
    """Return what is needed, each with the command that gives it."""
    lines = []
    for need in wanted:
        match need.kind:
            case "approval":
                lines.append(f"It waits for a decision: {one_line(need.title, 200)}")
                lines.append(f"  {options.command('tasks', 'complete', need.task_id, '--approve')}    (or --reject)")
            case "message":
                lines.append(f"It waits for the message {need.message!r}:")
                lines.append(f"  {one_line(options.command('runs', 'send', need.run_id, need.message))} JSON")
            case "resume":
                lines.append(f"{need.run_id} is paused:")
                lines.append(f"  {options.command('runs', 'resume', need.run_id)}")
    return [*lines, "To follow it from here:", _resume(run_id, options)]


def resuming(run_id: str, options: Options) -> list[str]:
    """Return how a run that had to be left goes on."""
    return ["When that is mended, the run goes on from where it was kept:", _resume(run_id, options)]


def _resume(run_id: str, options: Options) -> str:
    return f"  {options.command('run', '--resume', run_id)}"


async def topmost(journal: Journal, run_id: str) -> str:
    """Return the run's outermost ancestor that has not ended, or the run itself."""
    top = run_id
    live = {row.run_id: row for row in await journal.live()}
    while top in live and (parent := live[top].parent_run_id) in live:
        top = str(parent)
    return top
