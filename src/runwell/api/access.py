"""What sign-in is made of."""

import msgspec

from runwell.api.passwords import Passwords
from runwell.api.throttle import SignInThrottle
from runwell.model.principal import Role
from runwell.ports.clock import Clock
from runwell.ports.identity import Identities
from runwell.ports.identity_provider import IdentityProvider


class AccessRules(msgspec.Struct, frozen=True, kw_only=True):
    """`loopback`: the server listens on loopback only, so that browsers may come without TLS.

    `allowed_origins` are origins beside the server's own from which browsers may change things.
    `oidc_default_role`: somebody unknown whom the identity provider vouches for becomes a user with this role.
    """

    loopback: bool = False
    allowed_origins: tuple[str, ...] = ()
    oidc_default_role: Role | None = None


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """`provider` is None where nobody signs in through OIDC."""

    identities: Identities
    clock: Clock
    passwords: Passwords
    throttle: SignInThrottle
    rules: AccessRules = AccessRules()
    provider: IdentityProvider | None = None
