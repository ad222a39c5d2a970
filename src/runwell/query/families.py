"""Runs and the runs that they started."""

from collections.abc import Sequence

from runwell.model.run import RunRow


def descendants(rows: Sequence[RunRow], run_id: str) -> set[str]:
    """Return the run and, of these rows, all that descend from it."""
    children: dict[str, list[str]] = {}
    for row in rows:
        children.setdefault(row.parent_run_id or "", []).append(row.run_id)
    found, ahead = {run_id}, [run_id]
    while ahead:
        fresh = set(children.get(ahead.pop(), ())) - found
        found |= fresh
        ahead += fresh
    return found
