"""Checking workflow documents: nothing of them is carried out, nothing is kept."""

from typing import Any

import msgspec

from runwell.api.answers import Answer, answers
from runwell.api.document_route import CheckingRoute, DocumentSource, Source
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, needs, public, router
from runwell.api.routes.workflow_bodies import CheckBody, DraftCheckBody, Key
from runwell.model.scope import Scope
from runwell.model.workflow_views import Check, Kind

routes = router("workflows", CheckingRoute)


@routes.post("/v1/workflows/validate", responses=answers(Check, "What is wrong with the document."))
@needs("workflow:read")
async def validate_document(body: CheckBody, caller: Caller, server: Server, source: DocumentSource) -> Answer:
    """Check a document that is no workflow's yet."""
    return await _checked(server, caller.scope, body.document, source, None)


@routes.post("/v1/workflows/{key}/validate", responses=answers(Check, "What is wrong with the document."))
@needs("workflow:read")
async def validate_workflow(key: Key, caller: Caller, server: Server, source: DocumentSource, body: DraftCheckBody | None = None) -> Answer:
    """Check the draft, or the given document as this workflow's next version."""
    draft = await server.workflows.draft(caller.scope, key)
    given = body is not None and "document" in body.model_fields_set
    document = body.document if body is not None and given else msgspec.json.decode(draft.document or b"null")
    return await _checked(server, caller.scope, document, source, draft.workflow.slug, draft.workflow.kind)


async def _checked(server: Parts, scope: Scope, document: Any, source: Source, slug: str | None, kind: Kind = "workflow") -> Answer:
    found = await server.publishing.problems(scope, document, slug, kind) if source.is_readable else ()
    problems = source.located(found)
    return Answer(Check(valid=not problems, problems=problems))


@routes.get(
    "/schemas/workflow.json",
    responses={200: {"description": "The JSON Schema of workflow documents.", "content": {"application/schema+json": {}}}},
)
@public
async def get_workflow_schema(server: Server) -> Answer:
    """Return the JSON Schema of workflow documents with the step types that are installed here, for editors."""
    return Answer(server.publishing.json_schema(), headers={"Content-Type": "application/schema+json"})
