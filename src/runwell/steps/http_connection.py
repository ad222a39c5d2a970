"""What a stored connection adds to the request of an `http` step."""

import re
from typing import Any, Final

from runwell.model.errors import StepError
from runwell.ports.secrets import OpenConnection

_WHOLE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def address_at(connection: OpenConnection | None, url: Any) -> Any:
    """Return the URL of the request: what a step gives follows the connection's base URL, unless it is whole by itself."""
    if connection is None or not isinstance(url, str) or _WHOLE.match(url):
        return url
    if connection.base_url is None:
        raise StepError(
            "HTTP_FAILED", f"the connection {connection.name!r} has no base_url, and request.url is {url!r}; write the whole URL"
        )
    if not url or url[0] in "?#":
        return connection.base_url + url
    return f"{connection.base_url.rstrip('/')}/{url.lstrip('/')}"


def with_headers(headers: list[tuple[str, str]], connection: OpenConnection | None) -> tuple[list[tuple[str, str]], frozenset[str]]:
    """Return the headers with the connection's, and the names (lower case) of those that are bound to its origins.

    The step's own go before the connection's plain ones, never before its secret ones.
    """
    if connection is None:
        return headers, frozenset()
    secret = {name.lower() for name in connection.secret_headers}
    kept = [(name, value) for name, value in headers if name.lower() not in secret]
    given = {name.lower() for name, _ in kept}
    added = [(name, value) for name, value in connection.headers.items() if name.lower() not in given]
    bound = frozenset(secret | {name.lower() for name, _ in added})
    return [*kept, *added, *connection.secret_headers.items()], bound
