"""The projects of the caller's organization, and the organization itself."""

from typing import Annotated

import msgspec
from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, answers
from runwell.api.authentication import Entry
from runwell.api.ids import ProjectId
from runwell.api.keyset import Cursor, Limit, cursors, window
from runwell.api.route import Caller, needs, router
from runwell.api.texts import Name
from runwell.model.identity import Organization, Project

routes = router("projects")

Id = Annotated[ProjectId, Path(description="The project's id, or its bare UUID.")]
Slug = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["support"])]


class ProjectRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    slug: Slug = Field(description="The name in addresses; it never changes.")


class ProjectUpdate(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    archived: bool | None = Field(None, description="An archived project can be read, and that is all.")


class OrganizationUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name


class ProjectList(msgspec.Struct, frozen=True, kw_only=True):
    data: list[Project]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.get("/v1/projects", responses=answers(ProjectList, "Projects, oldest first."))
@needs("workflow:read")
async def list_projects(caller: Caller, entry: Entry, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """List the projects of the organization that the caller may enter: a key its own, an organization admin all."""
    asked = window(limit, cursor)
    found = await entry.identities.organizations.projects(caller.scope, asked, of=caller)
    return Answer(ProjectList(data=found.items, **cursors(asked, found)))


@routes.get("/v1/projects/{project_id}", responses=answers(Project, "The project."))
@needs("workflow:read")
async def get_project(project_id: Id, caller: Caller, entry: Entry) -> Answer:
    """Return one project that the caller may enter."""
    return Answer(await entry.identities.organizations.project(caller.scope, project_id, of=caller))


@routes.post("/v1/projects", status_code=201, responses=answers(Project, "The project.", 201))
@needs("organization")
async def create_project(body: ProjectRequest, caller: Caller, entry: Entry) -> Answer:
    """Create a project in the organization."""
    return Answer(await entry.identities.organizations.create_project(caller.scope, body.slug, body.name), 201)


@routes.patch("/v1/projects/{project_id}", responses=answers(Project, "The project as it is now."))
@needs("organization")
async def update_project(project_id: Id, body: ProjectUpdate, caller: Caller, entry: Entry) -> Answer:
    """Rename, archive or restore a project. The last one that is not archived stays so (409)."""
    changed = entry.identities.organizations.update_project(caller.scope, project_id, name=body.name, archived=body.archived)
    return Answer(await changed)


@routes.get("/v1/organization", responses=answers(Organization, "The organization."))
@needs("workflow:read")
async def get_organization(caller: Caller, entry: Entry) -> Answer:
    """Return the caller's organization."""
    return Answer(await entry.identities.organizations.get(caller.scope))


@routes.patch("/v1/organization", responses=answers(Organization, "The organization as it is now."))
@needs("organization")
async def update_organization(body: OrganizationUpdate, caller: Caller, entry: Entry) -> Answer:
    """Rename the organization."""
    return Answer(await entry.identities.organizations.rename(caller.scope, body.name))
