"""Workflows: made, found, changed, deleted."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Query
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.document_route import DocumentRoute, DocumentSource, Source
from runwell.api.etags import IfMatch, etag_of, required_revisions, revisions
from runwell.api.json_values import StoredText
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.workflow_bodies import DraftBody, Key, Limit, NewWorkflowBody, PageCursor, RenameBody
from runwell.api.routes.workflow_deletion import delete_whole
from runwell.model.errors import InvalidInput
from runwell.model.scope import Scope
from runwell.model.slugs import is_free_slug, is_name, slug_of
from runwell.model.workflow_views import Kind, WorkflowSummary, WorkflowView
from runwell.ports.workflows import Draft, NewWorkflow, WorkflowFilter
from runwell.query.workflows import WorkflowPage, summary_of, view_of, workflow_page

routes = router("workflows", DocumentRoute)

MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024


@routes.get("/v1/workflows", responses=answers(WorkflowPage, "A page of workflows."))
@needs("workflow:read")
async def list_workflows(
    caller: Caller,
    server: Server,
    kind: Annotated[Kind | None, Query(description="Only workflows of this kind.")] = None,
    archived: Annotated[bool, Query(description="Those that are archived, and only those.")] = False,
    q: Annotated[StoredText | None, Query(max_length=200, description="Part of the slug or name.")] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> Answer:
    """Return the workflows of the project, newest first."""
    wanted = WorkflowFilter(kind=kind, archived=archived, text=q)
    return Answer(await workflow_page(server.workflows, caller.scope, wanted, limit, cursor))


@routes.post("/v1/workflows", status_code=201, responses=answers(WorkflowView, "The workflow, with its draft's problems.", 201))
@needs("workflow:write")
async def create_workflow(body: NewWorkflowBody, caller: Caller, server: Server, source: DocumentSource) -> Answer:
    """Make a workflow with a first draft. Nothing is published yet."""
    given = body.document.get("name") if body.document else None
    name = body.name or (given if is_name(given) else None) or body.slug or "Untitled"
    slug = body.slug or slug_of(name)
    if not is_free_slug(slug):
        raise InvalidInput(
            f"the name {name!r} makes no usable slug", hint="give a slug: words of lower-case letters and digits, joined by hyphens"
        )
    document = None if body.document is None else encoded(body.document)
    new = NewWorkflow(slug=slug, name=name, kind=body.kind, document=document, actor=caller.actor)
    record = await server.workflows.create(caller.scope, new)
    return await _changed(server, caller.scope, record.id, source, 201)


@routes.get("/v1/workflows/{key}", responses=answers(WorkflowView, "The workflow with its draft."))
@needs("workflow:read")
async def get_workflow(key: Key, caller: Caller, server: Server) -> Answer:
    """Return one workflow. The `ETag` is its draft's."""
    return _shown(await server.workflows.draft(caller.scope, key))


@routes.put("/v1/workflows/{key}", responses=answers(WorkflowView, "The workflow with its new draft, and that draft's problems."))
@needs("workflow:write")
async def replace_workflow_draft(
    key: Key, body: DraftBody, caller: Caller, server: Server, source: DocumentSource, if_match: IfMatch = None
) -> Answer:
    """Replace the draft, if it is still the one that `If-Match` names."""
    allowed = required_revisions(if_match, f"/v1/workflows/{key}")
    given = body.document.get("name")
    name = given if is_name(given) else None
    record = await server.workflows.put_draft(caller.scope, key, encoded(body.document), name, allowed)
    return await _changed(server, caller.scope, record.id, source)


@routes.patch("/v1/workflows/{key}", responses=answers(WorkflowView, "The workflow."))
@needs("workflow:write")
async def rename_workflow(key: Key, body: RenameBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Change the name or the slug. Workflows that run this one by its old slug do not find it any more."""
    record = await server.workflows.rename(caller.scope, key, name=body.name, slug=body.slug, revisions=revisions(if_match))
    return _shown(await server.workflows.draft(caller.scope, record.id))


@routes.post("/v1/workflows/{key}/archive", responses=answers(WorkflowSummary, "The workflow."))
@needs("workflow:write")
async def archive_workflow(key: Key, caller: Caller, server: Server) -> Answer:
    """Hide the workflow from lists and let it start no more runs. Its runs stay, and those under way go on."""
    return Answer(summary_of(await server.workflows.archive(caller.scope, key, True)))


@routes.post("/v1/workflows/{key}/unarchive", responses=answers(WorkflowSummary, "The workflow."))
@needs("workflow:write")
async def unarchive_workflow(key: Key, caller: Caller, server: Server) -> Answer:
    """Take the workflow out of the archive."""
    return Answer(summary_of(await server.workflows.archive(caller.scope, key, False)))


@routes.delete("/v1/workflows/{key}", status_code=204, responses=no_content("The workflow, its versions and all of its runs are gone."))
@needs("workflow:write")
async def delete_workflow(
    key: Key,
    caller: Caller,
    server: Server,
    stop: Annotated[bool, Query(description="Stop the runs that are under way; without it they are a reason to refuse.")] = False,
) -> Response:
    """Delete the workflow with all of its versions and runs, for good."""
    await delete_whole(server, caller, key, stop=stop)
    return Response(status_code=204)


def encoded(document: dict[str, Any]) -> bytes:
    """Return a draft's JSON. Raises `InvalidInput` for one that is too large."""
    content = msgspec.json.encode(document)
    if len(content) > MAX_DOCUMENT_BYTES:
        hint = "keep data out of the document: give it as input, or fetch it in a step"
        raise InvalidInput(f"the document has {len(content)} bytes, more than {MAX_DOCUMENT_BYTES}", hint=hint)
    return content


async def _changed(server: Parts, scope: Scope, workflow_id: str, source: Source, status: int = 200) -> Answer:
    """Answer with a workflow whose draft was changed, and what is wrong with that."""
    draft = await server.workflows.draft(scope, workflow_id)
    document = None if draft.document is None else msgspec.json.decode(draft.document)
    problems = await server.publishing.problems(scope, document, draft.workflow.slug, draft.workflow.kind) if document is not None else ()
    return _shown(draft, source.located(problems), status)


def _shown(draft: Draft, problems: Any = None, status: int = 200) -> Answer:
    etag = etag_of(draft.workflow.revision)
    headers = {"ETag": etag} | ({"Location": f"/v1/workflows/{draft.workflow.id}"} if status == 201 else {})
    return Answer(view_of(draft, etag, problems), status, headers)
