"""A workflow's versions: published, activated, compared."""

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from runwell.api.answers import Answer, answers
from runwell.api.document_route import DocumentRoute, DocumentSource, Source
from runwell.api.etags import IfMatch, revisions
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.workflow_bodies import Key, Limit, PageCursor, PublishBody
from runwell.api.routes.workflows import encoded
from runwell.model.errors import InvalidDocument, Refused
from runwell.model.scope import Scope
from runwell.model.workflow_views import VersionSummary, VersionView, WorkflowSummary
from runwell.ports.publishing import Publishable
from runwell.ports.workflows import Draft
from runwell.query.workflow_diff import VersionDiff, step_changes, text_changes, workflow_changes
from runwell.query.workflows import VersionPage, summary_of, version_page, version_summary, version_view

routes = router("workflows", DocumentRoute)

_TEXT_BYTES: Final = 200_000
"""Documents that are larger together have no text diff: it could take minutes."""

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="The version's number.")]
NumberOrWord = Annotated[str, Path(pattern=r"^([1-9][0-9]{0,8}|latest|active)$", description="The version's number, `latest` or `active`.")]
Other = Annotated[
    str,
    Query(
        alias="with", pattern=r"^([1-9][0-9]{0,8}|latest|active|draft)$", description="A version's number, `latest`, `active` or `draft`."
    ),
]


@routes.get("/v1/workflows/{key}/versions", responses=answers(VersionPage, "A page of versions."))
@needs("workflow:read")
async def list_workflow_versions(key: Key, caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the workflow's versions, newest first, without their documents."""
    workflow = await server.workflows.get(caller.scope, key)
    return Answer(await version_page(server.workflows, caller.scope, workflow.id, limit, cursor))


@routes.post(
    "/v1/workflows/{key}/versions",
    status_code=201,
    responses={
        **answers(VersionSummary, "The new version.", 201),
        **answers(VersionSummary, "The version that has this document already.", 200),
    },
)
@needs("workflow:write")
async def publish_workflow(
    key: Key, caller: Caller, server: Server, source: DocumentSource, body: PublishBody | None = None, if_match: IfMatch = None
) -> Answer:
    """Publish the draft, or the given document, as the next version. One that is not valid is refused with all its problems."""
    body = body or PublishBody()
    draft = await server.workflows.draft(caller.scope, key)
    document = await _publishable(server, caller.scope, draft, body, source)
    published = await server.workflows.publish(
        caller.scope,
        draft.workflow.id,
        document,
        activate=body.activate,
        note=body.note,
        actor=caller.actor,
        revisions=revisions(if_match),
    )
    place = f"/v1/workflows/{draft.workflow.id}/versions/{published.version.number}"
    return Answer(version_summary(draft.workflow.id, published.version), 201 if published.new else 200, {"Location": place})


async def _publishable(server: Parts, scope: Scope, draft: Draft, body: PublishBody, source: Source) -> Publishable:
    if body.document is None and draft.document is None:
        raise Refused(f"the workflow {draft.workflow.slug!r} has no draft to publish", hint="PUT one, or send a document along")
    document = msgspec.json.decode(draft.document or b"null") if body.document is None else body.document
    encoded(document)
    try:
        return await server.publishing.prepare(scope, document, draft.workflow.slug, draft.workflow.kind)
    except InvalidDocument as exc:
        raise InvalidDocument(exc.message, hint=exc.hint, problems=source.located(exc.problems)) from exc


@routes.get("/v1/workflows/{key}/versions/{number}", responses=answers(VersionView, "The version with its document."))
@needs("workflow:read")
async def get_workflow_version(key: Key, number: NumberOrWord, caller: Caller, server: Server) -> Answer:
    """Return one version. It never changes."""
    workflow = await server.workflows.get(caller.scope, key)
    record, body = await server.workflows.version(caller.scope, workflow.id, _number(number))
    return Answer(version_view(workflow.id, record, body))


@routes.post("/v1/workflows/{key}/versions/{number}/activate", responses=answers(WorkflowSummary, "The workflow."))
@needs("workflow:write")
async def activate_workflow_version(key: Key, number: Number, caller: Caller, server: Server) -> Answer:
    """Let runs start with this version from now on. Runs under way go on with theirs."""
    return Answer(summary_of(await server.workflows.activate(caller.scope, key, number)))


@routes.get("/v1/workflows/{key}/versions/{number}/diff", responses=answers(VersionDiff, "What changes."))
@needs("workflow:read")
async def diff_workflow_versions(key: Key, number: NumberOrWord, caller: Caller, server: Server, other: Other = "draft") -> Answer:
    """Return what changes from this version to another one, or to the draft: by step and field, and as lines of YAML."""
    workflow = await server.workflows.get(caller.scope, key)
    record, body = await server.workflows.version(caller.scope, workflow.id, _number(number))
    to: int | Literal["draft"] = "draft"
    if other == "draft":
        content = (await server.workflows.draft(caller.scope, workflow.id)).document or b"null"
    else:
        target, content = await server.workflows.version(caller.scope, workflow.id, _number(other))
        to = target.number
    return Answer(await asyncio.to_thread(_diff, server, workflow.id, record.number, to, body, content))


def _diff(server: Parts, workflow_id: str, from_: int, to: int | Literal["draft"], body: bytes, content: bytes) -> VersionDiff:
    old, new = msgspec.json.decode(body), msgspec.json.decode(content)
    fields, steps, text = workflow_changes(old, new), step_changes(old, new), None
    if len(body) + len(content) <= _TEXT_BYTES:
        write = server.document_text.write
        text = text_changes(write(old), write(new), f"version {from_}", _name(to))
    same = not (fields or steps.added or steps.removed or steps.changed or steps.reordered)
    return VersionDiff(workflow_id=workflow_id, from_=from_, to=to, identical=same, fields=fields, steps=steps, text=text)


def _name(version: int | str) -> str:
    return version if isinstance(version, str) else f"version {version}"


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text
