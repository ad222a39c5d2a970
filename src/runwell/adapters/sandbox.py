"""Python that nobody vouches for, in worker processes of pydantic-monty.

Monty is an interpreter of its own: no files, network, environment or imports beyond its small
standard library exist in it, and its heap, time and recursion are metered inside the worker. A
worker serves one run at a time, each in a fresh session; a cancelled run's worker is ended.

Monty's threads take the interpreter's lock for a moment after their last result was delivered. If
the process finalizes in that moment, it aborts (SIGABRT), whether runs were cancelled or not. So
`aclose` gives them time while it does not hold the lock itself.
"""

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal

from pydantic_monty import (
    AsyncMonty,
    MontyConversionError,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySyntaxError,
    OSPolicy,
    ResourceLimits,
)

from runwell.adapters.json_data import json_data
from runwell.model.errors import LimitExceeded, StepError, StepTimedOut
from runwell.ports.sandbox import SandboxLimits

SETTLE_S: Final = 0.1
"""What `aclose` waits for Monty's threads. They need less than a millisecond, on a busy machine ten."""
MAX_RECURSION: Final = 500
MAX_SUSPENSIONS: Final = 10_000
"""Round trips to the host in one run: sleeps and the refused calls to the operating system."""
OUT_OF_MEMORY: Final = re.compile(r"memory limit exceeded: \d+ bytes > (\d+) bytes")
OUT_OF_TIME: Final = re.compile(r"feed time limit exceeded: ")


class MontySandbox:
    """Runs at most `max_processes` snippets at a time; the others wait. The workers start with the first run.

    One instance belongs to one event loop.
    """

    def __init__(self, max_processes: int = 2) -> None:
        self._max_processes = max_processes
        self._slots = asyncio.Semaphore(max_processes)
        self._starting = asyncio.Lock()
        self._pool: AsyncMonty | None = None
        self._feeds: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, code: str, inputs: Mapping[str, Any], limits: SandboxLimits, on_print: Callable[[str, str], None]) -> Any:
        async with self._slots:
            pool = await self._started()
            output = _Output(limits.output_bytes, on_print)
            feed = asyncio.create_task(_feed(pool, code, inputs, limits, output))
            self._feeds.add(feed)
            feed.add_done_callback(self._feeds.discard)
            output.on_excess = feed.cancel
            return json_data(await _outcome(feed, output, limits))

    async def aclose(self) -> None:
        """End what runs and all workers; the process may finalize afterwards. Idempotent."""
        self._closed = True
        feeds = list(self._feeds)
        for feed in feeds:
            feed.cancel()
        if feeds:
            await asyncio.wait(feeds)
        async with self._starting:
            pool, self._pool = self._pool, None
            if pool is not None:
                await pool.__aexit__(None, None, None)
                await asyncio.sleep(SETTLE_S)

    async def _started(self) -> AsyncMonty:
        async with self._starting:
            if self._closed:
                raise StepError("STEP_INTERRUPTED", "the sandbox is closed", retryable=True)
            if self._pool is None:
                pool = AsyncMonty(min_processes=1, max_processes=self._max_processes)
                self._pool = await pool.__aenter__()
            return self._pool


class _Output:
    """What a snippet prints, counted where Monty's thread reports it and handed on in the event loop's thread."""

    def __init__(self, limit: int, on_print: Callable[[str, str], None]) -> None:
        self._limit = limit
        self._left = limit
        self._on_print = on_print
        self._loop = asyncio.get_running_loop()
        self._pending: deque[tuple[str, str]] = deque()
        self.on_excess: Callable[[], object] = lambda: None
        self.exceeded = False

    def receive(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        """Take a piece, in Monty's thread. Over the limit nothing more is kept, and the run is ended."""
        if self.exceeded:
            return
        self._left -= len(text.encode("utf-8", "surrogatepass"))
        self.exceeded = self._left < 0
        if not self.exceeded:
            self._pending.append((stream, text))
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._excess if self.exceeded else self.flush)

    def flush(self) -> None:
        while self._pending:
            self._on_print(*self._pending.popleft())

    def close(self) -> None:
        """Hand on what is left. Raises `LimitExceeded` when more was printed than allowed."""
        self.flush()
        if self.exceeded:
            raise LimitExceeded("LOG_SIZE_EXCEEDED", f"the code printed more than the {self._limit} bytes of limits.log_bytes", "log_bytes")

    def discard(self) -> None:
        """Hand on nothing more: the attempt is over."""
        self.exceeded = True
        self._pending.clear()

    def _excess(self) -> None:
        self.on_excess()


async def _outcome(feed: "asyncio.Task[Any]", output: _Output, limits: SandboxLimits) -> Any:
    """Return what the code returned, once all that it printed is handed on. Raises `StepError`."""
    try:
        result = await feed
        output.close()
        return result
    except MontyError as exc:
        output.close()
        raise _failure(exc, limits) from exc
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            output.discard()
            raise
        output.close()
        raise StepError("STEP_INTERRUPTED", "the sandbox was closed while the code ran", retryable=True) from None


async def _feed(pool: AsyncMonty, code: str, inputs: Mapping[str, Any], limits: SandboxLimits, output: _Output) -> Any:
    resources: ResourceLimits = {
        "max_feed_duration_secs": limits.time_s,
        "max_total_sleep_secs": limits.sleep_s,
        "max_memory": limits.memory_bytes,
        "max_recursion_depth": MAX_RECURSION,
        "max_suspensions": MAX_SUSPENSIONS,
    }
    # A cap on one sleep would cut it short silently; the total refuses it.
    policy: OSPolicy = {"sleep": "system", "sleep_system_max": math.inf}
    async with pool.checkout(limits=resources, os_policy=policy) as session:
        return await session.feed_run(code, inputs=dict(inputs), print_callback=output.receive)


def _failure(exc: MontyError, limits: SandboxLimits) -> StepError:
    """Return what a failed run means to the step."""
    if isinstance(exc, MontyCrashedError):
        if exc.timed_out:
            return StepTimedOut(limits.time_s)
        return StepError("PYTHON_FAILED", f"the sandbox's worker process ended: {exc}", retryable=True)
    if isinstance(exc, MontyConversionError):
        return StepError("PYTHON_FAILED", f"an input cannot enter the sandbox: {exc}; pass JSON data")
    if not isinstance(exc, MontyRuntimeError | MontySyntaxError):
        return StepError("PYTHON_FAILED", str(exc), details={"traceback": str(exc)})
    raised, said = exc.exception(), exc.display("msg")
    if isinstance(raised, MemoryError) and _is_limit(said, limits):
        megabytes = limits.memory_bytes / (1024 * 1024)
        return LimitExceeded("MEMORY_LIMIT_EXCEEDED", f"the code needs more than {megabytes:g} MB; raise limits.memory_mb", "memory_mb")
    if isinstance(raised, TimeoutError) and OUT_OF_TIME.match(said) and not exc.traceback():
        return StepTimedOut(limits.time_s)
    line = f" (line {exc.traceback()[0].line})" if isinstance(exc, MontySyntaxError) and exc.traceback() else ""
    return StepError("PYTHON_FAILED", exc.display("type-msg") + line, details={"traceback": exc.display("traceback")})


def _is_limit(said: str, limits: SandboxLimits) -> bool:
    """Whether it is the sandbox's own MemoryError: it names the limit; one that the code raises can at most imitate it."""
    match = OUT_OF_MEMORY.fullmatch(said)
    return match is not None and int(match[1]) == limits.memory_bytes
