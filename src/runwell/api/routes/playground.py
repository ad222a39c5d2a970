"""The playground: variants of a workflow, or of a request to a model, tried side by side."""

from contextlib import aclosing
from typing import Annotated, Any, Final

import msgspec
from fastapi import Body as FastApiBody
from fastapi import Request
from pydantic import Field, model_validator
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runwell.api.answers import Answer, answers, answers_or_streams
from runwell.api.hang_up import GONE, StreamedOnce, listening, unless
from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, check, needs, router
from runwell.api.routes.workflow_bodies import Body, Key
from runwell.api.run_routes import FoundRun, on_run
from runwell.model.errors import InvalidInput
from runwell.model.principal import Principal
from runwell.model.variant import MOST_VARIANTS, Variant
from runwell.model.workflow_views import VersionSummary
from runwell.ports.models import ChatRequest
from runwell.query.playground import Done, Failed, Kept, Start, Table, Tried, Written
from runwell.query.playground_origin import TryAgain, try_again
from runwell.query.workflows import version_summary

routes = router("playground")

Named = Annotated[KeptText, Field(min_length=1, max_length=200)]


class PlaygroundVariant(Body):
    """What differs from what is tried. Of messages: a model, and instructions that take the place of the first system message."""

    name: Annotated[KeptText, Field(min_length=1, max_length=100)] | None = Field(default=None, description="Left out: its number.")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Of the workflow; left out: the one that runs start with.")
    step: Annotated[KeptText, Field(max_length=64)] | None = Field(default=None, description="Left out: the only llm or agent step.")
    model: Named | None = Field(default=None, examples=["openai:gpt-5-mini"])
    models: list[Named] | None = Field(default=None, min_length=1, max_length=10)
    instructions: Annotated[KeptText, Field(max_length=100_000)] | None = Field(default=None, description="Of an llm step its `system`.")
    prompt: Annotated[KeptText, Field(max_length=100_000)] | None = None
    connection: Named | None = None
    params: JsonObject = Field(default={}, max_length=50, description="Over those of what is tried; null leaves one out.")

    def variant(self, place: int) -> Variant:
        told = {**self.model_dump(), "name": self.name or f"variant {place + 1}"}
        return Variant(**{**told, "models": None if self.models is None else tuple(self.models)})


class TryVariants(Body):
    """What is tried: a workflow with an input, or messages to a model (or `input` alone, as one message)."""

    workflow: Named | None = Field(default=None, description="Its id or slug.")
    input: JsonValue = Field(default=None, description="Of the workflow; checked against its `input_schema`.")
    messages: list[JsonObject] | None = Field(default=None, min_length=1, max_length=10_000, description="As model calls have them.")
    tools: list[JsonObject] = Field(default=[], max_length=1_000, description="Offered to the model, and called by nobody.")
    tool_choice: Named = "auto"
    output_schema: JsonObject | None = None
    params: JsonObject = Field(default={}, max_length=50, description="Of all variants of messages.")
    variants: list[PlaygroundVariant] = Field(min_length=1, max_length=MOST_VARIANTS)
    save: bool = Field(default=False, description="Carry the variants out as ordinary runs, which are kept.")
    stream: bool = Field(default=True, description="As server-sent events; otherwise one answer at the end.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "TryVariants":
        talks = self.model_fields_set & {"messages", "tools", "tool_choice", "output_schema", "params"}
        if self.workflow is not None and talks:
            raise ValueError(f"{sorted(talks)[0]!r} goes with messages, and `workflow` with an `input`: send one of both")
        if self.messages is not None and "input" in self.model_fields_set:
            raise ValueError("`input` alone is one message: send `messages` or `input`")
        return self

    def asked(self) -> ChatRequest:
        """Return what the variants of messages have in common. Raises `InvalidInput`."""
        text = self.input if isinstance(self.input, str) else msgspec.json.encode(self.input).decode()
        given = {"model": "", "messages": self.messages or [{"role": "user", "content": text}], "tools": self.tools}
        more = {"tool_choice": self.tool_choice, "output_schema": self.output_schema, "params": self.params}
        try:
            return msgspec.convert({**given, **more}, ChatRequest)
        except msgspec.ValidationError as exc:
            raise InvalidInput(
                f"the messages or tools are not usable: {exc}", hint="write them as GET /v1/runs/{id}/playground does"
            ) from exc


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the variants, in their order."""

    variants: list[Done | Failed]


_ANSWER: Final[dict[int | str, dict[str, Any]]] = answers_or_streams(
    Outcomes, "The outcomes; as a stream `delta`, `done` and `failed` messages of the variants, and `end`, as `data: <JSON>`."
)


@routes.post("/v1/playground", responses=_ANSWER)
@needs("workflow:run")
async def try_variants(body: Annotated[TryVariants, FastApiBody()], request: Request, caller: Caller, server: Server) -> Response:
    """Carry up to eight variants out side by side. Nothing of it is kept, unless it is to be saved.

    Models are asked, and nothing else is reached: an agent gives its first answer, and the tools that it wants called are told.
    With `save` the variants are ordinary runs with the trigger `playground`, which call their tools; one that changes a workflow
    becomes a version of it with which nothing else starts. One variant's failure does not end the others. Whoever hangs up ends all.
    """
    table, laid = await _laid(body, caller, server)
    if body.stream:
        return VariantStream(table, laid)
    async with listening(request.receive) as gone:
        outcomes = await unless(gone, _outcomes(table, laid))
    return GONE if outcomes is None else Answer(outcomes)


def _table(server: Parts) -> Table:
    return Table(server.runs, server.journal, server.playground, server.publishing, server.workflows, server.chats)


async def _laid(body: TryVariants, caller: Principal, server: Parts) -> tuple[Table, list[Tried]]:
    table = _table(server)
    variants = [variant.variant(place) for place, variant in enumerate(body.variants)]
    start = Start(caller.scope, caller.actor)
    if body.workflow is not None:
        if body.save and any(variant.changes for variant in variants):
            check(caller, "workflow:write")
        return table, await table.of_workflow(start, body.workflow, body.input, variants, save=body.save)
    return table, await table.of_messages(start, body.asked(), variants, save=body.save)


async def _outcomes(table: Table, laid: list[Tried]) -> Outcomes:
    async with aclosing(table.carry_out(laid)) as told:
        ends = [one async for one in told if not isinstance(one, Written)]
    return Outcomes(variants=sorted(ends, key=lambda one: one.variant))


class VariantStream(StreamedOnce):
    """What comes of the variants, as server-sent events without names."""

    def __init__(self, table: Table, laid: list[Tried]) -> None:
        super().__init__()
        self._table, self._laid = table, laid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with listening(receive) as gone:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await unless(gone, self._tell(send))

    async def _tell(self, send: Send) -> None:
        async with aclosing(self._table.carry_out(self._laid)) as told:
            async for one in told:
                body = b"data: %b\n\n" % msgspec.json.encode(one)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b'data: {"type":"end"}\n\n', "more_body": False})


class VariantToKeep(Body):
    """A variant that is to be a version of its workflow. With `activate`, runs start with it from then on."""

    variant: PlaygroundVariant
    activate: bool = False
    note: Annotated[KeptText, Field(max_length=1_000)] | None = Field(default=None, description="Left out: the variant's name.")


@routes.post(
    "/v1/workflows/{key}/playground/versions",
    responses={**answers(VersionSummary, "The version that it is already."), **answers(VersionSummary, "The new version.", 201)},
)
@needs("workflow:write")
async def keep_variant(key: Key, body: Annotated[VariantToKeep, FastApiBody()], caller: Caller, server: Server) -> Answer:
    """Make a variant a version of its workflow. The draft stays as it is."""
    variant = body.variant.variant(0)
    note = body.note or f"playground: {variant.name}"
    asked = Kept(key=key, variant=variant, activate=body.activate, note=note)
    workflow_id, published = await _table(server).keep(Start(caller.scope, caller.actor), asked)
    place = f"/v1/workflows/{workflow_id}/versions/{published.version.number}"
    return Answer(version_summary(workflow_id, published.version), 201 if published.new else 200, {"Location": place})


@on_run(routes, "/playground", answers(TryAgain, "What POST /v1/playground takes, filled in from the run."))
@needs("workflow:read")
async def get_run_playground(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Return what tries the run again: its workflow and input, and each model call with the prompt as the model saw it."""
    view = await server.runs.view(caller.scope, run.run_id)
    document = await server.runs.document(caller.scope, run.run_id)
    return Answer(await try_again(server.journal, view, document))
