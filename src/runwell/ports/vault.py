"""Where secrets and connections are kept, sealed; and how one is tried.

What lies outside of `scope` does not exist: `NotFound`, in the words for an unknown id. A change names the revisions
on which the caller builds: at any other, `Outdated` is raised. `SealBroken`: what is kept does not open.
"""

from collections.abc import Container
from typing import Protocol

import msgspec

from runwell.model.origins import OriginRules
from runwell.model.scope import Scope
from runwell.model.vault import NO_LIMITS, CallLimits, StoredConnection, StoredSecret, Trial
from runwell.ports.secrets import OpenConnection, Secret


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list in the order of names: what follows `after`, or what leads up to `before`."""

    limit: int = 50
    after: str | None = None
    before: str | None = None


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What is secret of a connection."""

    api_key: str | None = None
    headers: dict[str, str] = {}

    @property
    def any(self) -> bool:
        return self.api_key is not None or bool(self.headers)

    def __repr__(self) -> str:
        return "Credentials(...)"


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is not secret of a connection."""

    base_url: str | None
    headers: dict[str, str]
    origins: tuple[str, ...]
    limits: CallLimits = NO_LIMITS


class SecretStore(Protocol):
    async def page(self, scope: Scope, names: Names) -> list[StoredSecret]: ...

    async def get(self, scope: Scope, secret_id: str) -> StoredSecret: ...

    async def create(self, scope: Scope, actor: str, name: str, value: str, origins: tuple[str, ...]) -> StoredSecret:
        """Raises `Refused` when the name is taken."""
        ...

    async def change(
        self, scope: Scope, secret_id: str, revisions: Container[int], value: str | None, origins: tuple[str, ...] | None
    ) -> StoredSecret:
        """Replace the value, the origins (by which the value must be given, or `InvalidInput` is raised) or both."""
        ...

    async def delete(self, scope: Scope, secret_id: str) -> None: ...

    async def open(self, scope: Scope, name: str) -> Secret | None:
        """Return the secret in plain; None when the scope has none of this name."""
        ...


class ConnectionStore(Protocol):
    async def page(self, scope: Scope, names: Names) -> list[StoredConnection]: ...

    async def get(self, scope: Scope, connection_id: str) -> StoredConnection: ...

    async def create(
        self, scope: Scope, actor: str, name: str, type: str, settings: ConnectionSettings, credentials: Credentials
    ) -> StoredConnection:
        """Raises `Refused` when the name is taken."""
        ...

    async def change(
        self, scope: Scope, connection_id: str, revision: int, settings: ConnectionSettings, credentials: Credentials | None
    ) -> StoredConnection:
        """Replace the settings and, unless None, the credentials. Raises `InvalidInput` when kept credentials would get new origins."""
        ...

    async def delete(self, scope: Scope, connection_id: str) -> None: ...

    async def open(self, scope: Scope, name: str) -> OpenConnection | None:
        """Return the connection with its secrets in plain; None when the scope has none of this name."""
        ...

    async def types(self, scope: Scope) -> dict[str, str]:
        """Return the type of every connection of the scope, by name."""
        ...


class ConnectionTrial(Protocol):
    async def __call__(self, scope: Scope, name: str) -> Trial:
        """Make one request by way of the connection. Raises `NotFound` and `SealBroken`."""
        ...


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """`rules` say which origins may be written down here."""

    secrets: SecretStore
    connections: ConnectionStore
    trial: ConnectionTrial
    rules: OriginRules
