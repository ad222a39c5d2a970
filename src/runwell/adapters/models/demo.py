"""The demo model: answers without key and network, and says that it is a demo.

The same request always gets the same answer. With an `output_schema` the answer obeys it (`demo_object`). Tokens are
counted as characters / 4, and cost nothing. Two of its names are for looking at things: `demo:paid` has a pretended price, and
`demo:slow` writes at reading pace, as much as `max_tokens` asks for.

Offered tools, it calls those that the user's last message names, in the order of the offer, or else the first one; once the
results are there it answers. `tool_choice` is kept.
"""

import asyncio
import hashlib
import re
import time
from typing import Final

import msgspec

from runwell.adapters.models.demo_object import Unbuildable, demo_object
from runwell.adapters.models.failures import failed
from runwell.model.canonical import canonical_json
from runwell.model.usage import Usage
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta, ToolCall, ToolOffer

_QUOTED = 160
"""As many characters of the question a text answer repeats."""

_SLOW: Final = "demo:slow"
_WORD_S: Final = 0.12
"""How long `demo:slow` takes for a word."""

_PAID: Final = "demo:paid"
_NANOS: Final = (2_000, 8_000)
"""What `demo:paid` pretends that a token costs: 2 and 8 dollars for a million of those read and written."""


class DemoModels(Models):
    """Answers every `demo:` model."""

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        started = time.perf_counter()
        calls = _calls(request)
        text = "" if calls else _object(request) if request.output_schema is not None else _text(request)
        pace_s = _WORD_S if request.model == _SLOW else 0.0
        first_token_ms = await _stream(text, on_delta, started, pace_s) if text and (on_delta or pace_s) else None
        usage = _usage(request, text + "".join(str(call.args) for call in calls))
        return ModelAnswer(
            text=text,
            provider="demo",
            key="none",
            tool_calls=calls,
            model=request.model.partition(":")[2],
            response_model=f"{request.model} (no real model)",
            usage=usage,
            latency_ms=_ms_since(started),
            first_token_ms=first_token_ms,
            finish_reason="tool_call" if calls else "stop",
            price_snapshot="pretended" if request.model == _PAID else None,
        )

    async def aclose(self) -> None:
        return None


async def _stream(text: str, on_delta: OnDelta | None, started: float, pace_s: float) -> float:
    """Hand over the text word by word; return when the first one went, in ms."""
    first: float | None = None
    for word in re.findall(r"\S+\s*|\s+", text):
        first = _ms_since(started) if first is None else first
        if on_delta is not None:
            on_delta(word)
        await asyncio.sleep(pace_s)
    return first or 0.0


def _text(request: ModelRequest) -> str:
    last = request.messages[-1]
    question = " ".join((last.text if last.role == "tool" else _last_user_message(request)).split())
    shown = question if len(question) <= _QUOTED else question[:_QUOTED].rstrip() + " ..."
    text = f"[demo model] No real model was asked. This answer ({_seed(request)[:8]}) stands for one to: {shown}"
    wanted = request.params.get("max_tokens")
    if request.model != _SLOW or not isinstance(wanted, int):
        return text
    return "\n\n".join([text] * (1 + wanted * 4 // (len(text) + 2)))


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


def _usage(request: ModelRequest, written: str) -> Usage:
    tokens_in, tokens_out = _tokens("".join(message.text for message in request.messages)), _tokens(written)
    nanos = tokens_in * _NANOS[0] + tokens_out * _NANOS[1] if request.model == _PAID else 0
    return Usage(input_tokens=tokens_in, output_tokens=tokens_out, generations=1, cost_nanos=nanos)


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
