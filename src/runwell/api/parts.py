"""What the HTTP interface is made of: handed to `create_app`, found by each route."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from runwell.api.access import Access
from runwell.api.feedback_limits import FeedbackLimits
from runwell.api.metrics import Metrics
from runwell.model.principal import LOCAL, Principal
from runwell.model.redaction import Redaction
from runwell.model.redactor import Redactor
from runwell.model.retention import Retention
from runwell.model.server_settings import ServerSetting
from runwell.ports.evaluations import Evaluation
from runwell.ports.feedback import FeedbackTokens
from runwell.ports.holds import Holds
from runwell.ports.journal import Definitions, Journal
from runwell.ports.limits import LimitSettings
from runwell.ports.models import ModelNames
from runwell.ports.playground import Playground
from runwell.ports.project_settings import ProjectSettings
from runwell.ports.projection import Projection
from runwell.ports.publishing import DocumentText, Publishing
from runwell.ports.run_store import RunStore
from runwell.ports.runs import Runs
from runwell.ports.tools import Tools
from runwell.ports.traces import OtlpForm, Traces
from runwell.ports.vault import Vault
from runwell.ports.views import SavedViews
from runwell.ports.workflows import Workflows
from runwell.query.chat_workflow import ChatWorkflow
from runwell.query.following import Streams

Authenticate = Callable[[HTTPConnection], Awaitable[Principal | None]]
"""From a request's credentials to who sends it; None when there are none that count."""

RedeemTicket = Callable[[str], Awaitable[Principal | None]]
"""From a one-use ticket to whom it was given; None when it does not count any more."""

Around = Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]
"""What happens around every operation of a known caller: rate limits, idempotency keys."""


async def anybody(connection: HTTPConnection) -> Principal | None:
    return LOCAL


def welcome(connection: HTTPConnection) -> None:
    """Count nobody."""


async def _directly(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    return await handler(request)


def _now() -> int:
    """Return ms since 1970."""
    return time.time_ns() // 1_000_000


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """`authenticate` as it is by default lets everybody be the local user. `otlp`: in which forms traces are taken, by media type.

    `strangers` is told of each request without valid credentials, and raises `TooManyRequests` when there were too many.
    `redactor_for` raises `InvalidInput` for rules that cannot be followed.
    `local_only`: only what comes from this machine itself, and from no other site's page, is answered.
    `base_path`: below which a proxy serves it, as `/runwell`; empty: at the root.
    `allowed_origins`: of pages beyond the server's own that may open a WebSocket (`https://app.example`).
    """

    runs: Runs
    journal: Journal
    definitions: Definitions
    vault: Vault
    tools: Tools
    streams: Streams
    workflows: Workflows
    views: SavedViews
    run_store: RunStore
    projection: Projection
    limits: LimitSettings
    retention: ProjectSettings[Retention]
    holds: Holds
    redaction: ProjectSettings[Redaction]
    redactor_for: Callable[[Redaction], Redactor]
    evaluation: Evaluation
    feedback_tokens: FeedbackTokens
    feedback_limits: FeedbackLimits = msgspec.field(default_factory=FeedbackLimits)
    publishing: Publishing
    document_text: DocumentText
    traces: Traces
    otlp: Mapping[str, OtlpForm]
    chats: ChatWorkflow
    model_names: ModelNames
    playground: Playground
    access: Access | None = None
    authenticate: Authenticate = anybody
    around: Around = _directly
    strangers: Callable[[HTTPConnection], None] = welcome
    metrics: Metrics
    settings: tuple[ServerSetting, ...] = ()
    max_body_bytes: int = 10_485_760
    local_only: bool = False
    base_path: str = ""
    redeem_ticket: RedeemTicket | None = None
    allowed_origins: tuple[str, ...] = ()
    now: Callable[[], int] = _now


def parts_of(app: Any) -> Parts:
    return cast(Parts, cast(Starlette, app).state.parts)
