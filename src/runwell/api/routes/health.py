"""Is the server there, and can it work?"""

from typing import Literal

import msgspec

from runwell.api.answers import Answer, answers
from runwell.api.route import Server, public, router

routes = router("health")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["ok"] = "ok"


@routes.get("/healthz", responses=answers(Health, "The process is alive."))
@public
async def get_health() -> Answer:
    """Answer while the process is alive."""
    return Answer(Health())


@routes.get("/readyz", responses=answers(Health, "Requests are served."))
@public
async def get_readiness(server: Server) -> Answer:
    """Answer with 200 once the journal answers; with 503 while it does not."""
    await server.journal.position()
    return Answer(Health())
