"""What of each event comes from outside, and may hold what a project does not want to be kept.

Everything else is Runwell's own or the document's: ids, statuses, times, names.
"""

from typing import Final, TypeVar

import msgspec

from runwell.model import events as ev
from runwell.model.commands import CompleteTask
from runwell.model.errors import ErrorInfo
from runwell.model.redactor import Redactor, Root

D = TypeVar("D", bound=ev.EventData)
S = TypeVar("S", bound=msgspec.Struct)

_BOTH: Final[tuple[Root, ...]] = ("input", "output")
_IN: Final[tuple[Root, ...]] = ("input",)
_OUT: Final[tuple[Root, ...]] = ("output",)
_TEXT: Final[tuple[Root, ...]] = ()
_ERROR: Final = {"error": _TEXT}

CONTENT: Final[dict[type[ev.EventData], dict[str, tuple[Root, ...]]]] = {
    ev.RunCreated: {"input": _IN, "metadata": ("metadata",), "tags": _TEXT},
    ev.RunDraining: _ERROR,
    ev.RunSucceeded: {"output": _OUT},
    ev.RunFailed: _ERROR,
    ev.RunStopped: _ERROR,
    ev.RunLimitExceeded: _ERROR,
    ev.RunInternalError: _ERROR,
    ev.RunServedFromCache: {"output": _OUT},
    ev.StepStarted: {"input": _IN, "items": _BOTH},
    ev.StepCompleted: {"result": _OUT},
    ev.StepFailed: {"error": _TEXT, "result": _OUT},
    ev.StepRetrying: _ERROR,
    ev.GenerationCompleted: {"messages": _TEXT, "params": _TEXT, "response": _OUT, "error": _TEXT},
    ev.ToolCalled: {"args": _IN},
    ev.ToolReturned: {"result": _OUT, "error": _TEXT},
    ev.TaskCreated: {"title": _TEXT, "description": _TEXT, "payload": _BOTH},
    ev.TaskCompleted: {"comment": _TEXT, "result": _BOTH},
    ev.MessageReceived: {"body": _BOTH},
    ev.Log: {"message": _TEXT},
    ev.CommentAdded: {"content": _TEXT},
    ev.RunReviewed: {"comment": _TEXT},
}
"""The fields with content, and where each is from, for paths. Paths that begin with `*` are about all of them."""


class RedactedEvents:
    """`EventRedactor` by these rules."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def event(self, data: D) -> D:
        return _redacted(self._redactor, data, CONTENT.get(type(data), {}))

    def decision(self, command: CompleteTask) -> CompleteTask:
        """Return the decision as it would be kept: said again, it is the same one."""
        return _redacted(self._redactor, command, CONTENT[ev.TaskCompleted])


def _redacted(redactor: Redactor, held: S, fields: dict[str, tuple[Root, ...]]) -> S:
    changes = {}
    for name, roots in fields.items():
        old = getattr(held, name)
        new = _error(redactor, old) if isinstance(old, ErrorInfo) else redactor.data(old, *roots)
        if new is not old:
            changes[name] = new
    return msgspec.structs.replace(held, **changes) if changes else held


def _error(redactor: Redactor, error: ErrorInfo) -> ErrorInfo:
    message, details = redactor.text(error.message), redactor.data(error.details)
    if message == error.message and details is error.details:
        return error
    return msgspec.structs.replace(error, message=message, details=details)
