"""A `ModelRequest` as pydantic-ai takes it: its settings, and the form of the output."""

import json
from dataclasses import replace
from typing import Any, Final, cast

from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from runwell.adapters.models.connections import Connection, Protocol
from runwell.adapters.models.failures import failed
from runwell.adapters.models.strictness import is_any_object, strictness, survives_closing
from runwell.ports.models import Message, ModelRequest

_SHARED: Final = ("temperature", "top_p", "max_tokens", "stop_sequences")

_SETTINGS: Final[dict[Protocol, frozenset[str]]] = {
    "openai": frozenset({*_SHARED, "seed", "presence_penalty", "frequency_penalty", "logit_bias", "openai_reasoning_effort"}),
    "anthropic": frozenset({*_SHARED, "top_k"}),
    "google": frozenset({*_SHARED, "top_k", "seed", "presence_penalty", "frequency_penalty"}),
    "mistral": frozenset({*_SHARED, "seed", "presence_penalty", "frequency_penalty"}),
}
"""What pydantic-ai has a setting for. All else goes into the request's body as it is, save for Google and Mistral: they take no more."""

_ALIASES: Final[dict[Protocol, dict[str, str]]] = {
    "openai": {"stop": "stop_sequences", "max_output_tokens": "max_tokens", "reasoning_effort": "openai_reasoning_effort"},
    "anthropic": {"stop": "stop_sequences"},
    "mistral": {"stop": "stop_sequences", "random_seed": "seed"},
    "google": {
        "stop": "stop_sequences",
        "max_output_tokens": "max_tokens",
        "maxOutputTokens": "max_tokens",
        "topP": "top_p",
        "topK": "top_k",
        "stopSequences": "stop_sequences",
        "presencePenalty": "presence_penalty",
        "frequencyPenalty": "frequency_penalty",
    },
}

_OURS: Final = frozenset(
    {"model", "messages", "input", "system", "stream", "stream_options", "n", "response_format", "text", "tools", "tool_choice"}
)
"""Fields of the body that the step itself writes."""


def settings_of(connection: Connection, params: dict[str, Any]) -> ModelSettings:
    """Raises `StepError` (reason `bad_request`) for a parameter that cannot be sent."""
    settings: dict[str, Any] = {"max_retries": 0}
    body: dict[str, Any] = {}
    for name, value in params.items():
        setting = _ALIASES[connection.protocol].get(name, name)
        if setting in _SETTINGS[connection.protocol]:
            settings[setting] = [value] if setting == "stop_sequences" and isinstance(value, str) else value
        elif name in _OURS:
            raise failed("bad_request", f"params may not hold {name!r}: the step sets it itself")
        else:
            body[name] = value
    if body and connection.protocol in ("google", "mistral"):
        known = ", ".join(sorted(_SETTINGS[connection.protocol]))
        to = connection.protocol.capitalize()
        raise failed("bad_request", f"params holds {', '.join(map(repr, body))}, which cannot be sent to {to}: it takes {known}")
    if body:
        settings["extra_body"] = body
    return cast(ModelSettings, settings)


def speaks_schemas(connection: Connection, model: Model, schema: dict[str, Any]) -> bool:
    """Say whether the provider can hold its answer to the schema: only objects, not every model, and Anthropic closed ones alone."""
    if schema.get("type") != "object" or not model.profile.get("supports_json_schema_output"):
        return False
    return connection.protocol != "anthropic" or survives_closing(model, schema)


def held_output(connection: Connection, model: Model, schema: dict[str, Any], tools: ModelRequestParameters) -> ModelRequestParameters:
    """Return the parameters that hold the answer to the schema."""
    if connection.protocol != "openai":
        return native_output(schema, tools)
    if asks_json_object(connection, model, schema):
        return replace(tools, output_mode="prompted", prompted_output_template=False)
    return native_output(schema, tools, strict=strictness(model, schema))


def asks_json_object(connection: Connection, model: Model, schema: dict[str, Any]) -> bool:
    """Say whether OpenAI's `json_object` asks for the schema. It wants the word JSON in the messages."""
    return connection.protocol == "openai" and is_any_object(schema) and bool(model.profile.get("supports_json_object_output"))


def native_output(schema: dict[str, Any], tools: ModelRequestParameters, *, strict: bool | None = None) -> ModelRequestParameters:
    described = OutputObjectDefinition(json_schema=schema, name=_name(schema), description=schema.get("description"), strict=strict)
    return replace(tools, output_mode="native", output_object=described)


def with_strictness(connection: Connection, model: Model, tools: ModelRequestParameters) -> ModelRequestParameters:
    """Let tools be strict only where that leaves their parameters what they are. Raises `StepError` for one that must be strict."""
    return replace(tools, function_tools=[_with_strictness(connection, model, tool) for tool in tools.function_tools])


def _with_strictness(connection: Connection, model: Model, tool: ToolDefinition) -> ToolDefinition:
    schema, vendor = tool.parameters_json_schema, connection.protocol
    if vendor not in ("openai", "anthropic") or tool.strict is False:
        return tool
    if tool.strict:
        able = survives_closing(model, schema) if vendor == "anthropic" else strictness(model, schema) is None
        if not able:
            why = "close each object of its parameters, and require all properties, with types that strict mode knows, or leave strict out"
            raise failed("bad_request", f"the tool {tool.name!r} cannot be strict: {why}")
        return tool
    return tool if vendor == "anthropic" else replace(tool, strict=strictness(model, schema))


def _name(schema: dict[str, Any]) -> str:
    """Providers take letters, digits, `_` and `-`, up to 64."""
    letters = [letter for letter in str(schema.get("title", "")) if letter.isascii() and (letter.isalnum() or letter in "_-")]
    return "".join(letters)[:64] or "answer"


def with_schema_asked(request: ModelRequest) -> tuple[Message, ...]:
    """Return the messages with the schema told in words, at the end of the first system message."""
    schema = json.dumps(request.output_schema, ensure_ascii=False)
    plea = f"Answer with JSON only, without any text or Markdown around it, that follows this JSON Schema:\n{schema}"
    first, *rest = request.messages
    if first.role != "system":
        return (Message(role="system", content=plea), first, *rest)
    return (Message(role="system", content=f"{first.text}\n\n{plea}"), *rest)
