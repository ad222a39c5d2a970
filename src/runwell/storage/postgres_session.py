"""Connections to PostgreSQL, what the driver raises, and text as PostgreSQL can keep it."""

from typing import Any, Final

import asyncpg

from runwell.model.errors import JournalUnavailable
from runwell.storage.postgres_url import DatabaseUrl

CONNECT_S: Final = 10.0
COMMAND_S: Final = 60.0
"""How long one statement may take. A server that has not answered by then is taken for lost."""

DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that asyncpg raises; a lost connection or a time that ran out is an `OSError`."""


class Session(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """A connection that goes back to its pool as it is: nobody changes its settings."""

    def get_reset_query(self) -> str:
        return ""


async def connect(url: DatabaseUrl, **settings: str) -> Any:
    """Return a connection of our own. Raises what the driver raises (`DRIVER_ERRORS`)."""
    names = {"application_name": "runwell", **settings}
    options: dict[str, Any] = {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "connection_class": Session}
    return await asyncpg.connect(url.secret, server_settings=names, **options)


def pool(url: DatabaseUrl, size: int, **settings: str) -> Any:
    """Return a pool of up to `size` connections, to be awaited; it opens them when they are wanted."""
    names = {"application_name": "runwell", **settings}
    options: dict[str, Any] = {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "connection_class": Session}
    return asyncpg.create_pool(url.secret, min_size=0, max_size=size, server_settings=names, **options)


def unavailable(url: DatabaseUrl, cause: BaseException) -> JournalUnavailable:
    """Return the error to raise from what the driver raised."""
    text = str(cause) or type(cause).__name__
    return JournalUnavailable(f"PostgreSQL at {url} did not do it: {text}", hint="check that the server runs and can be reached")


def stored(text: str) -> str:
    """Return the text without NUL, which PostgreSQL's text cannot hold; different texts stay different, ordinary ones as they are."""
    return text.replace("\\", "\\\\").replace("\x00", "\\0") if "\\" in text or "\x00" in text else text


def original(text: str) -> str:
    """Return what `stored` was given."""
    return "\\".join(part.replace("\\0", "\x00") for part in text.split("\\\\")) if "\\" in text else text
