"""How much the project may have going on at once."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, answers
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.route import Caller, Server, needs, router
from runwell.model.limits import Limits

routes = router("settings")

Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class NewLimits(BaseModel):
    """Limits; what is left out or null has none beyond the server's own."""

    model_config = ConfigDict(extra="forbid")

    max_running: Count | None = Field(default=None, description="Runs that work at the same time; the excess is queued.", examples=[20])
    max_queued: Count | None = Field(default=None, description="Runs that may be queued; a start beyond answers 429.", examples=[1000])


@routes.get("/v1/settings/limits", responses=answers(Limits, "The limits. Their `ETag` is what a change asks for."))
@needs("admin")
async def get_limits(caller: Caller, server: Server) -> Answer:
    """Return how much the project may have going on at once."""
    found = await server.limits.get(caller.scope)
    return Answer(found.limits, headers={"ETag": etag_of(found.revision)})


@routes.put("/v1/settings/limits", responses=answers(Limits, "The limits as they are now."))
@needs("admin")
async def put_limits(limits: NewLimits, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Set all limits of the project. They hold at once, for what begins from now on; nothing that runs is ended."""
    allowed = required_revisions(if_match, "/v1/settings/limits")
    kept = await server.limits.put(caller.scope, Limits(max_running=limits.max_running, max_queued=limits.max_queued), allowed)
    return Answer(kept.limits, headers={"ETag": etag_of(kept.revision)})
