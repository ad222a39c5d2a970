"""The demo model: answers without key and network, and says that it is a demo.

The same request always gets the same answer. With an `output_schema` the answer obeys it (`demo_object`). Tokens are
counted as characters / 4, and cost nothing.

Offered tools, it calls those that the user's last message names, in the order of the offer, or else the first one; once the
results are there it answers. `tool_choice` is kept.
"""

import asyncio
import hashlib
import re
import time

import msgspec

from runwell.adapters.models.demo_object import Unbuildable, demo_object
from runwell.adapters.models.failures import failed
from runwell.model.canonical import canonical_json
from runwell.model.usage import Usage
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta, ToolCall, ToolOffer

_QUOTED = 160
"""As many characters of the question a text answer repeats."""


class DemoModels(Models):
    """Answers every `demo:` model."""

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        started = time.perf_counter()
        calls = _calls(request)
        text = "" if calls else _object(request) if request.output_schema is not None else _text(request)
        first_token_ms = await _stream(text, on_delta, started) if on_delta and text else None
        return ModelAnswer(
            text=text,
            provider="demo",
            key="none",
            tool_calls=calls,
            model=request.model.partition(":")[2],
            response_model=f"{request.model} (no real model)",
            usage=Usage(
                input_tokens=_tokens("".join(message.text for message in request.messages)),
                output_tokens=_tokens(text + "".join(str(call.args) for call in calls)),
                generations=1,
            ),
            latency_ms=_ms_since(started),
            first_token_ms=first_token_ms,
            finish_reason="tool_call" if calls else "stop",
        )

    async def aclose(self) -> None:
        return None


async def _stream(text: str, on_delta: OnDelta, started: float) -> float:
    """Hand over the text word by word; return when the first one went, in ms."""
    first: float | None = None
    for word in re.findall(r"\S+\s*|\s+", text):
        first = _ms_since(started) if first is None else first
        on_delta(word)
        await asyncio.sleep(0)
    return first or 0.0


def _text(request: ModelRequest) -> str:
    last = request.messages[-1]
    question = " ".join((last.text if last.role == "tool" else _last_user_message(request)).split())
    shown = question if len(question) <= _QUOTED else question[:_QUOTED].rstrip() + " ..."
    return f"[demo model] No real model was asked. This answer ({_seed(request)[:8]}) stands for one to: {shown}"


def _calls(request: ModelRequest) -> tuple[ToolCall, ...]:
    choice, tools = request.tool_choice, request.tools
    if not tools or choice == "none" or (choice == "auto" and request.messages[-1].role == "tool"):
        return ()
    question = _last_user_message(request)
    named = [tool for tool in tools if tool.name in question] or list(tools[:1])
    wanted = [tool for tool in tools if tool.name == choice] or named
    seed = _seed(request)
    return tuple(_call(tool, f"call_{seed[:8]}_{place}", f"{seed}{place}", question) for place, tool in enumerate(wanted))


def _call(tool: ToolOffer, call_id: str, seed: str, question: str) -> ToolCall:
    try:
        return ToolCall(id=call_id, name=tool.name, args=demo_object(tool.input_schema, seed=seed, message=question))
    except Unbuildable as exc:
        raise failed("bad_request", f"the demo model finds no arguments for the tool {tool.name!r} ({exc}): simplify its schema") from exc


def _object(request: ModelRequest) -> str:
    try:
        value = demo_object(request.output_schema, seed=_seed(request), message=_last_user_message(request))
    except Unbuildable as exc:
        raise failed("bad_request", f"the demo model finds no value that obeys this output_schema ({exc}): simplify it") from exc
    return msgspec.json.encode(value).decode()


def _last_user_message(request: ModelRequest) -> str:
    return next((message.text for message in reversed(request.messages) if message.role == "user"), "")


def _seed(request: ModelRequest) -> str:
    return hashlib.sha256(
        canonical_json({name: value for name, value in msgspec.to_builtins(request).items() if name != "scope"})
    ).hexdigest()


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
