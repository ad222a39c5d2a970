"""What a step's handler may wait for in the middle of an attempt.

`key` is the handler's own word for the wait, by which it finds what came of it: each wait of a step has another.
"""

from typing import Any

import msgspec


class TaskWait(msgspec.Struct, frozen=True, kw_only=True):
    """A person's decision. `result_schema` is the JSON Schema of what may be edited; without it anything may be."""

    key: str
    title: str
    description: str | None = None
    payload: Any = None
    assignees: tuple[str, ...] = ()
    expires_in_s: float | None = None
    result_schema: dict[str, Any] | None = None
    task_type: str = "approval"


class MessageWait(msgspec.Struct, frozen=True, kw_only=True):
    """A message of this name; one that came before counts."""

    key: str
    name: str
    expires_in_s: float | None = None


class ChildWait(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run of another workflow (a slug), which begins now. Without a `version` it is the one that runs start with."""

    key: str
    workflow: str
    version: int | None = None
    input: Any = None


class TimeWait(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from now."""

    key: str
    for_s: float


Wait = TaskWait | MessageWait | ChildWait | TimeWait
