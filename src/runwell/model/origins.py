"""Origins to which something secret may go: `https://host`, `https://host:8443`, `https://*.example.com`.

One strict grammar reads addresses here. What it does not read has no origin, and nothing secret goes there: so no
address can look like one origin to us and lead to another (user names, backslashes, spaces, escapes).
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from runwell.model.errors import InvalidInput, Problem

_ADDRESS: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9._-]*)(?::([0-9]{1,5}))?(?=[/?#]|\Z)", re.IGNORECASE)
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")
_USUAL: Final = {"http": 80, "https": 443}
_WILDCARD: Final = "https://*."
_INSIDE: Final = (".internal", ".local", ".localhost")

MOST_ORIGINS: Final = 50


def origin_of(address: str) -> str | None:
    """Return the origin of an http or https address, in its one spelling; None for what is not plainly one."""
    found = _ADDRESS.match(address)
    if found is None:
        return None
    scheme, host, port = found[1].lower(), _host(found[2].lower()), int(found[3] or 0)
    if host is None or not (0 < port < 65_536 or found[3] is None):
        return None
    return f"{scheme}://{host}" if port in (0, _USUAL[scheme]) else f"{scheme}://{host}:{port}"


def _host(host: str) -> str | None:
    if not host.startswith("["):
        return host
    try:
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        return None


def permits(origins: Iterable[str], address: str) -> bool:
    """Return whether the address lies at one of the origins."""
    origin = origin_of(address)
    return origin is not None and any(_covers(allowed, origin) for allowed in origins)


def _covers(allowed: str, origin: str) -> bool:
    if not allowed.startswith(_WILDCARD):
        return allowed == origin
    return origin.startswith("https://") and origin.endswith(allowed.removeprefix("https://*")) and origin != allowed


class OriginRules:
    """Which origins may be written down here. `http_allow` are the blocks beyond the public internet that the operator permits.

    Without TLS only what lies inside can be named: an address of such a block, `localhost`, a name without a dot
    or under `.internal` or `.local`.
    """

    def __init__(self, http_allow: Sequence[str] = ()) -> None:
        self._blocks = tuple(ip_network(block) for block in http_allow)

    def read(self, entries: Sequence[str], pointer: str = "/allowed_origins") -> tuple[str, ...]:
        """Return the origins in their one spelling, sorted. Raises `InvalidInput` with every problem."""
        problems = []
        origins = set()
        for place, entry in enumerate(entries):
            try:
                origins.add(self._read(entry.strip()))
            except InvalidInput as exc:
                problems.append(Problem(code="bad_origin", message=exc.message, pointer=f"{pointer}/{place}", hint=exc.hint))
        if problems:
            raise InvalidInput("the allowed origins are not usable", hint=problems[0].hint, problems=tuple(problems))
        return tuple(sorted(origins))

    def _read(self, entry: str) -> str:
        if entry.lower().startswith(_WILDCARD):
            return self._wildcard(entry)
        origin = origin_of(entry)
        if origin is None or entry[_end(entry) :] not in ("", "/"):
            raise InvalidInput(
                f"{entry[:100]!r} is no origin",
                hint="write scheme, host and port alone, as in https://api.example.com or https://host:8443",
            )
        host = _host_part(origin)
        if not _is_address(host) and not _NAME.fullmatch(host):
            raise InvalidInput(f"{host[:100]!r} is no host name", hint="write it in ASCII: a name of other letters begins with xn--")
        if origin.startswith("http://") and not self._is_inside(host):
            raise InvalidInput(
                f"{origin!r} would send the secret unencrypted",
                hint="write https://; http:// is for addresses inside, which the operator permits with RUNWELL_HTTP_ALLOW",
            )
        return origin

    def _wildcard(self, entry: str) -> str:
        below = "https://" + entry[len(_WILDCARD) :]
        rest = origin_of(below)
        host = "" if rest is None else _host_part(rest)
        if rest is None or below[_end(below) :] not in ("", "/") or not _NAME.fullmatch(host) or "." not in host or _is_address(host):
            raise InvalidInput(f"{entry[:100]!r} is no origin", hint="a wildcard stands for subdomains, as in https://*.example.com")
        return rest.replace("https://", _WILDCARD, 1)

    def _is_inside(self, host: str) -> bool:
        address = _address(host)
        if address is not None:
            return not address.is_global and any(address in block for block in self._blocks)
        if host == "localhost" or host.endswith(".localhost"):
            return any(IPv4Address("127.0.0.1") in block or IPv6Address("::1") in block for block in self._blocks)
        return bool(self._blocks) and ("." not in host or host.endswith(_INSIDE))


def _end(entry: str) -> int:
    found = _ADDRESS.match(entry)
    return found.end() if found else 0


def _host_part(origin: str) -> str:
    rest = origin.partition("://")[2]
    return rest.partition("]")[0] + "]" if rest.startswith("[") else rest.partition(":")[0]


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    return _address(host) is not None
