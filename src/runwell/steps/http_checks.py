"""What is wrong with the request of an `http` step, whatever its templates yield: parts that are written out."""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from runwell.steps.http_message import HEADER_NAME, METHOD

Problem = tuple[str, str, str]
"""Pointer within the step, message, hint."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_METHOD_CURE: Final = "use GET, POST, PUT, PATCH or DELETE"


def method_problems(method: str) -> Iterator[Problem]:
    if not _is_template(method) and not METHOD.fullmatch(method):
        yield "/request/method", f"{method!r} is not a method", _METHOD_CURE


def url_problems(url: str) -> Iterator[Problem]:
    """Yield what is wrong with the URL; of a template only how it begins, if that is written out."""
    begins = url.partition("{{")[0].lower()
    schemes = ("http://", "https://")
    if _is_template(url) and any(scheme.startswith(begins) for scheme in schemes):
        return
    if not begins.startswith(schemes):
        yield "/request/url", f"{url!r} is not an http or https URL", "start it with https://"
    elif not _is_template(url) and (wrong := _wrong_address(url)):
        yield "/request/url", f"{url!r} {wrong[0]}", wrong[1]


def connection_problems(connection: str, url: str) -> Iterator[Problem]:
    """Yield what is wrong with a connection's name, and with the URL that follows its base URL or stands for itself."""
    if _is_template(connection):
        yield "/request/connection", f"connection is no template: {connection!r}", "name one connection, as in connection: desk"
    if "://" in url.partition("{{")[0]:
        yield from url_problems(url)


def _wrong_address(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has a host or port that cannot be", "write it as https://host:8080/path"
    if not host:
        return "has no host", "write it as https://host/path"
    if any(character.isspace() for character in parts.netloc):
        return "has a space in its host", "write it as https://host/path"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password, which is not allowed", "send an Authorization header"
    return None


def header_problems(headers: dict[str, Any]) -> Iterator[Problem]:
    """Yield headers whose name or value can never be sent. Names are no templates."""
    for name, value in headers.items():
        place = f"/request/headers/{_escaped(name)}"
        if not HEADER_NAME.fullmatch(name):
            yield place, f"{name!r} is not a header name", "use letters, digits and hyphens; a name is no template"
        elif isinstance(value, str) and not _is_template(value) and _CONTROL.search(value.strip()):
            yield place, f"the header {name!r} holds a line break or control character", "remove it"


def pair_problems(field: str, pairs: dict[str, Any] | None) -> Iterator[Problem]:
    """Yield values of `query` or `form` that are no single value, nor a list of such."""
    for key, value in (pairs or {}).items():
        items = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(item, dict | list | tuple) for item in items):
            message = f"{key!r} holds a list in a list" if isinstance(value, list | tuple) else f"{key!r} holds an object"
            yield f"/request/{field}/{_escaped(key)}", message, "write text, a number, a truth value or a list of such, or use json()"


def _is_template(text: str) -> bool:
    return "{{" in text


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
