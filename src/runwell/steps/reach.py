"""What documents name that may not exist here: models, connections, MCP servers, functions. It depends on the installation, not on them."""

from collections.abc import Iterator
from typing import Any, Protocol

from runwell.model.errors import Problem
from runwell.model.step import StepSpec
from runwell.model.tool import ToolSpec, server_of
from runwell.ports.models import Refusal
from runwell.steps.agent.document import AgentStep
from runwell.steps.conversation.document import ConversationStep, HttpNode, WorkerNode
from runwell.steps.http import HttpStep
from runwell.steps.llm import LlmStep

Asks = LlmStep | AgentStep | ConversationStep | WorkerNode
"""Parts of a document that name models."""


class Names(Protocol):
    """Says why nobody answers for a name; None: somebody does."""

    def connection(self, name: str) -> Refusal | None: ...
    def http_connection(self, name: str) -> Refusal | None: ...
    def model(self, name: str, connection: str | None) -> Refusal | None: ...
    def mcp_server(self, name: str) -> Refusal | None: ...
    def function(self, name: str, *, asks: bool) -> Refusal | None:
        """`asks`: the document asks a person before each call."""
        ...


def unreachable(spec: StepSpec | ToolSpec, names: Names) -> list[Problem]:
    """Return a problem for each name of the step or tool that leads nowhere; its pointer is within it."""
    if isinstance(spec, ToolSpec):
        refused = names.function(spec.name, asks=spec.requires_approval) if spec.is_registered else None
        return [] if refused is None else [_problem(refused, "/name")]
    if isinstance(spec, HttpStep):
        return _unreachable_http(spec, names)
    servers = _unreachable_servers(spec, names)
    if isinstance(spec, ConversationStep):
        return [*_unreachable_models(spec, names), *_unreachable_of_nodes(spec, names), *servers]
    return [*_unreachable_models(spec, names), *servers] if isinstance(spec, LlmStep | AgentStep) else servers


def _unreachable_models(part: Asks, names: Names, place: str = "") -> list[Problem]:
    connection = part.connection if isinstance(part.connection, str) else None
    refused = names.connection(connection) if connection is not None else None
    if refused is not None:
        return [_problem(refused, f"{place}/connection")]
    checked = [(where, names.model(name, connection)) for where, name in _models(part) if "{{" not in name]
    return [_problem(refusal, place + where) for where, refusal in checked if refusal is not None]


def _unreachable_of_nodes(spec: ConversationStep, names: Names) -> Iterator[Problem]:
    nodes: Any = spec.nodes if "nodes" not in spec.unread else ()
    for i, node in enumerate(nodes):
        if isinstance(node, WorkerNode) and (node.model or node.models):
            yield from _unreachable_models(node, names, f"/nodes/{i}")
        elif isinstance(node, HttpNode) and node.request.connection is not None:
            refused = names.http_connection(node.request.connection)
            yield from [] if refused is None else [_problem(refused, f"/nodes/{i}/request/connection")]


def _unreachable_http(spec: HttpStep, names: Names) -> list[Problem]:
    name: Any = getattr(spec.request, "connection", None)  # a stand-in of a broken step may hold anything
    refused = names.http_connection(name) if isinstance(name, str) else None
    return [] if refused is None else [_problem(refused, "/request/connection")]


def _unreachable_servers(spec: StepSpec, names: Names) -> list[Problem]:
    named = [(place, server) for place, name in spec.tools_named() if (server := server_of(name)) is not None]
    checked = [(place, names.mcp_server(server)) for place, server in named]
    return [_problem(refusal, place) for place, refusal in checked if refusal is not None]


def _models(spec: Asks) -> Iterator[tuple[str, str]]:
    written: Any = [("/model", spec.model), ("/judge_model", getattr(spec, "judge_model", None))]
    if isinstance(spec.models, list | tuple):  # a stand-in of a broken step may hold anything
        written += [(f"/models/{i}", name) for i, name in enumerate(spec.models)]
    yield from ((place, name) for place, name in written if isinstance(name, str))


def _problem(refusal: Refusal, place: str) -> Problem:
    return Problem(code=refusal.code, message=refusal.message, pointer=place, hint=refusal.cure)
