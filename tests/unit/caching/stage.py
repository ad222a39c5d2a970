"""A model that counts its calls and can be held, and documents that ask it."""

import asyncio
from typing import Any

from runwell.model.errors import StepError
from runwell.model.events import Event
from runwell.model.usage import Usage
from runwell.ports.journal import Cached
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta
from runwell.storage.memory_journal import MemoryJournal
from runwell.testing import MemoryApp

PRICE = Usage(input_tokens=10, output_tokens=5, generations=1, cost_nanos=2_000_000)


class CountingModel(Models):
    """Answers `answer <n>` to its n-th call, or raises what the test put into `failures`. Held, calls wait until it is let go."""

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self.failures: list[StepError] = []
        self._open = asyncio.Event()
        self._open.set()

    @property
    def calls(self) -> int:
        return len(self.requests)

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        self.requests.append(request)
        number = len(self.requests)
        await self._open.wait()
        if self.failures:
            raise self.failures.pop(0)
        return ModelAnswer(text=f"answer {number}", provider="test", model=request.model, usage=PRICE, latency_ms=1.0)

    async def aclose(self) -> None:
        return None


def ask(temperature: float | str | None = 0, **fields: Any) -> dict[str, Any]:
    params = {} if temperature is None else {"params": {"temperature": temperature}}
    return {"id": "ask", "type": "llm", "model": "test:m", "prompt": "Say {{ input.text }}", **params, **fields}


def document(*steps: dict[str, Any], name: str = "asks", **fields: Any) -> dict[str, Any]:
    return {"name": name, "steps": list(steps or [ask()]), **fields}


HELLO = {"text": "hello"}


def broken(retryable: bool = False) -> StepError:
    return StepError("LLM_REQUEST_FAILED", "no answer today", retryable=retryable, details={"reason": "overloaded"})


async def settled(app: MemoryApp, wanted: int, model: CountingModel) -> None:
    """Wait until the model was called so often, and everything else has come to rest."""
    async with asyncio.timeout(5):
        while model.calls < wanted:
            await app.clock.settle()
            await asyncio.sleep(0.001)
    for _ in range(5):
        await app.clock.settle()
        await asyncio.sleep(0.001)


class SlowJournal(MemoryJournal):
    """Whose first look-up says what was true when it began, but only once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let_go = asyncio.Event(), asyncio.Event()

    async def cached(self, key: str) -> Cached | None:
        found = await super().cached(key)
        await self._late()
        return found

    async def cached_step(self, key: str) -> Event | None:
        found = await super().cached_step(key)
        await self._late()
        return found

    async def _late(self) -> None:
        if not self.asked.is_set():
            self.asked.set()
            await self.let_go.wait()


class HeldJournal(MemoryJournal):
    """Whose commits take as long as the test wants: until `let_go`."""

    is_held = False

    def _commit(self) -> None:
        if not self.is_held:
            super()._commit()

    def let_go(self) -> None:
        self.is_held = False
        self._commit()
