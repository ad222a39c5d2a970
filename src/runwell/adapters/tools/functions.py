"""Registered Python functions as tools, beside those that the port behind reaches.

They run in this process with the operator's means, so they are the default organization's, as MCP commands are. A sync
function has a thread of its own: one that never returns keeps nothing but that thread.
"""

import asyncio
import contextvars
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from pydantic_core import PydanticSerializationError, to_jsonable_python

from runwell.adapters.json_data import json_data
from runwell.model.errors import InvalidInput, StepError
from runwell.model.ids import DEFAULT_ORG
from runwell.model.scope import Scope
from runwell.ports.tools import OnLog, ToolInfo, ToolOutcome, Tools
from runwell.sdk.function_set import FunctionSet
from runwell.sdk.tool import Tool, ToolContext, called

USUAL_S: Final = 60.0
AT_ONCE: Final = 64
"""So many sync functions run at the same time; further calls wait for their turn."""
SHOWN: Final = 4_000
"""Characters of a traceback that are kept."""


class WithFunctions(Tools):
    """Knows `python:<name>` for each function of the set."""

    def __init__(self, others: Tools, functions: FunctionSet) -> None:
        self._others, self._functions = others, functions
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        own = [_info(self._found(scope, name)) for name in names if _is_function(name)]
        others = [name for name in names if not _is_function(name)]
        return [*own, *(await self._others.list(scope, others) if others else [])]

    async def call(
        self,
        scope: Scope,
        name: str,
        args: Mapping[str, Any],
        *,
        idempotency_key: str,
        on_log: OnLog | None = None,
        timeout_s: float | None = None,
    ) -> ToolOutcome:
        if not _is_function(name):
            return await self._others.call(scope, name, args, idempotency_key=idempotency_key, on_log=on_log, timeout_s=timeout_s)
        tool = self._found(scope, name)
        try:
            call = tool.begin(args)
        except InvalidInput as exc:
            errors = [str(problem) for problem in exc.problems]
            raise StepError("TOOL_FAILED", f"{name}: {exc.message}", details={"reason": "invalid_args", "errors": errors}) from exc
        limit_s = timeout_s or tool.timeout_s or USUAL_S
        before = called.set(ToolContext(idempotency_key=idempotency_key, log=_on_loop(on_log or (lambda line: None))))
        try:
            async with asyncio.timeout(limit_s) as limit:
                result = await (call() if tool.is_async else self._in_thread(call))
        except StepError:
            raise
        except Exception as exc:
            if limit.expired():
                message = f"{name} did not return within {limit_s:g} s"
                raise StepError("PYTHON_FAILED", message, retryable=True, details={"reason": "timeout"}) from None
            raise _failed(name, exc) from exc
        finally:
            called.reset(before)
        return ToolOutcome(result=_result(name, result))

    async def aclose(self) -> None:
        await self._others.aclose()

    def _found(self, scope: Scope, name: str) -> Tool[..., Any]:
        tool = self._functions.get(name.partition(":")[2]) if scope.org_id == DEFAULT_ORG else None
        if tool is None:
            message = f"no function is registered as {name!r} here; the modules of RUNWELL_TOOL_MODULES have those that are"
            raise StepError("TOOL_FAILED", message, details={"reason": "unknown_tool"})
        return tool

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        async with self._turns:
            return await _threaded(call)


def _is_function(name: str) -> bool:
    return name.startswith("python:")


def _info(tool: Tool[..., Any]) -> ToolInfo:
    return ToolInfo(
        name=tool.full_name,
        description=tool.description,
        input_schema=tool.input_schema,
        unsafe=tool.unsafe,
        requires_approval=tool.requires_approval,
    )


def _on_loop(log: OnLog) -> OnLog:
    """Return what may be told a line from any thread."""
    loop = asyncio.get_running_loop()

    def tell(line: str) -> None:
        if threading.get_ident() == home:
            log(str(line))
        elif not loop.is_closed():
            loop.call_soon_threadsafe(log, str(line))

    home = threading.get_ident()
    return tell


async def _threaded(call: Callable[[], Any]) -> Any:
    """Return what the call returns, made on a thread for which no process waits at its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def work() -> None:
        result, error = None, None
        try:
            result = context.run(call)
        except Exception as exc:
            error = RuntimeError(f"it raised {exc!r}") if isinstance(exc, StopIteration) else exc
        except BaseException as exc:  # SystemExit ends a thread, but not the wait for it
            error = RuntimeError(f"it raised {type(exc).__name__}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="runwell-tool", daemon=True).start()
    return await done


def _failed(name: str, exc: Exception) -> StepError:
    trace = "".join(traceback.format_exception(exc))[-SHOWN:]
    message = f"{name} raised {type(exc).__name__}: {exc}"[:SHOWN]
    return StepError("PYTHON_FAILED", message, retryable=True, details={"reason": "raised", "traceback": trace})


def _result(name: str, value: Any) -> Any:
    """Return what the function returned as JSON data. Raises `StepError`."""
    try:
        data = json_data(to_jsonable_python(value))
        msgspec.json.encode(data)
    except StepError as exc:
        raise StepError("PYTHON_FAILED", f"{name}: {exc.message}", details={"reason": "result"}) from exc
    except (PydanticSerializationError, ValueError, TypeError, RecursionError, OverflowError) as exc:
        message = f"{name} returned what cannot be kept as JSON: {exc}"[:SHOWN]
        raise StepError("PYTHON_FAILED", message, details={"reason": "result"}) from exc
    return data
