"""Every operation of the OpenAPI document, and requests for it that name real things."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.unit.access.server import ADA

Ids = Mapping[str, str]

_PLACE: Final = re.compile(r"\{(\w+)\}")
_CORE: Final = re.compile(r"[0-9a-f]{16,}")

PLACES: Final = {"key": "workflow_id", "workflow_run_id": "short_id"}
"""Parameters that name the same as another."""

CONSTANTS: Final = {"path": "propose", "number": "1", "seq": "6"}
"""Parameters that name something only within what another names."""

_SAY: Final = {"name": "mine", "steps": [{"id": "say", "type": "transform", "value": "mine"}]}
_NAMING: Final = {
    "name": "naming",
    "steps": [
        {"id": "child", "type": "workflow", "workflow": "{slug}"},
        {"id": "same", "type": "workflow", "workflow": "{workflow_id}"},
        {"id": "call", "type": "http", "request": {"url": "/x", "connection": "{connection_name}"}},
        {"id": "tell", "type": "http", "request": {"url": "https://example.com/", "headers": {"a": "{{ secrets.{secret_name} }}"}}},
        {"id": "think", "type": "llm", "model": "{connection_name}:any", "prompt": "x"},
    ],
}
_AGENT: Final = {"name": "mine", "steps": [{"id": "agent", "type": "agent", "model": "demo:mine", "instructions": "mine"}]}
_ORIGIN: Final = "https://mine.example"
_DECISION: Final = {"approved": True}

_COMMANDS: Final[list[Any]] = [
    {"command": "send_message", "run_id": "{run_id}", "params": {"name": "mine"}},
    {"command": "pause", "run_id": "{run_id}"},
    {"command": "resume", "run_id": "{run_id}"},
    {"command": "complete_task", "run_id": "{run_id}", "params": {"task_id": "{task_id}", "approved": True}},
    {"command": "stop", "run_id": "{run_id}"},
    {"command": "start"},
    {"command": "start", "version": 1},
]

BODIES: Final[dict[str, list[Any]]] = {
    "create_workflow": [{"name": "Mine", "document": _SAY}],
    "replace_workflow_draft": [{"document": _SAY}],
    "rename_workflow": [{"name": "Mine"}, {"slug": "renamed"}],
    "archive_workflow": [None],
    "unarchive_workflow": [None],
    "activate_workflow_version": [None],
    "publish_workflow": [{"note": "mine", "document": _SAY}, None],
    "validate_document": [{"document": _NAMING}],
    "validate_workflow": [{"document": _NAMING}, None],
    "command_workflow": _COMMANDS,
    "create_agent": [{"name": "Mine, an agent", "document": _AGENT}],
    "replace_agent_draft": [{"document": _AGENT}],
    "publish_agent": [{"note": "mine", "document": _AGENT}, None],
    "run_agent": [{"input": "mine"}, {"input": "mine", "version": 1}],
    "reply_to_run": [{"message": "mine"}],
    "reply_to_run_of_workflow": [{"message": "mine"}],
    "add_run_comment": [{"content": "mine"}],
    "add_run_comment_of_workflow": [{"content": "mine"}],
    "complete_pending_task": [_DECISION],
    "complete_run_task": [_DECISION],
    "complete_run_task_of_workflow": [_DECISION],
    "put_limits": [{"max_queued": 77}],
    "put_retention": [{"keep_days": 77, "rules": [{"workflow_id": "{workflow_id}", "keep_days": 7}]}],
    "put_redaction": [{"paths": ["*.mine"], "kinds": ["email"]}],
    "try_redaction": [{"text": "mine"}],
    "hold_run": [{"reason": "mine"}],
    "hold_run_of_workflow": [{"reason": "mine"}],
    "hold_workflow": [{"reason": "mine"}],
    "create_connection": [{"name": "mine", "type": "http", "base_url": _ORIGIN}],
    "replace_connection": [{"headers": {"X-Mine": "1"}}],
    "create_secret": [{"name": "MINE", "value": "mine-mine", "allowed_origins": [_ORIGIN]}],
    "replace_secret": [{"value": "mine-mine"}],
    "search_runs": [
        {
            "query": "workflow:{slug}",
            "workflow": ["{workflow_id}"],
            "field_queries": [{"field_name": "run", "operator": "is", "values": ["{run_id}"]}],
        }
    ],
    "archive_run": [None],
    "archive_run_of_workflow": [None],
    "unarchive_run": [None],
    "unarchive_run_of_workflow": [None],
    "review_run": [{"review": "positive"}],
    "review_run_of_workflow": [{"review": "positive"}],
    "create_view": [{"name": "mine", "query": "status:failed"}],
    "replace_view": [{"name": "mine too"}],
    "sign_in": [{"email": "nobody@example.com", "password": "not the password"}],
    "switch_project": [{"project": "{project_id}"}],
    "change_password": [{"current_password": ADA["password"], "new_password": ADA["password"]}],
    "set_up": [{"token": "x" * 43, "email": "mine@example.com", "name": "Mine", "password": ADA["password"]}],
    "choose_password": [{"token": "x" * 43, "password": ADA["password"]}],
    "create_api_key": [{"name": "mine", "scopes": ["workflow:read"]}],
    "invite_user": [{"email": "mine@example.net", "roles": {"{project_id}": "viewer"}}],
    "update_user": [{"name": "Mine"}, {"roles": {"{project_id}": "admin"}}, {"disabled": True}, {"organization_admin": True}],
    "create_project": [{"slug": "mine", "name": "Mine"}],
    "update_project": [{"name": "Mine"}, {"archived": True}],
    "update_organization": [{"name": "Mine"}],
}
"""What is sent to operations that take a body, each in every way in which it can name something."""

QUERIES: Final[dict[str, dict[str, str]]] = {
    "list_workflows": {"q": "{slug}"},
    "list_agents": {"q": "{slug}"},
    "list_runs": {"q": "workflow:{slug}", "workflow": "{workflow_id}", "count": "true"},
    "diff_workflow_versions": {"with": "2"},
    **{
        f"get_{name}": {"workflow": "{workflow_id}", "window": "30d", "group_by": "workflow"}
        for name in ("runs_count", "success_rate", "steps_executed", "credits_consumed", "tokens_used", "cost")
    },
    "get_live_runs": {"workflow": "{workflow_id}"},
    "get_execution_duration": {"workflow": "{workflow_id}", "group_by": "version"},
    "get_steps_summary": {"workflow": "{workflow_id}", "group_by": "trigger"},
    "get_runs_timeseries": {"workflow": "{workflow_id}", "group_by": "model"},
    "get_usage_timeseries": {"workflow": "{workflow_id}", "tz": "Europe/Berlin"},
    "delete_workflow": {"stop": "true"},
    "delete_agent": {"stop": "true"},
}

NEED_REVISION: Final = frozenset(
    {
        *("replace_workflow_draft", "replace_agent_draft", "put_limits", "put_retention", "put_redaction"),
        *("replace_connection", "replace_secret", "replace_view"),
    }
)


@dataclass(frozen=True)
class Operation:
    """`expects`: the statuses of success that the document names."""

    name: str
    method: str
    path: str
    permission: str
    parameters: tuple[tuple[str, str], ...]
    takes_body: bool
    expects: tuple[int, ...]
    streams: bool

    @property
    def needs(self) -> frozenset[str]:
        return frozenset() if self.permission in ("public", "signed-in") else frozenset(self.permission.split("|"))

    def gaps(self) -> list[str]:
        """Return what these tests do not know about the operation."""
        unknown = [
            name for name, place in self.parameters if place == "path" and name not in PLACES | CONSTANTS and not name.endswith("_id")
        ]
        return [f"{self.name}: the path parameter {name!r} is not known" for name in unknown] + (
            [f"{self.name}: no body is known"] if self.takes_body and self.name not in BODIES else []
        )

    def shapes(self) -> Iterator["Request"]:
        """Yield requests with places for ids."""
        path = self.path
        for name in _PLACE.findall(path):
            path = path.replace(f"{{{name}}}", CONSTANTS.get(name) or f"{{{PLACES.get(name, name)}}}")
        headers = {"If-Match": "*"} if self.name in NEED_REVISION else {}
        for body in BODIES.get(self.name, [None]):
            yield Request(self.method, path, QUERIES.get(self.name, {}), body, headers)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    def names(self) -> set[str]:
        """Return the ids that it has places for."""
        return set(_PLACE.findall(f"{self.path} {self.query} {self.body}"))

    def filled(self, ids: Ids) -> "Request":
        query = {name: _filled(value, ids) for name, value in self.query.items()}
        return Request(self.method, _filled(self.path, ids), query, _filled(self.body, ids), self.headers)


def _filled(value: Any, ids: Ids) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(lambda found: ids.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {_filled(name, ids): _filled(inner, ids) for name, inner in value.items()}
    return [_filled(inner, ids) for inner in value] if isinstance(value, list) else value


def missing(ids: Ids) -> dict[str, str]:
    """Return ids of the same shape that name nothing."""
    return {name: _CORE.sub(lambda found: secrets.token_hex(len(found[0]))[: len(found[0])], value) for name, value in ids.items()}


def spellings(ids: Ids) -> Iterator[dict[str, str]]:
    """Yield the ids in each form in which one may be given."""
    yield dict(ids)
    yield {**ids, **{name: value.partition("_")[2] for name, value in ids.items() if name.endswith("_id") and "_" in value}}
    yield {**ids, "workflow_id": ids["slug"], "run_id": ids["short_id"]}


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return all operations; those that take something away come last, and signing out last of all."""
    found = [_operation(method, path, details) for path, methods in document["paths"].items() for method, details in methods.items()]
    order = {"GET": 0, "POST": 1, "PUT": 1, "PATCH": 1, "DELETE": 2}
    late = {"change_password": 1, "update_user": 1, "delete_agent": 2, "delete_workflow": 2, "update_project": 3, "sign_out": 4}
    return sorted(found, key=lambda one: (late.get(one.name, 0), order[one.method]))


def _operation(method: str, path: str, details: Mapping[str, Any]) -> Operation:
    good = {int(status): told for status, told in details["responses"].items() if status[0] in "23"}
    return Operation(
        name=details["operationId"],
        method=method.upper(),
        path=path,
        permission=details["x-permission"],
        parameters=tuple((one["name"], one["in"]) for one in details.get("parameters", ())),
        takes_body="requestBody" in details,
        expects=tuple(good),
        streams=any("text/event-stream" in told.get("content", {}) for told in good.values()),
    )
