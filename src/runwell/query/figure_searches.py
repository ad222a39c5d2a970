"""The search that yields the runs behind a figure, in the words of the search language."""

import re
from typing import Final

from runwell.model.analytics import Group, GroupBy
from runwell.model.run_query import Compare, Value
from runwell.model.statuses import TERMINAL, RunStatus

ENDED: Final = Compare("status", "is", tuple(status.value for status in RunStatus if status in TERMINAL))
TIMED: Final = Compare("duration", "gte", (0,))
LIVE: Final = tuple(status for status in RunStatus if status not in TERMINAL)


_PLAIN: Final = re.compile(r"[\w.-]+")


def is_(field: str, value: Value) -> Compare:
    """Return that the field has exactly this value: a text that is no plain word is quoted, as `*` at its end would mean more."""
    return Compare(field, "is", (value,), "string" if isinstance(value, str) and not _PLAIN.fullmatch(value) else None)


def status_is(*statuses: RunStatus) -> Compare:
    return Compare("status", "is", tuple(status.value for status in statuses))


def step_type_is(step_type: str) -> Compare:
    return is_("step_type", step_type)


def begun(begin: int, end: int) -> tuple[Compare, Compare]:
    """Return that a run began from `begin` on and before `end`."""
    return Compare("begun", "gte", (begin,), "date"), Compare("begun", "lt", (end,), "date")


EVER: Final = Compare("begun", "gte", (0,), "date")
"""Takes the place of the range that lists have by default."""


def within(workflow_id: str | None, environment: str | None) -> tuple[Compare, ...]:
    """Return what the figures were narrowed down to."""
    asked: tuple[tuple[str, Value | None], ...] = (("workflow", workflow_id), ("environment", environment))
    return tuple(is_(field, value) for field, value in asked if value is not None)


def of_group(group: Group | None) -> tuple[Compare, ...]:
    """Return what the runs of a group have in common."""
    if group is None:
        return ()
    asked = (("workflow", group.workflow_id), ("version", group.version), ("model", group.model), ("trigger", group.trigger))
    return tuple(is_(field, value) for field, value in asked if value is not None)


def group_of(by: GroupBy, name: str) -> Group:
    """Return the group of this name, as the port calls it."""
    if by == "version":
        workflow_id, _, version = name.rpartition("/")
        return Group(workflow_id=workflow_id, version=int(version))
    if by == "workflow":
        return Group(workflow_id=name)
    return Group(model=name) if by == "model" else Group(trigger=name)
