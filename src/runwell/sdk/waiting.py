"""Waiting for the end of a run, without I/O."""

import time
from typing import Final

from runwell.model.run import RunView
from runwell.model.run_parts import EventView
from runwell.sdk.connection import Connection
from runwell.sdk.errors import ServerUnreachable
from runwell.sdk.event_stream import Following, follow
from runwell.sdk.faces import Page
from runwell.sdk.flow import Course, Emit, Flow, ask
from runwell.sdk.request import request

_LAST: Final = 2**31 - 1
"""No event has a higher `seq`."""


def until(timeout_s: float | None) -> float | None:
    """Return the moment, on the monotonic clock, at which so much time is over."""
    return None if timeout_s is None else time.monotonic() + timeout_s


def ended(connection: Connection, run_id: str, until: float | None) -> Flow[RunView]:
    """Follow the run from its last event on, without handing anything out, and return it once it has ended. Raises `RunNotEnded`."""
    newest = request("GET", "runs", run_id, "events", query={"before": _LAST, "limit": 1})
    page: Page[EventView] = yield from ask(connection, newest, Page[EventView])
    course = Course(follow(connection, Following(run_id, page.data[-1].seq if page.data else 0, until=until)))
    while (step := course.step) is not None:
        if isinstance(step, Emit):
            course.give(None)
            continue
        try:
            answer = yield step
        except ServerUnreachable as exc:
            course.fail(exc)
        else:
            course.give(answer)
    return (yield from ask(connection, request("GET", "runs", run_id), RunView))
