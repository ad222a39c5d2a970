"""The workflow of OpenAI's calls, when two calls make it at once."""

import asyncio
from typing import Any

import msgspec

from runwell.model.canonical import canonical_json
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.journal import Version
from runwell.query.chat_workflow import DOCUMENT, SLUG, ChatWorkflow
from runwell.storage.memory_journal import MemoryDefinitions
from runwell.testing import memory_app


class Late(MemoryDefinitions):
    """Another call makes the workflow right after this one has found none."""

    def __init__(self) -> None:
        super().__init__()
        self.document: Any = None

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        found = await super().get(scope, slug, version)
        if found is None and self.document is not None:
            await self.put(scope, SLUG, self.document.name, self.document.hash, self.document.body)
        return found


class _Record(msgspec.Struct):
    archived_at: int | None = None


class _Workflows:
    async def get(self, scope: Scope, key: str) -> Any:
        return _Record()


def test_who_comes_second_takes_what_the_first_made() -> None:
    async def main() -> None:
        async with memory_app() as app:
            definitions = Late()
            definitions.document = await app.publisher.prepare(DEFAULT_SCOPE, DOCUMENT, SLUG)
            workflows: Any = _Workflows()
            chats = ChatWorkflow(app.publisher, definitions, workflows)
            first, again = await chats.version(DEFAULT_SCOPE), await chats.version(DEFAULT_SCOPE)
            assert first == again
            assert (first.number, first.hash) == (1, definitions.document.hash)
            assert definitions.document.body == canonical_json(DOCUMENT)

    asyncio.run(main())
