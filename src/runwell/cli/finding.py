"""Runs and tasks by what people type of their ids."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from runwell.model.errors import InvalidInput, NotFound
from runwell.model.run import TaskView
from runwell.ports.journal import JournalReader


class TaskPlace(NamedTuple):
    """A task and the run that asks it."""

    task_id: str
    run_id: str


_HEX: Final = frozenset("0123456789abcdef")


async def find_run(journal: JournalReader, text: str) -> str:
    """Return the id of the one run whose id begins so; prefix and hyphens may be missing. Raises `NotFound`, `InvalidInput`."""
    found = await journal.find(f"run_{digits_of('run', text)}")
    if not found:
        raise NotFound(f"there is no run {text!r}", hint="runwell runs list shows the runs of this data directory")
    if len(found) > 1:
        raise InvalidInput(f"more than one run begins with {text!r}", hint="give more of its id")
    return found[0]


async def find_task(journal: JournalReader, text: str) -> TaskPlace:
    """Return the one task whose id begins so; one that is decided already is found by its whole id. Raises `NotFound`, `InvalidInput`."""
    task_id = f"task_{digits_of('task', text)}"
    found = the_one_task(await journal.pending_tasks(), text)
    if found is not None:
        return found
    run_id = await journal.run_of_task(task_id)
    if run_id is None:
        raise no_task(text)
    return TaskPlace(task_id, run_id)


def the_one_task(pending: Iterable[TaskView], text: str) -> TaskPlace | None:
    """Return the one task of these whose id begins so, if there is one. Raises `InvalidInput` when there are more."""
    begins = f"task_{digits_of('task', text)}"
    found = [TaskPlace(task.id, task.run_id) for task in pending if task.id.startswith(begins)]
    if len(found) > 1:
        raise InvalidInput(f"more than one task begins with {text!r}", hint="give more of its id")
    return found[0] if found else None


def no_task(text: str) -> NotFound:
    return NotFound(f"no task {text!r} waits for a decision", hint="runwell tasks list shows those that do; each is decided once")


def digits_of(prefix: str, text: str) -> str:
    """Return the hex digits of what was typed of an id. Raises `InvalidInput`."""
    digits = text.strip().lower().removeprefix(f"{prefix}_").replace("-", "")
    if not digits or len(digits) > 32 or not _HEX.issuperset(digits):
        raise InvalidInput(f"{text!r} is no {prefix} id", hint=f"an id looks like {prefix}_ and 32 hex digits; its beginning is enough")
    return digits
