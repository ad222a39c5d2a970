"""The demo model: answers without key and network, and says that it is a demo.

The same request always gets the same answer. With an `output_schema` the answer obeys it (`demo_object`). Tokens are
counted as characters / 4, and cost nothing.
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
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta

_QUOTED = 160
"""As many characters of the question a text answer repeats."""


class DemoModels(Models):
    """Answers every `demo:` model."""

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        started = time.perf_counter()
        text = _object(request) if request.output_schema is not None else _text(request)
        first_token_ms = await _stream(text, on_delta, started) if on_delta else None
        return ModelAnswer(
            text=text,
            provider="demo",
            model=request.model.partition(":")[2],
            response_model=f"{request.model} (no real model)",
            usage=Usage(
                input_tokens=_tokens("".join(message.content for message in request.messages)), output_tokens=_tokens(text), generations=1
            ),
            latency_ms=_ms_since(started),
            first_token_ms=first_token_ms,
            finish_reason="stop",
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
    question = " ".join(_last_user_message(request).split())
    shown = question if len(question) <= _QUOTED else question[:_QUOTED].rstrip() + " ..."
    return f"[demo model] No real model was asked. This answer ({_seed(request)[:8]}) stands for one to: {shown}"


def _object(request: ModelRequest) -> str:
    try:
        value = demo_object(request.output_schema, seed=_seed(request), message=_last_user_message(request))
    except Unbuildable as exc:
        raise failed("bad_request", f"the demo model finds no value that obeys this output_schema ({exc}): simplify it") from exc
    return msgspec.json.encode(value).decode()


def _last_user_message(request: ModelRequest) -> str:
    return next((message.content for message in reversed(request.messages) if message.role == "user"), "")


def _seed(request: ModelRequest) -> str:
    return hashlib.sha256(
        canonical_json({name: value for name, value in msgspec.to_builtins(request).items() if name != "scope"})
    ).hexdigest()


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
