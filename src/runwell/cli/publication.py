"""From checked files to published versions."""

import copy
from typing import Any

from runwell.cli.complaints import FileProblem
from runwell.cli.document_files import Source, refusal
from runwell.model.documents import nearest_line, workflow_steps
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.journal import Definitions, Version
from runwell.runtime.publisher import Publisher


async def publish(source: Source, publisher: Publisher, definitions: Definitions) -> Version:
    """Publish the file after the files that it refers to. Raises `InvalidDocument` for a slug that nobody has published."""
    document = copy.deepcopy(source.document.data)
    for pointer, child in source.children.items():
        version = await publish(child, publisher, definitions)
        step = part_at(document, pointer)
        step["workflow"], step["version"] = version.slug, version.number
    plan = publisher.compile(document)
    missing = await _unpublished(source, document, plan.workflow.slug, definitions)
    if missing:
        raise refusal(missing)
    return await publisher.publish(DEFAULT_SCOPE, plan)


async def _unpublished(source: Source, document: Any, own_slug: str, definitions: Definitions) -> list[FileProblem]:
    found = []
    for pointer, step in workflow_steps(document):
        slug, number = step["workflow"], step.get("version")
        calls_itself = slug == own_slug and number is None
        if not calls_itself and await definitions.get(DEFAULT_SCOPE, slug, number) is None:
            wanted = slug if number is None else f"{slug} version {number}"
            problem = FileProblem(
                file=source.shown,
                code="unknown_workflow",
                message=f"there is no workflow {wanted!r} in this data directory",
                pointer=f"{pointer}/workflow",
                step_id=step["id"],
                line=nearest_line(source.document.lines, f"{pointer}/workflow"),
                hint="run its document once, or name its file, as in ./child.yaml",
            )
            found.append(problem)
    return found


def part_at(document: Any, pointer: str) -> Any:
    part = document
    for key in pointer.split("/")[1:]:
        part = part[int(key)] if isinstance(part, list) else part[key]
    return part
