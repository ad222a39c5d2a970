"""Conversations in memory, with models that a function of the request plays."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runwell.model.commands import SendMessage
from runwell.model.events import Event, TurnEnded
from runwell.model.run import RunView
from runwell.ports.models import ModelRequest, ToolCall
from runwell.testing import MemoryApp, ScriptedModels, memory_app
from runwell.testing.scripted_model import Answer


def conversation(nodes: list[dict[str, Any]], edges: Any = (), **fields: Any) -> dict[str, Any]:
    step = {"id": "talk", "type": "conversation", "model": "scripted:talker", "nodes": nodes, "edges": list(edges), **fields}
    return {"name": "talking", "steps": [step]}


def picks(key: str, **args: Any) -> list[ToolCall]:
    """Return a judge's answer."""
    return [ToolCall(id="call_1", name=key, args=args)]


def is_judge(request: ModelRequest) -> bool:
    return any(tool.name == "none_of_these" for tool in request.tools)


class Talk:
    """A run of one conversation step, told what the person says."""

    def __init__(self, app: MemoryApp, run_id: str, models: ScriptedModels) -> None:
        self.app, self.run_id, self.models = app, run_id, models

    async def say(self, body: Any) -> list[str]:
        """Say something; return what was answered."""
        before = len(await self.turns())
        await self.app.runtime.command(self.run_id, SendMessage(name="talk", body=body))
        await self.rest()
        return [told["text"] for turn in (await self.turns())[before:] for told in turn.output]

    async def rest(self) -> RunView:
        return await self.app.rest(self.run_id)

    async def events(self) -> list[Event]:
        return list(await self.app.journal.events(self.run_id, limit=100_000))

    async def turns(self) -> list[TurnEnded]:
        return [event.data for event in await self.events() if isinstance(event.data, TurnEnded)]

    async def path(self) -> list[str]:
        return [step["node"] for turn in await self.turns() for step in turn.path]


def talking(
    document: dict[str, Any],
    test: Callable[[Talk], Awaitable[None]],
    answers: list[Answer] | Callable[[ModelRequest], Answer] = (),  # type: ignore[assignment]
    input: Any = None,
    **parts: Any,
) -> None:
    async def run() -> None:
        models = ScriptedModels(answers)
        async with memory_app(models=models, **parts) as app:
            talk = Talk(app, await app.start(document, input), models)
            await talk.rest()
            await test(talk)

    asyncio.run(run())
