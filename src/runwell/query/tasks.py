"""What people have to decide, and that each task is decided once."""

import msgspec

from runwell.model.commands import CompleteTask
from runwell.model.errors import CommandRefused, InvalidInput, NotFound
from runwell.model.events import Event, TaskCompleted
from runwell.model.run import SET_APART, RunRow, TaskView
from runwell.model.run_parts import TaskDecision
from runwell.model.scope import Scope
from runwell.model.task_decisions import is_same, told
from runwell.model.times import rfc3339
from runwell.ports.journal import EventFilter, Journal, RunFilter
from runwell.ports.runs import Runs
from runwell.query.cursors import Cursor, gone, read_cursor, write_cursor
from runwell.query.events import all_events
from runwell.query.seen import seen_run, seen_seq

MAX_RESULT_BYTES = 1_000_000


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that wait for a decision, oldest first. They are paged forwards only: `prev_cursor` is null."""

    data: list[TaskView]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def task_filter(scope: Scope, workflow_id: str | None, environment: str | None) -> RunFilter:
    """Return of which runs a caller asks for tasks. Those of trial runs are left out unless asked for."""
    return RunFilter(scope=scope, workflow_id=workflow_id, testing=environment in SET_APART, environment=environment)


async def list_tasks(journal: Journal, wanted: RunFilter, run_id: str | None, limit: int, cursor: str | None) -> TaskPage:
    """Return a page of pending tasks. Raises `InvalidInput` for a cursor that does not belong to this list."""
    about = ("tasks", wanted, run_id)
    at = None if cursor is None else read_cursor(cursor, *about)
    after = None if at is None else (seen_run(at), seen_seq(at))
    if after is not None:
        await _check_place(journal, wanted, after[0])
    try:
        found = await journal.pending_tasks(wanted=wanted, run_id=run_id, limit=limit + 1, after=after)
    except NotFound as exc:
        raise gone() from exc
    shown = found[:limit]
    last = Cursor("next", (shown[-1].run_id, shown[-1].seq)) if len(found) > limit else None
    return TaskPage(data=shown, next_cursor=None if last is None else write_cursor(last, *about))


async def _check_place(journal: Journal, wanted: RunFilter, run_id: str) -> None:
    row = await journal.row(run_id)
    if row is None or Scope(row.org_id, row.project_id) != wanted.scope:
        raise gone()


async def find_task(journal: Journal, scope: Scope, task_id: str, run: RunRow | None = None) -> RunRow:
    """Return the run that asks or asked the task, which must be `run` if one is given. Raises `NotFound`."""
    asker = await journal.run_of_task(task_id)
    row = await journal.row(asker) if asker else None
    if row is None or Scope(row.org_id, row.project_id) != scope:
        raise NotFound(f"there is no task {task_id!r}")
    if run is not None and row.run_id != run.run_id:
        raise NotFound(f"there is no task {task_id!r}")
    return row


async def complete_task(runs: Runs, journal: Journal, scope: Scope, run: RunRow, command: CompleteTask) -> TaskDecision:
    """Decide a task of the run, or return the decision that the same caller took just so before.

    Raises `CommandRefused` when it was decided otherwise or by somebody else, or nobody waits for it any more.
    """
    command = runs.as_kept(scope, command)
    decided = await _decision(journal, run.run_id, command.task_id)
    if decided is None:
        _check_result(command)
        try:
            await runs.command(scope, run.run_id, command)
        except (CommandRefused, NotFound):  # somebody was quicker, or it is over
            decided = await _decision(journal, run.run_id, command.task_id)
            if decided is None:
                raise CommandRefused(f"{command.task_id} waits no longer for a decision", hint="its step or its run has ended") from None
        else:
            decided = await _decision(journal, run.run_id, command.task_id)
    assert decided is not None
    data = decided.of(TaskCompleted)
    if data.by != command.actor or not is_same(data, command):
        raise CommandRefused(told(decided), hint="a task is decided once")
    return TaskDecision(
        id=data.task_id,
        run_id=run.run_id,
        approved=data.approved,
        by=data.by,
        comment=data.comment,
        result=data.result,
        decided_at=rfc3339(decided.ts),
        run_status=(await runs.row(scope, run.run_id)).status,
    )


async def _decision(journal: Journal, run_id: str, task_id: str) -> Event | None:
    async for event in all_events(journal, run_id, EventFilter(types=("task_completed",))):
        if event.of(TaskCompleted).task_id == task_id:
            return event
    return None


def _check_result(command: CompleteTask) -> None:
    """Raise `InvalidInput` for edits that cannot be kept as they are, or are too large."""
    try:
        size = len(msgspec.json.encode(command.result))
    except (TypeError, ValueError, RecursionError, OverflowError) as exc:
        raise InvalidInput(f"`result` is no JSON data: {exc}", hint="text must be Unicode without lone surrogates") from exc
    if size > MAX_RESULT_BYTES:
        raise InvalidInput(
            f"`result` has {size} bytes, more than {MAX_RESULT_BYTES}", hint="edit less, or store it elsewhere and give a link"
        )
