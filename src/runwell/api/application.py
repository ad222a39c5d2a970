"""The ASGI application."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from runwell.api.access_log import AccessLog
from runwell.api.answers import REF, answer_schemas
from runwell.api.body_limit import BodyLimit
from runwell.api.console import Console
from runwell.api.metrics import CountRequests
from runwell.api.own_origin import OwnOrigin
from runwell.api.parts import Parts
from runwell.api.problems import install_problems
from runwell.api.request_id import RequestId
from runwell.api.routes import (
    agent_runs,
    agents,
    analytics,
    api_keys,
    chat_completions,
    connections,
    datasets,
    evaluators,
    experiments,
    feedback,
    health,
    holds,
    limits,
    models,
    oidc,
    pages,
    playground,
    projects,
    redaction,
    responses,
    retention,
    run_exports,
    run_marks,
    run_record,
    run_search,
    runs,
    secrets,
    session,
    setup,
    stream_tickets,
    streams,
    tasks,
    traces,
    users,
    views,
    workflow_checks,
    workflow_commands,
    workflow_runs,
    workflow_versions,
    workflows,
)
from runwell.model.version import __version__

ROUTERS = (
    health.routes,
    workflows.routes,
    workflow_versions.routes,
    workflow_checks.routes,
    workflow_commands.routes,
    agents.routes,
    agent_runs.routes,
    chat_completions.routes,
    responses.routes,
    models.routes,
    playground.routes,
    run_search.routes,
    run_exports.routes,
    runs.routes,
    analytics.routes,
    run_record.routes,
    run_marks.routes,
    workflow_runs.routes,
    tasks.routes,
    traces.routes,
    evaluators.routes,
    datasets.routes,
    experiments.routes,
    feedback.routes,
    limits.routes,
    retention.routes,
    redaction.routes,
    holds.routes,
    views.routes,
    streams.routes,
    connections.routes,
    secrets.routes,
    stream_tickets.routes,
    session.routes,
    oidc.routes,
    setup.routes,
    pages.routes,
    api_keys.routes,
    users.routes,
    projects.routes,
)


def create_app(parts: Parts) -> FastAPI:
    """Return the application over these parts."""
    app = FastAPI(title="Runwell", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False, root_path=parts.base_path)
    app.separate_input_output_schemas = False
    app.state.parts = parts
    if parts.local_only:
        app.add_middleware(OwnOrigin)
    app.add_middleware(BodyLimit, limit=parts.max_body_bytes)
    app.add_middleware(CountRequests, metrics=parts.metrics)
    app.add_middleware(AccessLog)
    app.add_middleware(RequestId)
    install_problems(app)
    for routes in ROUTERS:
        app.include_router(routes)
    app.router.default = Console(app.router.default)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, with the schemas of all answers and the problems of all operations."""
    if app.openapi_schema:
        return app.openapi_schema
    summary = "Runs AI workflows and agents, and keeps every run."
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, summary=summary)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(answer_schemas())
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, `rw_...`."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-runwell",
            "description": "Of a browser; unsafe methods need `X-CSRF-Token`, too.",
        },
    }
    document["security"] = [{"key": []}, {"session": []}]
    problem = {
        "description": "A problem (RFC 9457).",
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(name="ProblemDetails")}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"].setdefault("default", problem)
    app.openapi_schema = document
    return document
