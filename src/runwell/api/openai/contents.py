"""Parts of messages, tools and formats in OpenAI's words, as ours. What cannot be done here raises `InvalidInput` that names its place."""

import json
import mimetypes
from collections.abc import Sequence
from typing import Any, Final

from runwell.model.errors import InvalidInput, Problem
from runwell.model.schema import schema_problems
from runwell.ports.models import File, Part, Text, ToolCall, ToolOffer

_AUDIO: Final = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_TEXTS: Final = frozenset({"text", "input_text", "output_text"})

ANY_OBJECT: Final[dict[str, Any]] = {"type": "object"}


def unsupported(pointer: str, message: str, hint: str) -> InvalidInput:
    problem = Problem(code="unsupported", message=message, pointer=pointer, hint=hint)
    return InvalidInput(message, hint=hint, problems=(problem,))


def content_of(content: str | Sequence[Any] | None, pointer: str) -> str | tuple[Part, ...]:
    """Return a message's content; text alone is a string."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = tuple(_part(part, f"{pointer}/{i}") for i, part in enumerate(content))
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return parts


def _part(part: Any, pointer: str) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    match part:
        case {"type": "refusal", "refusal": str(text)}:
            return Text(text=text)
        case {"text": str(text)} if kind in _TEXTS:
            return Text(text=text)
        case {"type": "image_url", "image_url": {"url": str(url)}} | {"type": "input_image", "image_url": str(url)}:
            return _file(url, pointer)
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(form)}}:
            return _file(f"data:{_AUDIO.get(form, f'audio/{form}')};base64,{data}", pointer)
        case {"type": "file", "file": {"file_data": str(data), **more}} | {"type": "input_file", "file_data": str(data), **more}:
            return _file(data if data.startswith("data:") else _named(data, more.get("filename")), pointer)
    raise unsupported(
        pointer,
        f"a part of type {str(kind)[:40]!r} is not understood here, or lacks what it is to hold",
        "send text, image_url, input_audio, or file with its file_data",
    )


def _file(url: str, pointer: str) -> File:
    media_type = url[5:].partition(";")[0].lower() if url.startswith("data:") else ""
    if not media_type:
        raise unsupported(pointer, f"a file is {url[:40]!r}, which is no data URL", "send the file itself: data:image/png;base64,...")
    return File(url=url, media_type=media_type)


def _named(data: str, name: Any) -> str:
    media_type = mimetypes.guess_type(name)[0] if isinstance(name, str) else None
    return f"data:{media_type or 'application/pdf'};base64,{data}"


def call_of(call_id: str, name: str, arguments: str) -> ToolCall:
    """Return a tool call that the model made before; arguments that are no JSON object stay text, as it wrote them."""
    try:
        args = json.loads(arguments or "{}")
    except ValueError:
        args = arguments
    return ToolCall(id=call_id, name=name, args=args if isinstance(args, dict) else arguments)


def offer_of(
    name: str, description: str | None, parameters: dict[str, Any] | None, pointer: str, *, strict: bool | None = None
) -> ToolOffer:
    if not parameters:
        return ToolOffer(name=name, description=description, strict=strict)
    _check_schema(parameters, pointer)
    return ToolOffer(name=name, description=description, input_schema=parameters, strict=strict)


def output_schema_of(form: Any, schema: Any, name: str | None, pointer: str) -> dict[str, Any] | None:
    """Return the schema that a format asks for; None for text."""
    if form in (None, "text"):
        return None
    if form == "json_object":
        return ANY_OBJECT
    if form != "json_schema" or not isinstance(schema, dict):
        raise unsupported(pointer, f"the format is {str(form)[:40]!r} without a schema", "send text, json_object or json_schema")
    _check_schema(schema, pointer)
    return schema if "title" in schema or not name else {"title": name, **schema}


def _check_schema(schema: dict[str, Any], pointer: str) -> None:
    found = schema_problems(schema)
    if found:
        placed = Problem(code="bad_schema", message=found[0].message, pointer=pointer + (found[0].pointer or ""), hint=found[0].hint)
        raise InvalidInput(found[0].message, hint=found[0].hint, problems=(placed,))


def arguments_of(args: Any) -> str:
    """Return the arguments of a call as the text that clients parse."""
    return args if isinstance(args, str) else json.dumps({} if args is None else args, ensure_ascii=False)
