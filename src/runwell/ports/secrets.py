"""Secrets and connections: known to documents by name only."""

from typing import Protocol

import msgspec

from runwell.model.scope import Scope
from runwell.model.scrubber import Scrubber, credential_parts
from runwell.model.vault import NO_LIMITS, CallLimits


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret in plain. It goes to no other address than one at its `origins`; None: the operator's, bound to none."""

    name: str
    value: str
    origins: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Secret(name={self.name!r})"


class OpenConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A stored connection with its secrets in plain, which go to no other address than one at its `origins`."""

    connection_id: str
    name: str
    type: str
    base_url: str | None
    headers: dict[str, str]
    secret_headers: dict[str, str]
    api_key: str | None
    origins: tuple[str, ...]
    limits: CallLimits = NO_LIMITS

    @property
    def scrubber(self) -> Scrubber:
        """Return what takes the credentials, and their parts, out of whatever comes back."""
        return Scrubber(self.secret_values)

    @property
    def secret_values(self) -> set[str]:
        parts = [credential_parts(value) for value in self.secret_headers.values()]
        return set().union(*parts, [] if self.api_key is None else [self.api_key])

    def __repr__(self) -> str:
        return f"OpenConnection(name={self.name!r}, type={self.type!r})"


class Secrets(Protocol):
    async def reveal(self, scope: Scope, name: str) -> Secret:
        """Return the secret of the scope. Raises `StepError` `SECRET_MISSING` and `SECRET_UNREADABLE`."""
        ...

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        """Return the stored connection of the scope. Raises `StepError` `CONNECTION_MISSING` and `SECRET_UNREADABLE`."""
        ...
