"""The workflow whose runs are the calls that clients of OpenAI's protocol make: one in each project, made when it is first needed."""

from typing import Any, Final

import msgspec

from runwell.model.errors import NotFound, Refused
from runwell.model.scope import Scope
from runwell.ports.journal import Definitions, Version
from runwell.ports.publishing import Publishable, Publishing
from runwell.ports.workflows import Workflows

SLUG: Final = "chat-completions"

DOCUMENT: Final[dict[str, Any]] = {
    "name": "Chat completions",
    "description": "Calls of models by clients of OpenAI's protocol and from the playground. The input is the request.",
    "steps": [{"id": "answer", "type": "chat", "request": "{{ input }}"}],
    "output": "{{ steps.answer.result }}",
}


class ChatWorkflow:
    """Finds the workflow in every project."""

    def __init__(self, publishing: Publishing, definitions: Definitions, workflows: Workflows) -> None:
        self._publishing, self._definitions, self._workflows = publishing, definitions, workflows
        self._document: Publishable | None = None

    async def version(self, scope: Scope) -> Version:
        """Return the version with which the project's calls start.

        Raises `Refused` when the workflow is archived, which switches the calls off, and when another one has its slug.
        """
        if self._document is None:
            self._document = await self._publishing.prepare(scope, DOCUMENT, SLUG)
        document = self._document
        found = await self._definitions.get(scope, SLUG)
        if found is not None and found.hash == document.hash:
            return found
        await self._check(scope)
        return await self._definitions.put(scope, SLUG, document.name, document.hash, document.body)

    async def _check(self, scope: Scope) -> None:
        try:
            known = await self._workflows.get(scope, SLUG)
        except NotFound:
            return
        if known.archived_at is not None:
            raise Refused(f"the workflow {SLUG!r}, under which calls are kept, is archived", hint="take it out of the archive")
        found = await self._definitions.get(scope, SLUG)  # anew: another call may have made it meanwhile
        body = None if found is None else await self._definitions.by_hash(found.hash)
        if body is None or {step.get("type") for step in msgspec.json.decode(body)["steps"]} != {"chat"}:
            raise Refused(f"the project has another workflow {SLUG!r}, under which these calls are kept", hint="give that one another slug")
