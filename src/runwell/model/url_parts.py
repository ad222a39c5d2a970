"""What of a secret address is secret by itself.

A webhook's URL is cut up on its way: the host goes into the `Host` header in lower case, path and query into
the request line, and the other side tells any of them in its answers.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

LONG: Final = 6
"""A part that is shorter tells nothing, and would be found everywhere."""

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def url_parts(value: str) -> set[str]:
    """Return the parts, also decoded, of a secret that is a URL; none of any other."""
    try:
        parts = urlsplit(value.strip()) if _URL.match(value.strip()) else None
    except ValueError:
        return set()
    return set() if parts is None else {part for part in _parts(parts) if len(part) >= LONG}


def _parts(url: SplitResult) -> Iterator[str]:
    target = f"{url.path}?{url.query}"
    texts = [url.path, *url.path.split("/"), url.query, url.fragment, *re.split("[:@]", url.netloc.rpartition("@")[0])]
    for text in (target, *texts, *(pair.partition("=")[2] for pair in url.query.split("&"))):
        yield from (text, unquote(text), unquote_plus(text))
    authority = url.netloc.rpartition("@")[2]
    for host in (authority, re.sub(r":[0-9]*\Z", "", authority)):
        yield from (host, as_host(host))


def as_host(text: str) -> str:
    """Return the text as the name of a host goes over the wire: in lower case and ASCII."""
    try:
        return text.lower().encode("idna").decode()
    except UnicodeError:
        return text.lower()
