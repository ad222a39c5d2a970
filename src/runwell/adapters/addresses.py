"""Which network addresses a step may reach.

An address is reachable when it is globally routed unicast, or when the operator allowed its
network. Everything else is refused, by list: the special-purpose registries of IANA for IPv4,
and for IPv6 all but `2000::/3` less its special blocks. The standard library's `is_global` is
not enough: it passes NAT64, multicast and 6to4, through which an inside IPv4 address is reached.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from runwell.model.errors import InvalidInput

IPV4_BLOCKS: Final[tuple[tuple[IPv4Network, str], ...]] = tuple(
    (IPv4Network(block), name)
    for block, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local, where clouds keep instance metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "IETF protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "AMT"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
    )
)
IPV6_UNICAST: Final = IPv6Network("2000::/3")
IPV6_BLOCKS: Final[tuple[tuple[IPv6Network, str], ...]] = tuple(
    (IPv6Network(block), name)
    for block, name in (
        ("2001::/23", "IETF protocol assignments, Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4, which embeds an IPv4 address"),
        ("2620:4f:8000::/48", "AS112"),
        ("3fff::/20", "documentation"),
    )
)
EMBEDDING: Final = tuple(
    (IPv6Network(block), name)
    for block, name in (
        ("::ffff:0:0/96", "an IPv4-mapped address"),
        ("64:ff9b::/96", "NAT64, which embeds an IPv4 address"),
        ("64:ff9b:1::/48", "NAT64, which embeds an IPv4 address"),
    )
)
"""IPv6 spellings of IPv4 addresses. No setting permits them: allow the IPv4 network instead."""


class AddressPolicy:
    """Vets addresses. `allow` lists networks (CIDR) that are permitted beside the public ones.

    Raises `InvalidInput` for an entry that is not a network.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allow = tuple(_network(entry) for entry in allow)

    def refusal(self, address: str) -> str | None:
        """Return what the address is when it must not be reached; None when it may be."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return "not an IP address"
        if isinstance(parsed, IPv4Address):
            return None if self._allows(parsed) else _refusal_v4(parsed)
        return self._refusal_v6(parsed)

    def _refusal_v6(self, address: IPv6Address) -> str | None:
        if address.scope_id is not None:
            return "bound to one interface"
        embedded = next((name for block, name in EMBEDDING if address in block), None)
        if embedded is not None or self._allows(address):
            return embedded
        if address not in IPV6_UNICAST:
            return "outside 2000::/3, the public IPv6 space"
        return next((name for block, name in IPV6_BLOCKS if address in block), None)

    def _allows(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._allow)


def _refusal_v4(address: IPv4Address) -> str | None:
    return next((name for block, name in IPV4_BLOCKS if address in block), None)


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry)
    except ValueError as exc:
        raise InvalidInput(f"{entry!r} is not a network: {exc}", hint="write it like 10.1.0.0/16 or 127.0.0.1/32") from exc
