"""Connections: where a provider is reached and with which key, from the environment.

A named connection is three variables, of which `PROVIDER` defaults to `openai` (any server that speaks its protocol):

    RUNWELL_CONNECTION_<NAME>_PROVIDER   openai, openai-chat, openai-responses, anthropic or google
    RUNWELL_CONNECTION_<NAME>_BASE_URL   optional; a key is then optional too, as many local servers want none
    RUNWELL_CONNECTION_<NAME>_API_KEY

Names ignore case, and `-` is `_`: the connection `my-gateway` is `RUNWELL_CONNECTION_MY_GATEWAY_...`. A model of it is
`my-gateway:llama3`, or `openai:llama3` with `connection: my-gateway`. Without a connection, a provider's usual variables
count (`VENDOR_VARIABLES`). A connection's key never reaches another connection's address.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from runwell.adapters.models.failures import failed
from runwell.model.vault import ADDRESSES

Vendor = Literal["openai", "anthropic", "google"]


class _Variables(NamedTuple):
    """A vendor's usual variables, the first one set wins, and its own address."""

    keys: tuple[str, ...]
    base_url: str
    address: str


VENDOR_VARIABLES: Final[dict[Vendor, _Variables]] = {
    "openai": _Variables(("OPENAI_API_KEY",), "OPENAI_BASE_URL", ADDRESSES["openai"]),
    "anthropic": _Variables(("ANTHROPIC_API_KEY",), "ANTHROPIC_BASE_URL", ADDRESSES["anthropic"]),
    "google": _Variables(("GOOGLE_API_KEY", "GEMINI_API_KEY"), "GOOGLE_GEMINI_BASE_URL", ADDRESSES["google"]),
}

PROVIDERS: Final[dict[str, Vendor]] = {
    "openai": "openai",
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "google": "google",
}
"""From what a model or a connection may name as its provider to the vendor that answers."""

_NAMED = re.compile(r"^RUNWELL_CONNECTION_([A-Z0-9_]+)_(PROVIDER|BASE_URL|API_KEY)$")


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Where and with which key one provider is called. `name` is None for a vendor's usual settings.

    `foreign` says that the address is not the vendor's own; it then may do without a key. A stored connection has an
    id, and reaches its `origins` only.
    """

    name: str | None
    provider: str
    vendor: Vendor
    base_url: str
    api_key: str | None
    stored_id: str | None = None
    origins: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def foreign(self) -> bool:
        return self.base_url.rstrip("/") != VENDOR_VARIABLES[self.vendor].address

    def __repr__(self) -> str:
        return f"Connection(name={self.name!r}, provider={self.provider!r}, base_url={self.base_url!r})"


class Connections:
    """The connections that an environment describes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value.strip() for name, value in environ.items()}
        found = (_NAMED.match(variable) for variable, value in self._environ.items() if value)
        self.names: tuple[str, ...] = tuple(sorted({match[1].lower() for match in found if match}))

    def knows(self, name: str) -> bool:
        return canonical(name) in self.names

    def same(self, one: str, other: str) -> bool:
        """Whether two spellings name one connection."""
        return canonical(one) == canonical(other)

    def variable(self, name: str, suffix: str) -> str:
        """Return the environment variable of a connection: `RUNWELL_CONNECTION_<NAME>_<suffix>`."""
        return f"RUNWELL_CONNECTION_{canonical(name).upper()}_{suffix}"

    def provider(self, name: str) -> str:
        """Return what a connection names as its provider, known or not."""
        return self._get(self.variable(name, "PROVIDER"), "openai").lower()

    def named(self, name: str) -> Connection:
        """Return the connection. Raises `StepError` (reason `missing_key`) naming the variable that lacks."""
        told, api_key = self.variable(name, "PROVIDER"), self.variable(name, "API_KEY")
        if not self.knows(name):
            raise failed("missing_key", f"the connection {name!r} is not configured: set {told} and {api_key}")
        provider = self.provider(name)
        if provider not in PROVIDERS:
            raise failed("unknown_model", f"{told} is {provider!r}: set it to one of {', '.join(PROVIDERS)}")
        vendor = PROVIDERS[provider]
        base_url = self._get(self.variable(name, "BASE_URL"), VENDOR_VARIABLES[vendor].address)
        key = self._get(api_key) or None
        return _checked(Connection(name=canonical(name), provider=provider, vendor=vendor, base_url=base_url, api_key=key), api_key)

    def usual(self, provider: str) -> Connection:
        """Return the vendor's usual settings. Raises `StepError` (reason `missing_key`) naming the variable that lacks."""
        vendor = PROVIDERS[provider]
        variables = VENDOR_VARIABLES[vendor]
        key = next((self._get(name) for name in variables.keys if self._get(name)), None)
        base_url = self._get(variables.base_url, variables.address)
        return _checked(Connection(name=None, provider=provider, vendor=vendor, base_url=base_url, api_key=key), variables.keys[0])

    def _get(self, variable: str, default: str = "") -> str:
        return self._environ.get(variable) or default


def usual_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the vendors' usual settings of an environment, without its named connections."""
    usual = {name for variables in VENDOR_VARIABLES.values() for name in (*variables.keys, variables.base_url)}
    return {name: value for name, value in environ.items() if name in usual}


def canonical(name: str) -> str:
    return name.lower().replace("-", "_")


def _checked(connection: Connection, variable: str) -> Connection:
    if connection.api_key is None and not connection.foreign:
        raise failed("missing_key", f"no key for {connection.provider!r}: set {variable}, or use a demo: model, which needs none")
    return connection
