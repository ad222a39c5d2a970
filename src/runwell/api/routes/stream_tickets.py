"""Tickets with which browsers open streams."""

import msgspec

from runwell.api.answers import Answer, SecretAnswer, answers
from runwell.api.authentication import Entry
from runwell.api.route import Caller, needs, router
from runwell.api.tickets import TICKET_MS, issue_ticket
from runwell.model.times import rfc3339

routes = router("streams")


class StreamTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Good for one use until `expires_at`: open a stream with `?ticket=`."""

    ticket: str
    expires_at: str


@routes.post("/v1/stream-tickets", status_code=201, responses=answers(StreamTicket, "The ticket, for one use.", 201))
@needs("workflow:read")
async def create_stream_ticket(caller: Caller, entry: Entry) -> Answer:
    """Make a ticket that opens one stream within 30 seconds, with what the caller may do."""
    expires_at = rfc3339(entry.clock.now() + TICKET_MS)
    return SecretAnswer(StreamTicket(ticket=await issue_ticket(entry, caller), expires_at=expires_at), 201)
