"""How the caller of an append learns that it failed."""

import asyncio
from typing import Any

from runwell.model.errors import JournalUnavailable, RunwellError


def fail_quietly(future: "asyncio.Future[Any]", cause: BaseException) -> None:
    """Fail the future with `JournalUnavailable` from `cause`; nobody has to look at it."""
    message, hint = str(cause), None
    if isinstance(cause, RunwellError):
        message, hint = cause.message, cause.hint
    error = JournalUnavailable(
        f"the journal could not keep the events: {message}", hint=hint or "free disk space or mend the disk, then try again"
    )
    error.__cause__ = cause
    refuse_quietly(future, error)


def refuse_quietly(future: "asyncio.Future[Any]", error: Exception) -> None:
    """Fail the future with this error; nobody has to look at it."""
    if future.done():
        return
    future.set_exception(error)
    future.exception()  # marks it as looked at


def failed(cause: BaseException) -> "asyncio.Future[int]":
    """Return a future that has failed."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    fail_quietly(future, cause)
    return future


def closed() -> JournalUnavailable:
    return JournalUnavailable("the journal is not open", hint="open it first; after `close` nothing is taken any more")
