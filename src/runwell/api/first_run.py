"""The first start: nobody can sign in, so whoever reads the server's terminal may make the first admin."""

from typing import Final

from runwell.api.credentials import hashed, new_secret
from runwell.ports.identity import Identities

SET_UP_MS: Final = 3_600_000

INVITATION_MS: Final = 7 * 24 * 3_600_000
"""How long an invitation counts."""


async def first_run_token(identities: Identities) -> str | None:
    """Return a fresh token for `/setup?token=...`, good for an hour and for one use, or None when there is a user.

    Earlier ones count no longer.
    """
    if await identities.accounts.anybody():
        return None
    token = new_secret()
    await identities.tokens.put("setup", hashed(token), {}, SET_UP_MS, only=True)
    return token
