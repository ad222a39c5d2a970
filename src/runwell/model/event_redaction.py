"""What of each event comes from outside, and may hold what a project does not want to be kept.

Everything else is Runwell's own or the document's: ids, statuses, times, names.
"""

from collections.abc import Set
from typing import Any, Final, TypeVar

import msgspec

from runwell.model import events as ev
from runwell.model.commands import CompleteTask
from runwell.model.errors import ErrorInfo
from runwell.model.raw_body import REDACTED, RawBody, withheld
from runwell.model.redactor import Redactor, Root
from runwell.model.traces import Span

D = TypeVar("D", bound=ev.EventData)
S = TypeVar("S", bound=msgspec.Struct)

_BOTH: Final[tuple[Root, ...]] = ("input", "output")
_IN: Final[tuple[Root, ...]] = ("input",)
_OUT: Final[tuple[Root, ...]] = ("output",)
_TEXT: Final[tuple[Root, ...]] = ()
_ERROR: Final = {"error": _TEXT}

CONTENT: Final[dict[type[ev.EventData], dict[str, tuple[Root, ...]]]] = {
    ev.RunCreated: {"input": _IN, "metadata": ("metadata",), "tags": _TEXT, "history": _TEXT},
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
    ev.StepWaiting: {"input": _IN},
    ev.StepResumed: {"output": _OUT, "error": _TEXT},
    ev.GenerationCompleted: {
        **{"messages": _TEXT, "params": _TEXT, "tools": _TEXT, "raw_request": _TEXT},
        **{"response": _OUT, "tool_calls": _OUT, "thought": _TEXT, "thoughts": _TEXT, "error": _TEXT, "raw_response": _OUT},
    },
    ev.ToolCalled: {"args": _IN},
    ev.ToolReturned: {"result": _OUT, "error": _TEXT},
    ev.TurnStarted: {"message": _BOTH, "variables": _BOTH},
    ev.TurnEnded: {"output": _BOTH, "variables": _BOTH, "value": _BOTH, "error": _TEXT},
    ev.TaskCreated: {"title": _TEXT, "description": _TEXT, "payload": _BOTH},
    ev.TaskCompleted: {"comment": _TEXT, "result": _BOTH},
    ev.MessageReceived: {"body": _BOTH},
    ev.Log: {"message": _TEXT},
    ev.SpanRecorded: {"name": _TEXT, "attributes": ("metadata",), "resource": ("metadata",), "events": _TEXT, "links": _TEXT},
    ev.CommentAdded: {"content": _TEXT},
    ev.RunReviewed: {"comment": _TEXT},
    ev.RunEvaluated: {"comment": _TEXT, "error": _TEXT},
}
"""The fields with content, and where each is from, for paths. Paths that begin with `*` are about all of them.

A raw body stands after what it says.
"""

_ANSWER: Final[dict[str, frozenset[str]]] = {
    "raw_request": frozenset(),
    "raw_response": frozenset({"response", "tool_calls", "thought", "thoughts"}),
}
"""What a raw body says: where that was changed, the body goes whole."""


class RedactedEvents:
    """`EventRedactor` by these rules."""

    def __init__(self, redactor: Redactor, mark: str = "") -> None:
        self._redactor, self.mark = redactor, mark

    def event(self, data: D) -> D:
        return _redacted(self._redactor, data, CONTENT.get(type(data), {}))

    def span(self, span: Span) -> Span:
        """Return the span without what patterns and `*` paths take out: which of its values are input or output only its reading says."""
        said = self._redactor.data
        events = tuple(
            msgspec.structs.replace(one, name=said(one.name), attributes=self._attributes(one.attributes)) for one in span.events
        )
        links = tuple(msgspec.structs.replace(one, attributes=self._attributes(one.attributes)) for one in span.links)
        changes = {"name": said(span.name), "message": said(span.message), "events": events, "links": links}
        return msgspec.structs.replace(
            span, attributes=self._attributes(span.attributes), resource=self._attributes(span.resource), **changes
        )

    def _attributes(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return attributes redacted; JSON in a text is looked into, and stays JSON, since whoever reads the span reads it."""
        inside = {key: found for key, value in given.items() if (found := _json_in(value)) is not None}
        found, kept = self._redactor.data({**given, **inside}), {}
        for key, clean in found.items() if isinstance(found, dict) else {"attributes": found}.items():
            was_json = key in inside and not isinstance(clean, str)
            kept[key] = clean if not was_json else given[key] if clean is inside[key] else msgspec.json.encode(clean).decode()
        return kept

    def decision(self, command: CompleteTask) -> CompleteTask:
        """Return the decision as it would be kept: said again, it is the same one."""
        return _redacted(self._redactor, command, CONTENT[ev.TaskCompleted])


def _json_in(value: Any) -> Any:
    """Return the object or list that a text says; None for anything else."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def _redacted(redactor: Redactor, held: S, fields: dict[str, tuple[Root, ...]]) -> S:
    changes: dict[str, Any] = {}
    for name, roots in fields.items():
        old = getattr(held, name)
        new: Any
        if isinstance(old, ErrorInfo):
            new = _error(redactor, old)
        elif isinstance(old, RawBody):
            new = _body(redactor, old, told=_ANSWER[name] & changes.keys())
        else:
            new = redactor.data(old, *roots)
        if new is not old:
            changes[name] = new
    return msgspec.structs.replace(held, **changes) if changes else held


def _body(redactor: Redactor, body: RawBody, *, told: Set[str]) -> RawBody:
    """Return what may be kept of a raw body. `told`: what was changed of that which it says.

    A stream tells in pieces what a pattern finds only in the whole, and a path leads elsewhere in a provider's form.
    """
    if told or (redactor.knows_paths and not _is_whole(body)):
        return withheld(body, REDACTED)
    text = redactor.text(body.text)
    return body if text == body.text else msgspec.structs.replace(body, text=text)


def _is_whole(body: RawBody) -> bool:
    """Say whether it is one JSON document, so that paths can be followed in it."""
    try:
        msgspec.json.decode(body.text)
    except msgspec.DecodeError:
        return False
    return body.encoding == "utf-8"


def _error(redactor: Redactor, error: ErrorInfo) -> ErrorInfo:
    message, details = redactor.text(error.message), redactor.data(error.details)
    if message == error.message and details is error.details:
        return error
    return msgspec.structs.replace(error, message=message, details=details)
