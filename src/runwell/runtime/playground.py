"""The playground: each run has a runtime of its own, whose journal is memory, and which is gone with it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from runwell.engine.plan import Plan
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.workflow_views import Kind
from runwell.ports.clock import Clock
from runwell.ports.journal import Journal, Version
from runwell.ports.playground import TRIED, Table
from runwell.ports.publishing import Publishable
from runwell.ports.runs import StartRequest
from runwell.ports.steps import Services, StepTypes
from runwell.runtime.hosted import HostedRuns
from runwell.runtime.runtime import Runtime


class TryingOut:
    """`Playground` beside a runtime, from whose places it takes, and whose rules of redaction hold here, too.

    `types` are the step types as they are tried; others than those of `TRIED` are not carried out.
    """

    def __init__(
        self,
        runtime: Runtime,
        types: StepTypes,
        services: Services,
        clock: Clock,
        compile_document: Callable[[Any], Plan],
        new_journal: Callable[[], Journal],
    ) -> None:
        self._runtime, self._services, self._clock = runtime, services, clock
        self._types = {name: step_type for name, step_type in types.items() if name in TRIED}
        self._compile, self._new_journal = compile_document, new_journal

    @asynccontextmanager
    async def table(self, document: Publishable, request: StartRequest) -> AsyncIterator[Table]:
        async with self._runtime.load.place(request.run_id or new_id("run"), request):
            runtime = Runtime(
                journal=self._new_journal(),
                definitions=_OneDocument(document),
                types=self._types,
                services=self._services,
                clock=self._clock,
                compile_document=self._compile,
                redaction=self._runtime.redaction,
            )
            await runtime.open()
            try:
                yield Table(HostedRuns(runtime), runtime.journal)
            finally:
                await runtime.close()


class _OneDocument:
    """`Definitions` with nothing but the document that is tried."""

    def __init__(self, document: Publishable) -> None:
        self._document = document

    async def by_hash(self, document_hash: str) -> bytes | None:
        return self._document.body if document_hash == self._document.hash else None

    async def put(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes, kind: Kind = "workflow") -> Version:
        raise NotImplementedError("nothing is published from the playground")

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        return None

    async def workflow_id_of(self, scope: Scope, text: str) -> str | None:
        return None
