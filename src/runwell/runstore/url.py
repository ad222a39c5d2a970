"""Where a ClickHouse server is, with what opens it; shown without its password."""

from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from runwell.model.errors import InvalidInput

_FORM: Final = (
    "write it as clickhouse://user:password@host:8123/database (clickhouses:// or https:// for TLS), special characters percent-encoded"
)
_TLS: Final = {"clickhouse": False, "clickhouses": True, "http": False, "https": True}
DATABASE: Final = "runwell"
"""The database, unless a URL names another."""


class RunStoreUrl:
    """`clickhouse://user:password@host:port/database`, or `http(s)://` in its place: the HTTP interface of a server.

    Raises `InvalidInput`, which never repeats the text: whatever is wrong with it, a password may be in it.
    """

    __slots__ = ("_parts", "_secret", "database", "host", "is_tls", "password", "port", "user")

    def __init__(self, text: str) -> None:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise InvalidInput("the run store's URL cannot be read", hint=_FORM) from None  # the cause repeats a part of it
        if parts.scheme not in _TLS:
            raise InvalidInput("the run store's URL is none of ClickHouse", hint=_FORM)
        if not parts.hostname or parts.query or parts.fragment or "/" in parts.path.strip("/"):
            raise InvalidInput("the run store's URL has no readable host and database", hint=_FORM)
        self._secret, self._parts = text, parts
        self.is_tls = _TLS[parts.scheme]
        self.host = parts.hostname
        self.port = port or (8443 if self.is_tls else 8123)
        self.user = unquote(parts.username or "default")
        self.password = unquote(parts.password or "")
        self.database = unquote(parts.path.strip("/")) or DATABASE

    def __str__(self) -> str:
        return _shown(self._parts)

    def __repr__(self) -> str:
        return repr(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunStoreUrl) and self._secret == other._secret

    def __hash__(self) -> int:
        return hash(self._secret)


def _shown(parts: SplitResult) -> str:
    user, at, place = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{user.partition(':')[0]}{at}{place}{parts.path}"
