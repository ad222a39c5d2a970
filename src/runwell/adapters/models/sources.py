"""Whose connections a model call may use: those stored for the project, then what the operator's environment describes.

The environment is the default organization's. With `share_keys` (`RUNWELL_SHARE_MODEL_KEYS`) the vendors' usual keys in it
serve every organization; its named connections never do.
"""

from collections.abc import Callable, Mapping

from runwell.adapters.models.connections import PROVIDERS, VENDOR_VARIABLES, Connection, Connections, usual_variables
from runwell.adapters.models.failures import failed
from runwell.adapters.secrets import readable
from runwell.model.errors import StepError
from runwell.model.ids import DEFAULT_ORG
from runwell.model.model_call import KeySource
from runwell.model.scope import Scope
from runwell.ports.secrets import OpenConnection
from runwell.ports.vault import ConnectionStore


class ModelSources:
    """The connections of every scope."""

    def __init__(self, environ: Mapping[str, str], store: ConnectionStore | None = None, *, share_keys: bool = False) -> None:
        self._operators = Connections(environ)
        self._tenants = Connections(usual_variables(environ) if share_keys else {}, lent=True)
        self._store = store

    def environment(self, scope: Scope) -> Connections:
        """Return what the environment holds for the scope."""
        return self._operators if scope.org_id == DEFAULT_ORG else self._tenants

    async def named(self, scope: Scope, name: str) -> Connection:
        """Return the connection of this name. Raises `StepError`."""
        stored = await self.stored(scope, name)
        return stored or _told(self.environment(scope).named, scope, name)

    def usual(self, scope: Scope, provider: str) -> Connection:
        """Return the vendor's usual settings in the environment. Raises `StepError`."""
        return _told(self.environment(scope).usual, scope, provider)

    def key_source(self, scope: Scope, connection: Connection) -> KeySource:
        """Return whose key the connection has: what the operator's environment lends to other organizations is a fallback."""
        if connection.api_key is None:
            return "none"
        return "own" if connection.stored_id is not None or scope.org_id == DEFAULT_ORG else "fallback"

    async def stored(self, scope: Scope, name: str) -> Connection | None:
        """Return the stored connection of this name. Raises `StepError` for one that answers no models."""
        if self._store is None:
            return None
        found = await readable(self._store.open(scope, name.lower()), f"the connection {name!r}")
        return None if found is None else _connection(found)


def _connection(found: OpenConnection) -> Connection:
    if found.type not in PROVIDERS:
        raise failed("bad_request", f"the connection {found.name!r} is of type {found.type!r}, which answers no models: name another")
    vendor = PROVIDERS[found.type]
    connection = Connection(
        name=found.name,
        provider=found.type,
        vendor=vendor,
        base_url=found.base_url or VENDOR_VARIABLES[vendor].address,
        api_key=found.api_key,
        stored_id=found.connection_id,
        origins=found.origins,
        headers=tuple(sorted(found.headers.items())),
        limits=found.limits,
    )
    if connection.api_key is None and not connection.foreign and not VENDOR_VARIABLES[vendor].keyless:
        raise failed("missing_key", f"the connection {found.name!r} has no api_key: give it one")
    return connection


def _told(find: Callable[[str], Connection], scope: Scope, name: str) -> Connection:
    """Look into the environment; whoever is not its operator is told what they can do themselves."""
    try:
        return find(name)
    except StepError as exc:
        if scope.org_id == DEFAULT_ORG or (exc.details or {}).get("reason") != "missing_key":
            raise
    raise failed("missing_key", f"this project has no connection for {name!r}: store one of this name with POST /v1/connections")
