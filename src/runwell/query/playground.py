"""The playground: one input, several variants side by side, and what comes of each as it comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from runwell.model.documents import steps_of
from runwell.model.errors import ErrorInfo, InvalidInput, RunwellError
from runwell.model.ids import new_id
from runwell.model.schema import SchemaCheck
from runwell.model.scope import Scope
from runwell.model.usage import NO_USAGE, Usage, usd
from runwell.model.variant import Variant, varied
from runwell.ports.journal import Journal, Version
from runwell.ports.models import ChatRequest, Message
from runwell.ports.playground import TRIED, Playground
from runwell.ports.publishing import Publishable, Publishing
from runwell.ports.runs import Runs, StartRequest
from runwell.ports.workflows import Published, Workflows
from runwell.query.chat_workflow import DOCUMENT, SLUG, ChatWorkflow
from runwell.query.live_run import Ending, LiveRun

TRIGGER: Final = "playground"

_NO_VERSION: Final = Version(workflow_id="playground", slug=SLUG, name=DOCUMENT["name"], number=1, hash="")
"""Of messages that are only tried: for them no workflow is made."""


class Written(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="delta"):
    """A piece of text that the model of a variant just wrote. `variant` is the place in the request, from 0."""

    variant: int
    text: str


class Done(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="done"):
    """What came of a variant. Times are those of its model calls, in ms; `run_id` is null of what was not saved.

    `tool_calls`: what the model wants called, and nobody calls here.
    """

    variant: int
    name: str
    output: Any
    tool_calls: list[dict[str, Any]] | None
    model: str | None
    finish_reason: str | None
    usage: Usage
    cost_usd: str
    latency_ms: float
    first_token_ms: float | None
    run_id: str | None


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="failed"):
    """Why nothing came of a variant. The others go on."""

    variant: int
    name: str
    error: ErrorInfo
    usage: Usage
    cost_usd: str
    latency_ms: float
    run_id: str | None


Told = Written | Done | Failed


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of something, ready to be carried out. `saved`: as an ordinary run of what `request` names."""

    variant: Variant
    document: Any
    request: StartRequest
    saved: bool


class Start(msgspec.Struct, frozen=True):
    """Who starts the runs, and where."""

    scope: Scope
    actor: str

    def request(self, version: Version, given: Any) -> StartRequest:
        return StartRequest(
            version=version,
            input=given,
            org_id=self.scope.org_id,
            project_id=self.scope.project_id,
            trigger=TRIGGER,
            actor=self.actor,
            use_cache="never",  # variants are tried, not looked up
        )


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of the workflow `key` that is to be a version of it."""

    key: str
    variant: Variant
    activate: bool
    note: str


class Table:
    """Where variants are laid out and carried out, for one caller."""

    def __init__(
        self, runs: Runs, journal: Journal, playground: Playground, publishing: Publishing, workflows: Workflows, chats: ChatWorkflow
    ) -> None:
        self._runs, self._journal, self._playground = runs, journal, playground
        self._publishing, self._workflows, self._chats = publishing, workflows, chats

    async def of_workflow(self, start: Start, key: str, given: Any, variants: Sequence[Variant], *, save: bool) -> list[Tried]:
        """Lay out variants of a workflow. Raises `InvalidInput`, `NotFound` and `Refused` before anything is carried out."""
        scope = start.scope
        workflow = await self._workflows.get(scope, key)
        laid = []
        for variant in variants:
            version = await self._workflows.startable(scope, workflow.id, variant.version)
            _, body = await self._workflows.version(scope, workflow.id, version.number)
            document = varied(msgspec.json.decode(body), variant)
            SchemaCheck(document.get("input_schema")).require(given, "the input")
            if not save:
                _check(document, variant.name)
            laid.append(Tried(variant=variant, document=document, request=start.request(version, given), saved=save))
        return laid

    async def keep(self, start: Start, asked: Kept) -> tuple[str, Published]:
        """Make a variant a version of its workflow, whose id is returned too. Raises `InvalidDocument` when it cannot run."""
        workflow = await self._workflows.get(start.scope, asked.key)
        _, body = await self._workflows.version(start.scope, workflow.id, asked.variant.version or "active")
        made = varied(msgspec.json.decode(body), asked.variant)
        document = await self._publishing.prepare(start.scope, made, workflow.slug, workflow.kind)
        published = await self._workflows.publish(
            start.scope, workflow.id, document, activate=asked.activate, note=asked.note, actor=start.actor
        )
        return workflow.id, published

    async def of_messages(self, start: Start, asked: ChatRequest, variants: Sequence[Variant], *, save: bool) -> list[Tried]:
        """Lay out variants of a request to a model. Raises `InvalidInput` for a variant that names no model, or parts of a workflow."""
        version = await self._chats.version(start.scope) if save else _NO_VERSION
        for variant in variants:
            if variant.model is None or (variant.version, variant.step, variant.models, variant.prompt) != (None,) * 4:
                message = f"the variant {variant.name!r} of messages has a model, and may have instructions, params and a connection"
                raise InvalidInput(message, hint="write model; version, step, models and prompt are for variants of a workflow")
        return [
            Tried(
                variant=variant,
                document=DOCUMENT,
                request=start.request(version, msgspec.to_builtins(_asking(asked, variant))),
                saved=save,
            )
            for variant in variants
        ]

    async def carry_out(self, laid: Sequence[Tried]) -> AsyncGenerator[Told, None]:
        """Yield what comes of the variants, as it comes. Closed before its end, it stops them all."""
        told: asyncio.Queue[Told | None] = asyncio.Queue()
        tasks = [asyncio.ensure_future(self._try(place, tried, told)) for place, tried in enumerate(laid)]
        try:
            for _ in tasks:
                while (said := await told.get()) is not None:
                    yield said
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _try(self, place: int, tried: Tried, told: "asyncio.Queue[Told | None]") -> None:
        run_id = new_id("run")
        try:
            async with self._running(tried, run_id) as run:
                while not isinstance(said := await run.next(), Ending):
                    told.put_nowait(Written(variant=place, text=said))
            told.put_nowait(_outcome(place, tried, said))
        except RunwellError as exc:
            told.put_nowait(_failed(place, tried, _error_of(exc), Ending(run_id=run_id)))
        finally:
            told.put_nowait(None)

    @asynccontextmanager
    async def _running(self, tried: Tried, run_id: str) -> AsyncIterator[LiveRun]:
        """Begin the variant's run, and stop it at the end when it has not ended."""
        request = msgspec.structs.replace(tried.request, run_id=run_id)
        document = await self._prepared(tried)
        if tried.saved:
            async with _opened(LiveRun(self._runs, self._journal, await self._saved(tried, request, document), run_id)) as run:
                yield run
            return
        request.version = msgspec.structs.replace(request.version, hash=document.hash)
        async with (
            self._playground.table(document, request) as table,
            _opened(LiveRun(table.runs, table.journal, request, run_id)) as run,
        ):
            yield run

    async def _prepared(self, tried: Tried) -> Publishable:
        version, scope = tried.request.version, Scope(tried.request.org_id, tried.request.project_id)
        return await self._publishing.prepare(scope, tried.document, version.slug, version.kind)

    async def _saved(self, tried: Tried, request: StartRequest, document: Publishable) -> StartRequest:
        """Return the request with the version that the variant is: its workflow gets one more, with which nothing else starts."""
        version = request.version
        if document.hash != version.hash:
            made = await self._workflows.publish(
                Scope(request.org_id, request.project_id),
                version.workflow_id,
                document,
                activate=False,
                note=f"playground: {tried.variant.name}",
                actor=request.actor,
            )
            version = msgspec.structs.replace(version, number=made.version.number, hash=made.version.hash)
        return msgspec.structs.replace(request, version=version)


@asynccontextmanager
async def _opened(run: LiveRun) -> AsyncIterator[LiveRun]:
    try:
        await run.open()
        yield run
    finally:
        await run.close()


def _check(document: Any, name: str) -> None:
    """Raise `InvalidInput` for a document that the playground does not carry out."""
    for _, step in steps_of(document):
        kind = step.get("type")
        if kind not in TRIED or "agent" in step:
            what = f"is of type {kind!r}" if kind not in TRIED else f"is the agent {step['agent']!r} of its own"
            message = f"the step {step.get('id')!r} of the variant {name!r} {what}, which is not carried out unless the runs are saved"
            raise InvalidInput(message, hint="ask for save: true, or try the messages of one model call: GET /v1/runs/{id}/playground")


def _asking(asked: ChatRequest, variant: Variant) -> ChatRequest:
    messages = asked.messages
    if variant.instructions is not None:
        rest = messages[1:] if messages and messages[0].role == "system" else messages
        messages = (Message(role="system", content=variant.instructions), *rest)
    params = {name: value for name, value in {**asked.params, **variant.params}.items() if value is not None}
    connection = variant.connection or asked.connection
    return msgspec.structs.replace(asked, model=variant.model or "", messages=messages, params=params, connection=connection)


def _outcome(place: int, tried: Tried, ending: Ending) -> Done | Failed:
    if ending.error is not None:
        return _failed(place, tried, ending.error, ending)
    last = next((call for call in reversed(ending.calls) if call.ok), None)
    calls = None if last is None else last.tool_calls
    usage = sum((call.usage for call in ending.calls), NO_USAGE)
    return Done(
        variant=place,
        name=tried.variant.name,
        output=ending.output if calls is None or last is None else last.response,
        tool_calls=calls,
        model=None if last is None else last.response_model or last.model,
        finish_reason=None if last is None else last.finish_reason,
        usage=usage,
        cost_usd=usd(usage.cost_nanos),
        latency_ms=_latency(ending),
        first_token_ms=next((call.first_token_ms for call in ending.calls if call.first_token_ms is not None), None),
        run_id=ending.run_id if tried.saved else None,
    )


def _failed(place: int, tried: Tried, error: ErrorInfo, ending: Ending) -> Failed:
    usage = sum((call.usage for call in ending.calls), NO_USAGE)
    return Failed(
        variant=place,
        name=tried.variant.name,
        error=error,
        usage=usage,
        cost_usd=usd(usage.cost_nanos),
        latency_ms=_latency(ending),
        run_id=ending.run_id if tried.saved else None,
    )


def _latency(ending: Ending) -> float:
    return round(sum(call.latency_ms for call in ending.calls), 3)


def _error_of(error: RunwellError) -> ErrorInfo:
    problems = [msgspec.to_builtins(problem) for problem in error.problems] if isinstance(error, InvalidInput) else []
    return ErrorInfo(code=error.code, message=str(error), details={"errors": problems} if problems else None)
