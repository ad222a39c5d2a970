"""A run's steps in pages, and one by its path."""

import msgspec

from runwell.model.errors import NotFound
from runwell.model.run import RunView, StepView
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.query.seen import seen_seq


class StepPage(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in the order in which the run came to know them: the document's, a loop's inner ones as they begin."""

    data: list[StepView]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def list_steps(run: RunView, path: str | None, limit: int, cursor: str | None) -> StepPage:
    """Return a page of steps: all, or the one at `path` and those inside of it. Raises `InvalidInput` for a cursor of another list.

    Steps are only ever added at the end, so a place stays what it was.
    """
    about = ("steps", run.id, path)
    found = [step for step in run.steps if path is None or is_within(step.path, path)]
    start = 0
    if cursor is not None:
        at = read_cursor(cursor, *about)
        start = seen_seq(at) if at.direction == "next" else max(seen_seq(at) - limit, 0)
        limit = limit if at.direction == "next" else min(limit, seen_seq(at))
    end = start + limit
    return StepPage(
        data=found[start:end],
        next_cursor=write_cursor(Cursor("next", (end,)), *about) if end < len(found) else None,
        prev_cursor=write_cursor(Cursor("prev", (start,)), *about) if start > 0 else None,
    )


def is_within(path: str, outer: str) -> bool:
    """Whether the path is `outer` or inside of it: `each[3].send` is in `each[3]` and in `each`."""
    return path == outer or (path.startswith(outer) and path[len(outer)] in ".[")


def find_step(run: RunView, path: str) -> StepView:
    """Return the step. Raises `NotFound`."""
    for step in run.steps:
        if step.path == path:
            return step
    raise NotFound(f"{run.id} has no step {path!r}", hint="a step inside a loop has a path like each[3].send")
