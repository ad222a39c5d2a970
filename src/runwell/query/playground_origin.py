"""From a run to what tries it again in the playground."""

from typing import Any, Final

import msgspec

from runwell.model.documents import steps_of
from runwell.model.events import Event, GenerationCompleted
from runwell.model.run import RunView
from runwell.ports.journal import EventFilter, Journal

MOST_CALLS: Final = 100
_GENERATIONS: Final = EventFilter(types=("generation_completed",), lean=True)


class TriedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A model call, as `messages`, `tools`, `output_schema`, `params` and `variants` of a request to the playground.

    `seq` is that of its generation. `missing_files`: so many files stood in the messages, of which the record tells only which they were.
    """

    seq: int
    step_id: str | None
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    output_schema: dict[str, Any] | None
    params: dict[str, Any]
    variants: list[dict[str, Any]]
    missing_files: int


class TryAgain(msgspec.Struct, frozen=True, kw_only=True):
    """`workflow`, `input` and `variants` try the whole run again; each of `calls` one of its model calls. At most 100 are told."""

    workflow: str
    input: Any
    variants: list[dict[str, Any]]
    calls: list[TriedCall]


async def try_again(journal: Journal, run: RunView, document: Any) -> TryAgain:
    schemas = {step.get("id"): step.get("output_schema") for _, step in steps_of(document)}
    events = await journal.events(run.id, _GENERATIONS, limit=MOST_CALLS)
    return TryAgain(
        workflow=run.workflow.id,
        input=run.input,
        variants=[{"name": f"version {run.workflow.version}", "version": run.workflow.version}],
        calls=[_call(event, run, schemas) for event in events],
    )


def _call(event: Event, run: RunView, schemas: dict[Any, Any]) -> TriedCall:
    call = event.of(GenerationCompleted)
    last = (event.step_id or "").rpartition(".")[2].partition("[")[0]
    schema = schemas.get(last)
    if schema is None and run.workflow.slug == "chat-completions" and isinstance(run.input, dict):
        schema = run.input.get("output_schema")
    messages = call.messages or []
    return TriedCall(
        seq=event.seq,
        step_id=event.step_id,
        messages=[{**message, "content": _known(message.get("content", ""))} for message in messages],
        tools=call.tools or [],
        output_schema=schema,
        params=call.params or {},
        variants=[{"name": call.model, "model": f"{call.provider}:{call.model}"}],
        missing_files=sum(len(_files(message.get("content"))) for message in messages),
    )


def _files(content: Any) -> list[Any]:
    return [part for part in content if part.get("type") == "file" and "url" not in part] if isinstance(content, list) else []


def _known(content: Any) -> Any:
    missing = _files(content)
    return [part for part in content if part not in missing] if missing else content
