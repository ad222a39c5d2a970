"""How often somebody may try to sign in: per e-mail address from one network address, per either alone.

Counted in this process, in a moving window. A try counts before its outcome is known, so that many at once gain
nothing; a success clears what one person mistyped from one place, and no more.
"""

from collections import deque
from ipaddress import IPv6Address, ip_address
from typing import Final

from runwell.api.errors import TooManyRequests
from runwell.ports.clock import Clock

WINDOW_MS: Final = 15 * 60_000
PER_PAIR: Final = 10
PER_EMAIL: Final = 100
PER_ADDRESS: Final = 100

_MANY: Final = 10_000
"""With so many names known, those without a recent try are forgotten."""


class SignInThrottle:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[tuple[str, str], deque[int]] = {}
        self._forget_at = _MANY

    def attempt(self, email: str, address: str) -> None:
        """Count a try. Raises `TooManyRequests` when it is one too many; such a try does not count."""
        now, place = self._clock.now(), network(address)
        counted = (((email, place), PER_PAIR), ((email, ""), PER_EMAIL), (("", place), PER_ADDRESS))
        waits = max(self._wait(key, limit, now) for key, limit in counted)
        if waits > 0:
            seconds = -(-waits // 1000)
            raise TooManyRequests("too many attempts to sign in", hint=f"try again in {seconds} s", headers={"Retry-After": str(seconds)})
        for key, _ in counted:
            self._tries.setdefault(key, deque()).append(now)
        self._forget(now)

    def succeeded(self, email: str, address: str) -> None:
        self._tries.pop((email, network(address)), None)

    def _wait(self, key: tuple[str, str], limit: int, now: int) -> int:
        """Return how long (ms) until another try is allowed; 0 when it is now."""
        tries = self._tries.get(key)
        while tries and tries[0] <= now - WINDOW_MS:
            tries.popleft()
        return tries[0] + WINDOW_MS - now if tries and len(tries) >= limit else 0

    def _forget(self, now: int) -> None:
        if len(self._tries) >= self._forget_at:
            self._tries = {key: tries for key, tries in self._tries.items() if tries and tries[-1] > now - WINDOW_MS}
            self._forget_at = len(self._tries) + _MANY


def network(address: str) -> str:
    """Return what one customer of a provider has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None else address
