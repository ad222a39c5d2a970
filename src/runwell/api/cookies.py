"""Cookies of browsers, and that a change is the wish of a page of ours.

Over TLS the cookie is `__Host-runwell`: Secure, of this host alone. Browsers keep no such cookie over plain http, so
a server that listens on loopback only takes `runwell-session` there. A cookie comes with whatever any page sends,
so a change needs the session's CSRF token beside it, and an `Origin` that is ours where there is one.
"""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from runwell.api.access import AccessRules
from runwell.api.credentials import derived, same
from runwell.api.errors import Forbidden

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"

_AS_HTTP: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


def is_plain(connection: HTTPConnection, rules: AccessRules) -> bool:
    """Whether the browser is on this machine and comes without TLS."""
    return rules.loopback and _AS_HTTP[connection.scope["scheme"]] == "http"


def cookie_name(connection: HTTPConnection, rules: AccessRules, name: str = "runwell", plain: str = "runwell-session") -> str:
    return plain if is_plain(connection, rules) else f"__Host-{name}"


def put_cookie(response: Response, connection: HTTPConnection, rules: AccessRules, name: str, value: str, max_age_s: int) -> None:
    """Set a cookie that scripts cannot read; an age of 0 takes it away."""
    secure = not is_plain(connection, rules)
    response.set_cookie(name, value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="lax")


def csrf_token(session_token: str) -> str:
    return derived(session_token, "csrf")


def check_csrf(connection: HTTPConnection, rules: AccessRules, session_token: str) -> None:
    """Raise `Forbidden` for a change that a foreign page could have sent."""
    check_origin(connection, rules)
    if not same(connection.headers.get(CSRF_HEADER, ""), csrf_token(session_token)):
        raise Forbidden(
            f"a change by a browser session needs the session's token in {CSRF_HEADER}", hint="GET /v1/session tells it as csrf_token"
        )


def check_origin(connection: HTTPConnection, rules: AccessRules) -> None:
    """Raise `Forbidden` when a page of another origin sends this."""
    if not all(is_ours(connection, rules, origin) for origin in connection.headers.getlist("origin")):
        raise Forbidden(
            "the request comes from a page of another origin", hint="name that origin in RUNWELL_ALLOWED_ORIGINS if it is yours"
        )


def is_ours(connection: HTTPConnection, rules: AccessRules, origin: str) -> bool:
    """Whether the origin is the server's own, as the caller addresses it, or one that the operator allows."""
    scheme = _AS_HTTP[connection.scope["scheme"]]
    own = f"{scheme}://{connection.headers.get('host', '')}".lower()
    return origin.lower() in (own, *rules.allowed_origins)
