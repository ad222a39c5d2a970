"""What steps name that may not exist here: models, connections and MCP servers. It depends on the installation, not on the document."""

from collections.abc import Iterator
from typing import Any, Protocol

from runwell.model.errors import Problem
from runwell.model.step import StepSpec
from runwell.model.tool import server_of
from runwell.ports.models import Refusal
from runwell.steps.agent.document import AgentStep
from runwell.steps.http import HttpStep
from runwell.steps.llm import LlmStep


class Names(Protocol):
    """Says why nobody answers for a name; None: somebody does."""

    def connection(self, name: str) -> Refusal | None: ...
    def http_connection(self, name: str) -> Refusal | None: ...
    def model(self, name: str, connection: str | None) -> Refusal | None: ...
    def mcp_server(self, name: str) -> Refusal | None: ...


def unreachable(spec: StepSpec, names: Names) -> list[Problem]:
    """Return a problem for each name of the step that leads nowhere; its pointer is within the step."""
    if isinstance(spec, HttpStep):
        return _unreachable_http(spec, names)
    servers = _unreachable_servers(spec, names)
    return servers if not isinstance(spec, LlmStep | AgentStep) else [*_unreachable_models(spec, names), *servers]


def _unreachable_models(spec: LlmStep | AgentStep, names: Names) -> list[Problem]:
    connection = spec.connection if isinstance(spec.connection, str) else None
    refused = names.connection(connection) if connection is not None else None
    if refused is not None:
        return [_problem(refused, "/connection")]
    checked = [(place, names.model(name, connection)) for place, name in _models(spec) if "{{" not in name]
    return [_problem(refusal, place) for place, refusal in checked if refusal is not None]


def _unreachable_http(spec: HttpStep, names: Names) -> list[Problem]:
    name: Any = getattr(spec.request, "connection", None)  # a stand-in of a broken step may hold anything
    refused = names.http_connection(name) if isinstance(name, str) else None
    return [] if refused is None else [_problem(refused, "/request/connection")]


def _unreachable_servers(spec: StepSpec, names: Names) -> list[Problem]:
    named = [(place, server) for place, name in spec.tools_named() if (server := server_of(name)) is not None]
    checked = [(place, names.mcp_server(server)) for place, server in named]
    return [_problem(refusal, place) for place, refusal in checked if refusal is not None]


def _models(spec: LlmStep | AgentStep) -> Iterator[tuple[str, str]]:
    written: Any = [("/model", spec.model)]
    if isinstance(spec.models, list | tuple):  # a stand-in of a broken step may hold anything
        written += [(f"/models/{i}", name) for i, name in enumerate(spec.models)]
    yield from ((place, name) for place, name in written if isinstance(name, str))


def _problem(refusal: Refusal, place: str) -> Problem:
    return Problem(code=refusal.code, message=refusal.message, pointer=place, hint=refusal.cure)
