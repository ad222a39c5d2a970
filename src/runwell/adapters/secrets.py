"""Secrets: those that are stored for the run's project, then those in the environment of this process."""

import os
from collections.abc import Awaitable, Mapping
from typing import Final, TypeVar

from runwell.model.errors import JournalUnavailable, RunwellError, SealBroken, StepError
from runwell.model.ids import DEFAULT_ORG
from runwell.model.scope import Scope
from runwell.ports.secrets import OpenConnection, Secret, Secrets
from runwell.ports.vault import ConnectionStore, SecretStore

T = TypeVar("T")

PREFIX: Final = "RUNWELL_SECRET_"
OURS: Final = frozenset({"RUNWELL_SECRET_KEY", "RUNWELL_SECRET_KEY_PREVIOUS"})
"""Settings that begin like secrets. No document may have them: they open all others."""


class EnvironmentSecrets:
    """The secret `pay-key` is the variable `RUNWELL_SECRET_PAY_KEY`. They are the default organization's: the operator's own."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    async def reveal(self, scope: Scope, name: str) -> Secret:
        if scope.org_id != DEFAULT_ORG:
            raise StepError("SECRET_MISSING", f"this project has no secret {name!r}; store it with POST /v1/secrets")
        variable = variable_of(name)
        value = None if variable in OURS else self._environ.get(variable)
        if not value:
            cure = (
                "choose another name"
                if variable in OURS
                else f"store it in the project, or set the environment variable {variable} of the server"
            )
            raise StepError("SECRET_MISSING", f"the secret {name!r} is not set; {cure}")
        return Secret(name=name, value=value)

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        raise StepError("CONNECTION_MISSING", f"this project has no stored connection {name!r}; store it with POST /v1/connections")


class StoredSecrets:
    """`Secrets` of the vault; `beside` is asked for what is not stored."""

    def __init__(self, secrets: SecretStore, connections: ConnectionStore, beside: Secrets) -> None:
        self._secrets = secrets
        self._connections = connections
        self._beside = beside

    async def reveal(self, scope: Scope, name: str) -> Secret:
        stored = await readable(self._secrets.open(scope, name), f"the secret {name!r}")
        return stored or await self._beside.reveal(scope, name)

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        stored = await readable(self._connections.open(scope, name), f"the connection {name!r}")
        return stored or await self._beside.connection(scope, name)


async def readable(opening: Awaitable[T], what: str) -> T:
    """Return what is opened. Raises `StepError` `SECRET_UNREADABLE` when it does not open."""
    try:
        return await opening
    except RunwellError as exc:
        reason = f"{exc.message}; {exc.hint}" if isinstance(exc, SealBroken) and exc.hint else exc.message
        again = isinstance(exc, JournalUnavailable)
    raise StepError("SECRET_UNREADABLE", f"{what} cannot be read: {reason}", retryable=again)


def variable_of(name: str) -> str:
    """Return the environment variable that holds the secret."""
    return PREFIX + name.upper().replace("-", "_")
