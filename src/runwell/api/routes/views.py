"""Saved views: searches that somebody keeps, for themselves or for everybody in the project."""

import time
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.errors import Forbidden
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.ids import ViewId
from runwell.api.json_values import KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import Limit, PageCursor
from runwell.model.saved_views import SavedView, ViewSettings
from runwell.ports.views import Reader
from runwell.query.views import ViewPage, reader_of, see_that_it_works
from runwell.query.views import list_views as page_of_views
from runwell.search.parser import MAX_LENGTH

routes = router("views")

Id = Annotated[ViewId, Path(description="The view's id, or its bare UUID.")]
Column = Annotated[KeptText, Field(min_length=1, max_length=200)]


class ViewBody(BaseModel):
    """A search that is kept."""

    model_config = ConfigDict(extra="forbid")

    name: KeptText = Field(min_length=1, max_length=100, examples=["Failed refunds"])
    query: KeptText = Field(
        default="",
        max_length=MAX_LENGTH,
        description="In the search language; refused where it cannot be read.",
        examples=["status:failed workflow:refunds"],
    )
    columns: list[Column] = Field(default=[], max_length=50, description="What the screen shows, in order.", examples=[["status", "cost"]])
    sort: list[Column] = Field(default=[], max_length=5, description="Fields by which the screen sorts; `-` before one turns it round.")
    visibility: Literal["private", "shared"] = Field(
        default="private", description="Whether others see it. Sharing needs `workflow:write`."
    )
    default: bool = Field(default=False, description="Lists begin with it; it takes the place of the owner's default before.")

    def settings(self) -> ViewSettings:
        return ViewSettings(**{**self.model_dump(), "columns": tuple(self.columns), "sort": tuple(self.sort)})


@routes.get("/v1/views", responses=answers(ViewPage, "A page of views."))
@needs("workflow:read")
async def list_views(caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the views that one sees: one's own, and those that others share."""
    return Answer(await page_of_views(server.views, reader_of(caller), limit, cursor))


@routes.post("/v1/views", status_code=201, responses=answers(SavedView, "The view.", 201))
@needs("workflow:read")
async def create_view(body: ViewBody, caller: Caller, server: Server) -> Answer:
    """Keep a view. Everybody may keep private ones."""
    return _shown(await server.views.create(_reader(caller, body), _working(body)), 201)


@routes.get("/v1/views/{view_id}", responses=answers(SavedView, "The view."))
@needs("workflow:read")
async def get_view(view_id: Id, caller: Caller, server: Server) -> Answer:
    """Return one view. Its `ETag` is what a change is based on."""
    return _shown(await server.views.get(reader_of(caller), view_id))


@routes.put("/v1/views/{view_id}", responses=answers(SavedView, "The view as it is now."))
@needs("workflow:read")
async def replace_view(view_id: Id, body: ViewBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Change a view of one's own; an admin may change what others share."""
    revisions = required_revisions(if_match, f"/v1/views/{view_id}")
    return _shown(await server.views.change(_reader(caller, body), view_id, revisions, _working(body)))


@routes.delete("/v1/views/{view_id}", status_code=204, responses=no_content("It is gone."))
@needs("workflow:read")
async def delete_view(view_id: Id, caller: Caller, server: Server) -> Response:
    """Delete a view of one's own; an admin may delete what others share."""
    await server.views.delete(reader_of(caller), view_id)
    return Response(status_code=204)


def _working(body: ViewBody) -> ViewSettings:
    settings = body.settings()
    see_that_it_works(settings, int(time.time() * 1000))
    return settings


def _reader(caller: Caller, body: ViewBody) -> Reader:
    reader = reader_of(caller)
    if body.visibility == "shared" and not reader.shares:
        raise Forbidden("sharing a view needs the permission 'workflow:write'", hint="keep it private")
    return reader


def _shown(view: SavedView, status: int = 200) -> Answer:
    headers = {"ETag": etag_of(view.revision), **({"Location": f"/v1/views/{view.id}"} if status == 201 else {})}
    return Answer(view, status, headers)
