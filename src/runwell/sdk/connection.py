"""Where the server is, and how patient its client is."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from runwell.model.errors import InvalidInput

DEFAULT_SERVER: Final = "http://127.0.0.1:7878"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """`timeout_s` is for one answer of the server, `retries` how often a request is repeated that did not get one.

    The n-th repetition comes after a random part of `first_pause_s` * 2**n, at most `longest_pause_s`.
    """

    base_url: str
    api_key: str | None = None
    timeout_s: float = 30.0
    retries: int = 4
    first_pause_s: float = 0.25
    longest_pause_s: float = 10.0

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.api_key is None else {"Authorization": f"Bearer {self.api_key}"}

    def pause_s(self, tried: int, chance: float) -> float:
        """Return how long to wait after so many tries; `chance` is a random number from 0 to 1."""
        longest = self.first_pause_s * 2.0 ** min(tried - 1, 30)
        return float(min(longest, self.longest_pause_s)) * (0.5 + chance / 2)


def connection_to(
    base_url: str | None,
    api_key: str | None,
    timeout_s: float,
    retries: int,
    environ: Mapping[str, str] = os.environ,
) -> Connection:
    """Return the connection; what is None is read from `RUNWELL_SERVER` and `RUNWELL_API_KEY`. Raises `InvalidInput`."""
    url = base_url or environ.get("RUNWELL_SERVER") or DEFAULT_SERVER
    key = api_key or environ.get("RUNWELL_API_KEY") or None
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise InvalidInput("the API key holds characters that no key has", hint="copy it again, without spaces or line ends")
    if not 0 < timeout_s < 86_400:
        raise InvalidInput(f"the timeout is {timeout_s!r}", hint="give seconds, more than 0 and less than a day")
    if not 0 <= retries <= 100:
        raise InvalidInput(f"retries is {retries!r}", hint="give a whole number from 0 to 100")
    return Connection(base_url=_checked_url(url), api_key=key, timeout_s=timeout_s, retries=retries)


def _checked_url(url: str) -> str:
    hint = f"write it as {DEFAULT_SERVER} or https://runwell.example.com"
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as exc:
        raise InvalidInput(f"the server {url!r} is no URL: {exc}", hint=hint) from exc
    if not known or not url.isprintable():
        raise InvalidInput(f"the server {url!r} is no http or https URL", hint=hint)
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput(f"the server's URL {parts.scheme}://{parts.hostname} has parts that it cannot have", hint=hint)
    return url.strip().rstrip("/")
