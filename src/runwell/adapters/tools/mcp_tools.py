"""The tools of MCP servers: the port's implementation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from runwell.adapters.json_data import json_data
from runwell.adapters.tools.commands import McpCommand
from runwell.adapters.tools.failures import failed
from runwell.adapters.tools.pool import IDLE_S, Key, Pool
from runwell.adapters.tools.targets import Target, Targets, scrubber_of
from runwell.model.errors import StepError
from runwell.model.scope import Scope
from runwell.model.scrubber import Scrubber
from runwell.ports.secrets import Secrets
from runwell.ports.tools import OnLog, ToolInfo, ToolOutcome

T = TypeVar("T")

USUAL_S: Final = 60.0
FRESH_S: Final = 300.0
"""How long a list of tools is kept, unless the server says that it changed."""
MOST_TOLD: Final = 8_192
"""Characters of a tool's description."""
MOST_SCHEMA: Final = 65_536
"""Bytes of a tool's schema; a tool with a larger one is left out."""
ALL: Final = "*"


Work = Callable[[Any, Scrubber], Awaitable[Any]]
"""What is asked of a session; the scrubber is for what comes back meanwhile."""


class McpTools:
    """The tools of the connections of type mcp and of the operator's commands. Used on one event loop; `aclose` ends all."""

    def __init__(
        self,
        secrets: Secrets,
        commands: Mapping[str, McpCommand] | None = None,
        http_allow: Sequence[str] = (),
        *,
        idle_s: float = IDLE_S,
    ) -> None:
        self._targets = Targets(secrets, commands or {})
        self._pool = Pool(http_allow, idle_s=idle_s)

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        wanted = [_parts(name) for name in names]
        offered: dict[str, dict[str, ToolInfo]] = {}
        for server in dict.fromkeys(server for server, _ in wanted):
            found = await self._asked(scope, server, USUAL_S, _tools, _infos(server))
            offered[server] = {info.name: info for info in found}
        chosen: dict[str, ToolInfo] = {}
        for server, tool in wanted:
            name = f"mcp:{server}/{tool}"
            if tool != ALL and name not in offered[server]:
                raise failed("unknown_tool", f"the server {server!r} has no tool {tool!r}")
            chosen |= offered[server] if tool == ALL else {name: offered[server][name]}
        return list(chosen.values())

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
        server, tool = _parts(name)

        def work(session: Any, scrubber: Scrubber) -> Awaitable[Any]:
            told = None if on_log is None else lambda line: on_log(scrubber.text(line))
            return session.call(tool, args, idempotency_key, told)  # type: ignore[no-any-return]

        return ToolOutcome(result=await self._asked(scope, server, timeout_s or USUAL_S, work, _result))

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _asked(self, scope: Scope, server: str, timeout_s: float, work: Work, read: Callable[[Any, Scrubber], T]) -> T:
        """Ask a session, and read its answer. Nothing that this returns or raises holds a credential of the server."""
        target = await self._targets.find(scope, server)
        scrubber = scrubber_of(target)
        try:
            answer = await self._answer(Key(scope, server), target, timeout_s, lambda session: work(session, scrubber))
            return await asyncio.to_thread(read, answer, scrubber)  # a large answer takes seconds, which belong to all
        except StepError as exc:
            failure = exc
        raise scrubber.clean(failure)

    async def _answer(self, key: Key, target: Target, timeout_s: float, work: Callable[[Any], Awaitable[Any]]) -> Any:
        session: Any = None
        try:
            async with asyncio.timeout(timeout_s):
                session = await self._pool.session(key, target)
                try:
                    answer = await work(session)
                except StepError:
                    if not session.was_lost:
                        raise
                    session = await self._pool.session(key, target)  # the server forgot the session, and so did nothing
                    answer = await work(session)
        except TimeoutError:
            if session is not None:
                session.silent()
            raise failed("timeout", f"no answer of the MCP server {key.server!r} within {timeout_s:g} s") from None
        self._pool.succeeded(key, session)
        return answer


def _tools(session: Any, scrubber: Scrubber) -> Awaitable[Any]:
    return session.tools(FRESH_S)  # type: ignore[no-any-return]


def _parts(name: str) -> tuple[str, str]:
    """Return server and tool. Raises `StepError`."""
    kind, _, rest = name.partition(":")
    server, slash, tool = rest.partition("/")
    if kind != "mcp" or not server or not slash or not tool:
        raise StepError("TOOL_FAILED", f"{name!r} names no tool of an MCP server", details={"reason": "unknown_tool"})
    return server, tool


def _infos(server: str) -> Callable[[Any, Scrubber], list[ToolInfo]]:
    def read(tools: Any, scrubber: Scrubber) -> list[ToolInfo]:
        return [info for tool in tools if (info := _info(server, tool, scrubber)) is not None]

    return read


def _info(server: str, tool: Any, scrubber: Scrubber) -> ToolInfo | None:
    """Return the tool as it is offered; None for one that nobody could name or read."""
    try:
        schema = _json(tool.input_schema, scrubber)
        size = len(msgspec.json.encode(schema))
    except StepError:
        return None
    if not tool.name or len(tool.name) > 128 or not tool.name.isprintable() or size > MOST_SCHEMA:
        return None
    description = None if tool.description is None else scrubber.text(tool.description)[:MOST_TOLD]
    reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    return ToolInfo(name=f"mcp:{server}/{tool.name}", description=description, input_schema=schema, unsafe=not reads)


def _result(answer: Any, scrubber: Scrubber) -> Any:
    """Return what the tool returned: its structured content, its text, or else its parts. Raises `StepError` for an error."""
    parts = [part.model_dump(mode="json", by_alias=True, exclude_none=True) for part in answer.content]
    texts = [part["text"] for part in parts if part.get("type") == "text"]
    if answer.is_error:
        raise failed("tool_error", "\n".join(texts) or "the tool failed and did not say why")
    all_text = bool(texts) and len(texts) == len(parts)
    value = answer.structured_content
    if value is None:
        value = "\n".join(texts) if all_text else parts or None
    return _json(value, scrubber)


def _json(value: Any, scrubber: Scrubber) -> Any:
    """Return the value as data that can be kept, without the server's credentials."""
    try:
        data = scrubber.data(json_data(value))
        msgspec.json.decode(msgspec.json.encode(data))
    except (StepError, ValueError, TypeError, RecursionError, OverflowError) as exc:
        raise failed(
            "protocol", "the tool returned what cannot be kept as JSON: it is nested too deep, or holds a number out of range"
        ) from exc
    return data
