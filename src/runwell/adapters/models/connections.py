"""Connections: where a provider is reached and with which key, from the environment.

A named connection is three variables, of which `PROVIDER` defaults to `openai` (any server that speaks its protocol):

    RUNWELL_CONNECTION_<NAME>_PROVIDER   openai, openai-chat, openai-responses, anthropic, google, mistral, groq, azure, bedrock, ollama
    RUNWELL_CONNECTION_<NAME>_BASE_URL   optional; a key is then optional too, as many local servers want none
    RUNWELL_CONNECTION_<NAME>_API_KEY

and, to hold calls back: `..._MAX_CONCURRENT`, `..._REQUESTS_PER_MINUTE`, `..._TIMEOUT_S`.

Names ignore case, and `-` is `_`: the connection `my-gateway` is `RUNWELL_CONNECTION_MY_GATEWAY_...`. A model of it is
`my-gateway:llama3`, or `openai:llama3` with `connection: my-gateway`. Without a connection, a provider's usual variables
count (`VENDOR_VARIABLES`). A connection's key never reaches another connection's address.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

from runwell.adapters.models.failures import failed
from runwell.model.vault import ADDRESSES, FAMILIES, NO_LIMITS, CallLimits

T = TypeVar("T", int, float)

Vendor = Literal["openai", "anthropic", "google", "mistral", "groq", "azure", "bedrock", "ollama"]
Protocol = Literal["openai", "anthropic", "google", "mistral"]


class _Facts(NamedTuple):
    """A vendor's usual variables, the first one set wins; its own address, or what its hosts are like; and what it speaks.

    `keyless`: it wants no key. `prices` is its name in the price table.
    """

    keys: tuple[str, ...]
    base_url: str
    address: str = ""
    hosts: str = ""
    protocol: Protocol = "openai"
    keyless: bool = False
    prices: str | None = None


VENDOR_VARIABLES: Final[dict[Vendor, _Facts]] = {
    "openai": _Facts(("OPENAI_API_KEY",), "OPENAI_BASE_URL", ADDRESSES["openai"], prices="openai"),
    "anthropic": _Facts(("ANTHROPIC_API_KEY",), "ANTHROPIC_BASE_URL", ADDRESSES["anthropic"], protocol="anthropic", prices="anthropic"),
    "google": _Facts(
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"), "GOOGLE_GEMINI_BASE_URL", ADDRESSES["google"], protocol="google", prices="google"
    ),
    "mistral": _Facts(("MISTRAL_API_KEY",), "MISTRAL_BASE_URL", ADDRESSES["mistral"], protocol="mistral", prices="mistral"),
    "groq": _Facts(("GROQ_API_KEY",), "GROQ_BASE_URL", ADDRESSES["groq"], prices="groq"),
    "azure": _Facts(
        ("AZURE_OPENAI_API_KEY",),
        "AZURE_OPENAI_BASE_URL",
        hosts=r"[a-z0-9-]+\.(openai|services\.ai|cognitiveservices)\.azure\.com",
        prices="azure",
    ),
    "bedrock": _Facts(("AWS_BEARER_TOKEN_BEDROCK",), "BEDROCK_BASE_URL", hosts=r"bedrock-mantle\.[a-z0-9-]+\.api\.aws", prices="aws"),
    "ollama": _Facts(("OLLAMA_API_KEY",), "OLLAMA_BASE_URL", ADDRESSES["ollama"], keyless=True),
}

PROVIDERS: Final[dict[str, Vendor]] = {name: cast(Vendor, family) for name, family in FAMILIES.items()}
"""From what a model or a connection may name as its provider to the vendor that answers."""

_NAMED = re.compile(r"^RUNWELL_CONNECTION_([A-Z0-9_]+?)_(PROVIDER|BASE_URL|API_KEY|MAX_CONCURRENT|REQUESTS_PER_MINUTE|TIMEOUT_S)$")


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
    limits: CallLimits = NO_LIMITS

    @property
    def foreign(self) -> bool:
        facts = VENDOR_VARIABLES[self.vendor]
        if facts.hosts:
            return re.fullmatch(facts.hosts, urlsplit(self.base_url).hostname or "") is None
        return self.base_url.rstrip("/") != facts.address

    @property
    def protocol(self) -> Protocol:
        return VENDOR_VARIABLES[self.vendor].protocol

    @property
    def imitates(self) -> bool:
        """Whether the server speaks a vendor's protocol without being the vendor: it may know less of it."""
        return self.foreign or self.vendor in ("groq", "ollama")

    def __repr__(self) -> str:
        return f"Connection(name={self.name!r}, provider={self.provider!r}, base_url={self.base_url!r})"


class Connections:
    """The connections that an environment describes."""

    def __init__(self, environ: Mapping[str, str], *, lent: bool = False) -> None:
        """With `lent`, the environment is another's: what needs no key is there only if its address is set."""
        self._lent = lent
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
        connection = Connection(
            name=canonical(name), provider=provider, vendor=vendor, base_url=base_url, api_key=key, limits=self._limits(name)
        )
        return _checked(connection, api_key, self.variable(name, "BASE_URL"))

    def usual(self, provider: str) -> Connection:
        """Return the vendor's usual settings. Raises `StepError` (reason `missing_key`) naming the variable that lacks."""
        vendor = PROVIDERS[provider]
        variables = VENDOR_VARIABLES[vendor]
        key = next((self._get(name) for name in variables.keys if self._get(name)), None)
        base_url = self._get(variables.base_url, variables.address)
        connection = Connection(name=None, provider=provider, vendor=vendor, base_url=base_url, api_key=key)
        if variables.keyless and self._lent and key is None and not self._get(variables.base_url):
            raise failed("missing_key", f"no address for {provider!r}: set {variables.base_url}")
        return _checked(connection, variables.keys[0], variables.base_url)

    def _limits(self, name: str) -> CallLimits:
        """Raises `StepError` (reason `bad_request`) for what is no positive number."""

        def number(suffix: str, kind: Callable[[str], T]) -> T | None:
            text = self._get(variable := self.variable(name, suffix))
            if not text:
                return None
            try:
                value = kind(text)
            except ValueError:
                raise failed("bad_request", f"{variable} is {text!r}, which is no number") from None
            if not 0 < float(str(value)) < math.inf:
                raise failed("bad_request", f"{variable} is {text!r}: set a positive number")
            return value

        return CallLimits(
            max_concurrent=number("MAX_CONCURRENT", int),
            requests_per_minute=number("REQUESTS_PER_MINUTE", int),
            timeout_s=number("TIMEOUT_S", float),
        )

    def _get(self, variable: str, default: str = "") -> str:
        return self._environ.get(variable) or default


def usual_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the vendors' usual settings of an environment, without its named connections."""
    usual = {name for variables in VENDOR_VARIABLES.values() for name in (*variables.keys, variables.base_url)}
    return {name: value for name, value in environ.items() if name in usual}


def addresses(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say which provider answers, and where; no keys."""
    usual = {variables.base_url for variables in VENDOR_VARIABLES.values()}
    matches = {name: _NAMED.match(name) for name in environ}
    told = {name for name, match in matches.items() if match is not None and match[2] in ("PROVIDER", "BASE_URL")}
    return {name: value for name, value in sorted(environ.items()) if name in usual | told}


def canonical(name: str) -> str:
    return name.lower().replace("-", "_")


def _checked(connection: Connection, variable: str, address: str) -> Connection:
    facts = VENDOR_VARIABLES[connection.vendor]
    if not connection.base_url:
        raise failed("missing_key", f"no address for {connection.provider!r}: set {address}")
    if connection.api_key is None and not connection.foreign and not facts.keyless:
        raise failed("missing_key", f"no key for {connection.provider!r}: set {variable}, or use a demo: model, which needs none")
    return connection
