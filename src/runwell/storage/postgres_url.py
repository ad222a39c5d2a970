"""Where a PostgreSQL database is, with what opens it; shown without its password."""

import re
from typing import Final
from urllib.parse import urlsplit

from runwell.model.errors import InvalidInput

_FORM: Final = "write it as postgresql://user:password@host:5432/database, with special characters percent-encoded"
_HOSTS: Final = re.compile(r"(?:\[[^\]]*\]|[^:@\[\]]*)(?::\d*)?(?:,(?:\[[^\]]*\]|[^:@\[\]]*)(?::\d*)?)*")


class DatabaseUrl:
    """`postgresql://user:password@host:port/database`, as libpq reads it; its text is `secret`.

    Raises `InvalidInput`, which never repeats the text: whatever is wrong with it, a password may be in it.
    """

    __slots__ = ("_shown", "secret")

    def __init__(self, text: str) -> None:
        try:
            parts = urlsplit(text)
        except ValueError:
            raise InvalidInput("the database's URL cannot be read", hint=_FORM) from None  # the cause repeats a part of it
        if parts.scheme not in ("postgresql", "postgres"):
            raise InvalidInput("the database's URL is none of PostgreSQL", hint=_FORM)
        user, at, hosts = parts.netloc.rpartition("@")
        if not _HOSTS.fullmatch(hosts):
            raise InvalidInput("the database's URL has no readable host", hint=_FORM)
        self.secret = text
        self._shown = f"{parts.scheme}://{user.partition(':')[0]}{at}{hosts}{parts.path}"

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return repr(self._shown)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and self.secret == other.secret

    def __hash__(self) -> int:
        return hash(self.secret)
