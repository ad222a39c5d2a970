"""The step `llm`: one answer of a model, as text or as an object of a schema."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from runwell.model.caching import CacheUse, is_zero
from runwell.model.errors import StepError
from runwell.model.model_call import RETRYABLE, Reason
from runwell.model.schema import SchemaCheck
from runwell.model.step import Part, StepSpec
from runwell.ports.models import File, Message, ModelRequest, Text
from runwell.ports.steps import StepContext, StepType
from runwell.steps.generation import call_model, reason_of, record_answer

MOVES_ON: Final[frozenset[Reason]] = RETRYABLE | {"auth", "unknown_model", "missing_key", "content_filter", "context_length"}
"""Why the next of `models` is asked, unless `fallback_on` says it: all but a request that no other model would take, either."""

MOST_FILES: Final = 20

SHOWN_ERRORS: Final = 5


class TextContent(Part):
    """Text, as a part of a message."""

    type: Literal["text"]
    text: str


class FileContent(Part):
    """A file, as a part of a message: an image, audio or PDF as a data URL."""

    type: Literal["file"]
    url: str


Content = Annotated[TextContent | FileContent, Field(discriminator="type")]


class ChatMessage(Part):
    """One message of a conversation: text, or a list of texts and files."""

    role: Literal["system", "user", "assistant"]
    content: str | tuple[Content, ...]


class LlmStep(StepSpec):
    """Ask a model. The result is its text or, with `output_schema`, the object that it wrote.

    `models` is a list of which the next one is asked when one fails, for a reason of `fallback_on` when that is given. `files`
    are data URLs (`data:image/png;base64,...`) that go along with the prompt. An answer that breaks the schema is sent back,
    with what is wrong, up to `repair_attempts` times.
    """

    templates = frozenset({"model", "models", "prompt", "files", "messages", "system", "params"})
    calls_model = True

    type: Literal["llm"]
    model: str | None = None
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10)
    fallback_on: tuple[Reason, ...] | None = None
    prompt: str | None = None
    files: tuple[str, ...] | str = ()
    messages: tuple[ChatMessage, ...] | None = Field(default=None, min_length=1)
    system: str | None = None
    output_schema: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    connection: str | None = None
    repair_attempts: int = Field(default=2, ge=0, le=5)

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        params = given.get("params")
        return "auto" if isinstance(params, Mapping) and is_zero(params.get("temperature")) else "always"


async def ask(ctx: StepContext) -> Any:
    """Ask the models in turn until one answers; raise the last one's error when none does."""
    given, spec = ctx.input, ctx.spec
    assert isinstance(spec, LlmStep)
    names = given.get("models") or [given.get("model")]
    for place, name in enumerate(names):
        try:
            return await _ask_one(ctx, spec, _request(ctx, spec, name), place)
        except StepError as exc:
            if place == len(names) - 1 or not another_may_do(exc, spec.fallback_on):
                raise
    raise AssertionError("a list of models is not empty")


def another_may_do(error: StepError, fallback_on: tuple[Reason, ...] | None) -> bool:
    """Whether the next of several models is to be asked."""
    reason = reason_of(error)
    if fallback_on is not None:
        return reason in fallback_on
    return error.retryable or reason in MOVES_ON


def _request(ctx: StepContext, spec: LlmStep, name: Any) -> ModelRequest:
    given = ctx.input
    if not isinstance(name, str):
        raise StepError("LLM_REQUEST_FAILED", f"the model's name is {name!r}, not text", details={"reason": "unknown_model"})
    system = [Message(role="system", content=given["system"])] if given.get("system") else []
    turns = [Message(role=turn["role"], content=_content(turn["content"])) for turn in given.get("messages") or ()]
    prompt = [_prompt(given["prompt"], given.get("files"))] if given.get("prompt") is not None else []
    return ModelRequest(
        scope=ctx.scope,
        model=name,
        messages=(*system, *turns, *prompt),
        output_schema=spec.output_schema,
        params=given.get("params") or {},
        connection=spec.connection,
    )


def _prompt(prompt: Any, files: Any) -> Message:
    urls = [files] if isinstance(files, str) else files or []
    if not urls:
        return Message(role="user", content=as_text(prompt))
    if len(urls) > MOST_FILES:
        raise StepError("LLM_REQUEST_FAILED", f"{len(urls)} files, more than {MOST_FILES}", details={"reason": "bad_request"})
    return Message(role="user", content=(Text(text=as_text(prompt)), *map(_file, urls)))


def _content(value: Any) -> str | tuple[Text | File, ...]:
    if isinstance(value, list) and value and all(_is_part(part) for part in value):
        return tuple(Text(text=as_text(part["text"])) if part["type"] == "text" else _file(part["url"]) for part in value)
    return as_text(value)


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("text", "file") and ("text" if value["type"] == "text" else "url") in value


def _file(url: Any) -> File:
    """Raises `StepError` (reason `bad_request`) for what is no data URL."""
    media_type = url[5:].partition(";")[0].lower() if isinstance(url, str) and url.startswith("data:") else ""
    if not media_type:
        message = f"a file is {str(url)[:40]!r}, which is no data URL: write it as data:image/png;base64,..."
        raise StepError("LLM_REQUEST_FAILED", message, details={"reason": "bad_request"})
    return File(url=url, media_type=media_type)


def as_text(value: Any) -> str:
    """Return text as it is, and other data as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _ask_one(ctx: StepContext, spec: LlmStep, request: ModelRequest, place: int) -> Any:
    if spec.output_schema is None:
        answer = await call_model(ctx, request, place)
        record_answer(ctx, request, answer, place)
        return answer.text
    check = SchemaCheck(spec.output_schema)
    for _ in range(spec.repair_attempts + 1):
        answer = await call_model(ctx, request, place)
        value, wrong = read_answer(answer.text, check)
        record_answer(ctx, request, answer, place, "invalid_output" if wrong else None)
        if not wrong:
            return value
        request = with_repair(request, answer.text, wrong)
    raise invalid_output(request.model, answer.text, wrong, spec.repair_attempts + 1)


def invalid_output(model: str, text: str, wrong: list[str], tries: int) -> StepError:
    """Return the error of a model that never kept to the schema: `text` is its last answer, and `wrong` what is wrong with that."""
    details: dict[str, object] = {"reason": "invalid_output", "raw": text[:20_000], "errors": wrong}
    message = f"{model} gave no answer of the output_schema in {tries} tries: {wrong[0]}"
    return StepError("LLM_INVALID_OUTPUT", message, retryable=True, details=details)


def read_answer(text: str, check: SchemaCheck) -> tuple[Any, list[str]]:
    """Return the value of the JSON text and what is wrong with it."""
    try:
        value = msgspec.json.decode(_unfenced(text))
    except msgspec.DecodeError as exc:
        return None, [f"not JSON: {exc}"]
    return value, [str(problem) for problem in check.problems(value)[:SHOWN_ERRORS]]


def _unfenced(text: str) -> str:
    """Return the text without the Markdown fence that models like to put around JSON."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and len(text) > 6:
        text = text[3:-3].removeprefix("json").removeprefix("JSON")
    return text


def with_repair(request: ModelRequest, text: str, wrong: list[str]) -> ModelRequest:
    """Return the request that sends the answer back with what is wrong."""
    return msgspec.structs.replace(request, messages=(*request.messages, Message(role="assistant", content=text), plea(wrong)))


def plea(wrong: list[str]) -> Message:
    """Return what a model is told whose answer breaks the schema."""
    problems = "\n".join(f"- {what}" for what in wrong)
    return Message(role="user", content=f"Your answer does not follow the schema:\n{problems}\nAnswer again, with the whole JSON only.")


def _problems(spec: StepSpec) -> list[tuple[str, str, str]]:
    assert isinstance(spec, LlmStep)
    found = []
    if (spec.model is None) == (spec.models is None):
        found.append(("", "an llm step needs model or models, and not both", "write model: openai:gpt-5-mini, or models: [a, b]"))
    if (spec.prompt is None) == (spec.messages is None):
        found.append(("", "an llm step needs prompt or messages, and not both", 'write prompt: "..."'))
    if spec.files and spec.prompt is None:
        found.append(("/files", "files go along with a prompt", "in messages, write a file as a part of a message's content"))
    if spec.fallback_on is not None and spec.models is None:
        found.append(("/fallback_on", "fallback_on chooses between models, and there is only one", "write models: [a, b]"))
    return found


STEP = StepType(name="llm", spec=LlmStep, handler=ask, problems=_problems, caches=True)
