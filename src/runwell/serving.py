"""The server: the embedded runtime and the HTTP interface over it, in one process."""

import msgspec

from runwell.adapters.oidc import OidcProvider
from runwell.api.access import Access, AccessRules
from runwell.api.authentication import Authentication
from runwell.api.first_run import first_run_token
from runwell.api.parts import Parts
from runwell.api.passwords import Passwords
from runwell.api.throttle import SignInThrottle
from runwell.bootstrap import App
from runwell.ports.clock import Clock
from runwell.runtime.clock import SystemClock
from runwell.runtime.hosted import HostedRuns
from runwell.settings import Settings


def parts_for(app: App) -> Parts:
    """Return what the HTTP interface is made of. Whoever reaches it is the local user: for loopback only."""
    access = None
    if app.identities is not None:
        clock = SystemClock()
        access = Access(identities=app.identities, clock=clock, passwords=Passwords(), throttle=SignInThrottle(clock))
    return Parts(runs=HostedRuns(app.runtime), journal=app.journal, definitions=app.definitions, access=access)


def with_sign_in(parts: Parts, settings: Settings, *, loopback: bool) -> Parts:
    """Return the parts of a server that lets in only who has a key or a session. `loopback`: it listens there only.

    Close `access.provider` at the end, where there is one. Raises `InvalidInput` for settings that cannot be.
    """
    if parts.access is None:
        raise RuntimeError("sign-in needs identities: open the app with open_app")
    rules = AccessRules(loopback=loopback, allowed_origins=settings.allowed_origins, oidc_default_role=settings.oidc_default_role)
    access = msgspec.structs.replace(parts.access, rules=rules, provider=_provider(settings, parts.access.clock))
    return msgspec.structs.replace(parts, access=access, authenticate=Authentication(access))


def _provider(settings: Settings, clock: Clock) -> OidcProvider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.oidc_client_secret is None:
        return None
    return OidcProvider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, clock)


async def set_up_link(parts: Parts, address: str) -> str | None:
    """Return the one-time link of a first start, below the server's address; None once there is a user."""
    token = None if parts.access is None else await first_run_token(parts.access.identities)
    return None if token is None else f"{address.rstrip('/')}/setup?token={token}"
