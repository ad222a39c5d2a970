"""Runs and tasks by what people type of their ids."""

from typing import Final

from runwell.model.errors import InvalidInput, NotFound
from runwell.model.run import TaskView
from runwell.ports.journal import JournalReader

_HEX: Final = frozenset("0123456789abcdef")


async def find_run(journal: JournalReader, text: str) -> str:
    """Return the id of the one run whose id begins so; prefix and hyphens may be missing. Raises `NotFound`, `InvalidInput`."""
    found = await journal.find(f"run_{digits_of('run', text)}")
    if not found:
        raise NotFound(f"there is no run {text!r}", hint="runwell runs list shows the runs of this data directory")
    if len(found) > 1:
        raise InvalidInput(f"more than one run begins with {text!r}", hint="give more of its id")
    return found[0]


async def find_task(journal: JournalReader, text: str) -> TaskView:
    """Return the one undecided task whose id begins so. Raises `NotFound`, `InvalidInput`."""
    begins = f"task_{digits_of('task', text)}"
    found = [task for task in await journal.pending_tasks() if task.id.startswith(begins)]
    if not found:
        raise NotFound(f"no task {text!r} waits for a decision", hint="runwell tasks list shows those that do; each is decided once")
    if len(found) > 1:
        raise InvalidInput(f"more than one task begins with {text!r}", hint="give more of its id")
    return found[0]


def digits_of(prefix: str, text: str) -> str:
    """Return the hex digits of what was typed of an id. Raises `InvalidInput`."""
    digits = text.strip().lower().removeprefix(f"{prefix}_").replace("-", "")
    if not digits or len(digits) > 32 or not _HEX.issuperset(digits):
        raise InvalidInput(f"{text!r} is no {prefix} id", hint=f"an id looks like {prefix}_ and 32 hex digits; its beginning is enough")
    return digits
