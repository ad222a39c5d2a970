"""Files checked and published on a server."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from runwell.cli.complaints import FileProblem
from runwell.cli.document_files import Source, refusal
from runwell.cli.publication import part_at
from runwell.engine.plan import Plan
from runwell.model.documents import kind_of, nearest_line
from runwell.model.errors import InvalidDocument, Problem
from runwell.ports.journal import Version
from runwell.runtime.publisher import Publisher
from runwell.sdk.client import AsyncClient
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions


def structure_check() -> Callable[[Any], Plan]:
    """Return the check of a document by itself: what can be reached matters where it runs, which is elsewhere."""
    return Publisher(MemoryDefinitions(), step_types()).compile


class RemoteChecks:
    """Documents are checked here, and against what the server has."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._compile = structure_check()

    def compile(self, document: Any) -> Plan:
        return self._compile(document)

    async def further(self, source: Source) -> list[FileProblem]:
        found = (await self._client.workflows.validate(source.document.data)).problems
        own = {f"{pointer}/workflow" for pointer in source.children}
        problems = [file_problem(source, problem) for problem in found if problem.pointer not in own]
        for child in source.children.values():
            problems += await self.further(child)
        return problems


async def publish(client: AsyncClient, source: Source) -> Version:
    """Publish the file after the files that it refers to. Raises `InvalidDocument`."""
    if source.plan is None:
        raise ValueError(f"{source.shown} was not checked")
    document = copy.deepcopy(source.document.data)
    for pointer, child in source.children.items():
        version = await publish(client, child)
        step = part_at(document, pointer)
        step["workflow"], step["version"] = version.slug, version.number
    slug = source.plan.workflow.slug
    try:
        summary = await client.workflows.put(slug, document, kind=kind_of(document))
    except InvalidDocument as exc:
        raise refusal([file_problem(source, problem) for problem in exc.problems]) from exc
    kind = kind_of(document)
    return Version(workflow_id=summary.workflow_id, slug=slug, name=summary.name, number=summary.number, hash=summary.hash, kind=kind)


def file_problem(source: Source, problem: Problem) -> FileProblem:
    """Return the problem with its place in the file."""
    fields = {**msgspec.structs.asdict(problem), "line": nearest_line(source.document.lines, problem.pointer)}
    return FileProblem(file=source.shown, **fields)
