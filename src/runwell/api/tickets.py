"""Tickets for streams: browsers cannot send headers with a WebSocket or an `EventSource`, and an address with a key in it
would lie about in logs. A ticket is good for one use within seconds, and for what its buyer may do."""

from typing import Final

import msgspec

from runwell.api.access import Access
from runwell.api.credentials import hashed, new_secret
from runwell.model.principal import Principal

TICKET_MS: Final = 30_000


async def issue_ticket(access: Access, principal: Principal) -> str:
    ticket = new_secret()
    await access.identities.tokens.put("stream", hashed(ticket), msgspec.to_builtins(principal), TICKET_MS)
    return ticket


async def redeem_ticket(access: Access, ticket: str) -> Principal | None:
    """Use the ticket up; return whom it lets in, None when it is unknown, late or used."""
    data = await access.identities.tokens.take("stream", hashed(ticket))
    return None if data is None else msgspec.convert(data, Principal)
