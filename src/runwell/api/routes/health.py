"""Is the server there, and can it work?"""

from typing import Literal

import msgspec
from starlette.responses import Response

from runwell.api.answers import Answer, answers
from runwell.api.route import Server, public, router
from runwell.model.errors import JournalUnavailable

routes = router("health")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["ok"] = "ok"


@routes.get("/healthz", responses=answers(Health, "The process is alive."))
@public
async def get_health() -> Answer:
    """Answer while the process is alive."""
    return Answer(Health())


@routes.get("/metrics", responses={200: {"description": "Numbers in Prometheus' text format.", "content": {"text/plain": {}}}})
@public
async def get_metrics(server: Server) -> Response:
    """Return what Prometheus collects; it names no organization, workflow or run."""
    return Response(server.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@routes.get("/readyz", responses=answers(Health, "Requests are served."))
@public
async def get_readiness(server: Server) -> Answer:
    """Answer with 200 once the journal answers; with 503 while it does not, or keeps nothing because its disk is full."""
    if server.runs.trouble() is not None:
        raise JournalUnavailable("what happens cannot be kept just now", hint="the server's log says why; it is tried again and again")
    await server.journal.position()
    return Answer(Health())
