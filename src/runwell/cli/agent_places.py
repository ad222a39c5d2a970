"""Agents, where they are kept: in this machine's data directory, or on a server."""

from typing import Any, Protocol

import msgspec

from runwell.model.errors import NotFound
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.workflow_views import WorkflowSummary
from runwell.ports.journal import Version
from runwell.ports.workflows import WorkflowFilter, Workflows
from runwell.query.workflows import summary_of
from runwell.sdk.client import AsyncClient

_MOST = 1_000
_PAGE = 200


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """An agent and the document of its draft, or else of its newest version."""

    agent: WorkflowSummary
    document: dict[str, Any] | None


class Agents(Protocol):
    async def all(self) -> list[WorkflowSummary]:
        """Return the agents, the newest first."""
        ...

    async def one(self, key: str) -> AgentView:
        """Raises `NotFound`."""
        ...

    async def startable(self, key: str) -> Version:
        """Return the version with which runs start. Raises `NotFound`, and `Refused` when none is published."""
        ...


class LocalAgents:
    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows

    async def all(self) -> list[WorkflowSummary]:
        return [summary_of(row) for row in await self._workflows.page(DEFAULT_SCOPE, WorkflowFilter(kind="agent"), limit=_MOST)]

    async def one(self, key: str) -> AgentView:
        draft = await self._workflows.draft(DEFAULT_SCOPE, key)
        document = None if draft.document is None else msgspec.json.decode(draft.document)
        return AgentView(agent=_agent(summary_of(draft.workflow)), document=document)

    async def startable(self, key: str) -> Version:
        _agent(summary_of(await self._workflows.get(DEFAULT_SCOPE, key)))
        return await self._workflows.startable(DEFAULT_SCOPE, key)


class RemoteAgents:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def all(self) -> list[WorkflowSummary]:
        return [agent async for agent in self._client.agents.list(limit=_PAGE)]

    async def one(self, key: str) -> AgentView:
        found = await self._client.workflows.get(key)
        shown = {name: getattr(found, name) for name in WorkflowSummary.__struct_fields__}
        return AgentView(agent=_agent(WorkflowSummary(**shown)), document=found.document)

    async def startable(self, key: str) -> Version:
        agent = (await self.one(key)).agent
        version = await self._client.workflows.version(agent.id, "active")
        return Version(workflow_id=agent.id, slug=agent.slug, name=version.name, number=version.number, hash=version.hash, kind=agent.kind)


def _agent(found: WorkflowSummary) -> WorkflowSummary:
    if found.kind != "agent":
        raise NotFound(f"{found.slug!r} is no agent", hint="runwell agents list shows them; runwell run FILE runs a workflow")
    return found
