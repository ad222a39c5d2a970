"""Agents: workflows of that kind, whose document is one agent. What is not here is done under the same id at `/v1/workflows`."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import Field
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.document_route import DocumentRoute, DocumentSource
from runwell.api.etags import IfMatch
from runwell.api.json_values import JsonObject, StoredText
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes import workflow_versions, workflows
from runwell.api.routes.workflow_bodies import Body, DraftBody, Limit, Name, NewWorkflowBody, PageCursor, PublishBody, Slug
from runwell.model.errors import NotFound
from runwell.model.workflow_views import VersionSummary, WorkflowView
from runwell.ports.workflows import WorkflowRecord
from runwell.query.workflows import VersionPage, WorkflowPage

routes = router("agents", DocumentRoute)

_EXAMPLE: Final = {"name": "support", "steps": [{"id": "agent", "type": "agent", "model": "openai:gpt-5-mini", "instructions": "Help."}]}


AgentKey = Annotated[str, Path(max_length=300, description="The agent's id, its bare UUID, or its slug.")]


async def _agent(agent_id: AgentKey, caller: Caller, server: Server) -> WorkflowRecord:
    try:
        found = await server.workflows.get(caller.scope, agent_id)
    except NotFound:
        found = None
    if found is None or found.kind != "agent":
        raise NotFound(f"there is no agent {agent_id!r}")
    return found


FoundAgent = Annotated[WorkflowRecord, Depends(_agent)]
"""The agent of the path, which is within the caller's scope."""


class NewAgentBody(Body):
    """An agent to be made. The document is its first draft: it may be incomplete, and its problems are told."""

    slug: Slug | None = Field(default=None, description="Left out: made from the name.")
    name: Name | None = Field(default=None, description="Left out: the document's name.")
    document: JsonObject | None = Field(default=None, description="A workflow document whose one step is an agent.", examples=[_EXAMPLE])


@routes.get("/v1/agents", responses=answers(WorkflowPage, "A page of agents."))
@needs("workflow:read")
async def list_agents(
    caller: Caller,
    server: Server,
    archived: Annotated[bool, Query(description="Those that are archived, and only those.")] = False,
    q: Annotated[StoredText | None, Query(max_length=200, description="Part of the slug or name.")] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> Answer:
    """Return the agents of the project, newest first."""
    return await workflows.list_workflows(caller, server, "agent", archived, q, limit, cursor)


@routes.post("/v1/agents", status_code=201, responses=answers(WorkflowView, "The agent, with its draft's problems.", 201))
@needs("workflow:write")
async def create_agent(body: NewAgentBody, caller: Caller, server: Server, source: DocumentSource) -> Answer:
    """Make an agent with a first draft. Nothing is published yet."""
    new = NewWorkflowBody(slug=body.slug, name=body.name, kind="agent", document=body.document)
    return await workflows.create_workflow(new, caller, server, source)


@routes.get("/v1/agents/{agent_id}", responses=answers(WorkflowView, "The agent with its draft."))
@needs("workflow:read")
async def get_agent(agent: FoundAgent, caller: Caller, server: Server) -> Answer:
    """Return one agent. The `ETag` is its draft's."""
    return await workflows.get_workflow(agent.id, caller, server)


@routes.put("/v1/agents/{agent_id}", responses=answers(WorkflowView, "The agent with its new draft, and that draft's problems."))
@needs("workflow:write")
async def replace_agent_draft(
    agent: FoundAgent, body: DraftBody, caller: Caller, server: Server, source: DocumentSource, if_match: IfMatch = None
) -> Answer:
    """Replace the draft, if it is still the one that `If-Match` names."""
    return await workflows.replace_workflow_draft(agent.id, body, caller, server, source, if_match)


@routes.delete("/v1/agents/{agent_id}", status_code=204, responses=no_content("The agent, its versions and all of its runs are gone."))
@needs("workflow:write")
async def delete_agent(
    agent: FoundAgent,
    caller: Caller,
    server: Server,
    stop: Annotated[bool, Query(description="Stop the runs that are under way; without it they are a reason to refuse.")] = False,
) -> Response:
    """Delete the agent with all of its versions and runs, for good."""
    return await workflows.delete_workflow(agent.id, caller, server, stop)


@routes.get("/v1/agents/{agent_id}/versions", responses=answers(VersionPage, "A page of versions."))
@needs("workflow:read")
async def list_agent_versions(agent: FoundAgent, caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the agent's versions, newest first, without their documents."""
    return await workflow_versions.list_workflow_versions(agent.id, caller, server, limit, cursor)


@routes.post(
    "/v1/agents/{agent_id}/versions",
    status_code=201,
    responses={
        **answers(VersionSummary, "The new version.", 201),
        **answers(VersionSummary, "The version that has this document already.", 200),
    },
)
@needs("workflow:write")
async def publish_agent(
    agent: FoundAgent, caller: Caller, server: Server, source: DocumentSource, body: PublishBody | None = None, if_match: IfMatch = None
) -> Answer:
    """Publish the draft, or the given document, as the next version. One that is not valid is refused with all its problems."""
    return await workflow_versions.publish_workflow(agent.id, caller, server, source, body, if_match)
