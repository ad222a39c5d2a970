"""Calling a tool in an attempt, whoever carries it out: recorded before and after, and for good when it may change something."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from runwell.model.errors import StepError
from runwell.model.events import EventData, Log, ToolCalled, ToolReturned
from runwell.model.schema import SchemaCheck
from runwell.model.scope import Scope
from runwell.model.step import StepSpec
from runwell.model.tool import name_fault
from runwell.ports.steps import AttemptLimits, Services, StepContext, StepType
from runwell.ports.tools import DeclaredTool, ToolInfo
from runwell.steps import http, python

CARRIED_OUT: Final[Mapping[str, StepType]] = {"http": http.STEP, "python": python.STEP}

SHOWN_PROBLEMS: Final = 5


async def call_tool(
    ctx: StepContext, name: Any, args: Any, *, call_id: str | None = None, approved: bool = False, own: DeclaredTool | None = None
) -> Any:
    """Make one call and return what the tool returned, as JSON data.

    `call_id` tells apart the calls of one step: each has its own idempotency key. `own` is a tool that the step itself declares.
    Raises `StepError`; one with the code
    `TOOL_FAILED` means that nothing was called.
    """
    declared = own or (ctx.tools.get(name) if isinstance(name, str) else None)
    _check(name, args, declared, approved)
    call = _Call(ctx, call_id, name, args)
    ctx.record(ToolCalled(tool=name, args=args, call_id=call_id))
    try:
        if _is_unsafe(declared, call):
            await ctx.kept()
        result = await (call.by_server(declared) if declared is None or declared.spec.step is None else call.by_step(declared))
        _check_size(result, ctx.limits.output_bytes)
    except StepError as exc:
        ctx.record(ToolReturned(tool=name, error=exc.info(ctx.step_id), call_id=call_id))
        raise
    ctx.record(ToolReturned(tool=name, result=result, call_id=call_id))
    return result


async def offered(ctx: StepContext, names: Sequence[str]) -> list[ToolInfo]:
    """Return the tools of these names as they may be offered to a model, on the document's terms.

    `mcp:<server>/*` stands for all of a server's. Raises `StepError`.
    """
    chosen: dict[str, ToolInfo] = {}
    for name in names:
        declared = ctx.tools.get(name)
        if name.startswith(("mcp:", "workflow:")):
            chosen |= {info.name: _on_terms(info, ctx.tools.get(info.name)) for info in await ctx.services.tools.list(ctx.scope, [name])}
        elif declared is not None and (declared.spec.step is not None or declared.spec.input_schema is not None):
            chosen[name] = _declared(declared)
        elif declared is not None:
            chosen |= {info.name: _on_terms(info, declared) for info in await ctx.services.tools.list(ctx.scope, [name])}
        else:
            raise _refused("unknown_tool", f"{name!r} names no tool of the workflow document")
    return list(chosen.values())


def _on_terms(info: ToolInfo, declared: DeclaredTool | None) -> ToolInfo:
    if declared is None:
        return info
    spec = declared.spec
    unsafe = info.unsafe if spec.unsafe is None else spec.unsafe
    told = info.description if spec.description is None else spec.description
    return msgspec.structs.replace(info, description=told, unsafe=unsafe, requires_approval=spec.requires_approval)


def _declared(tool: DeclaredTool) -> ToolInfo:
    spec = tool.spec
    unsafe = (spec.type == "http" or spec.is_registered) if spec.unsafe is None else spec.unsafe
    return ToolInfo(
        name=spec.full_name,
        description=spec.description,
        input_schema=spec.input_schema or {},
        unsafe=unsafe,
        requires_approval=spec.requires_approval,
    )


def _check(name: Any, args: Any, declared: DeclaredTool | None, approved: bool) -> None:
    """Raise `StepError` for a call that is not to be made."""
    fault = name_fault(name) if isinstance(name, str) else (f"the tool's name is {name!r}, not text", "name one tool")
    if fault is not None:
        raise _refused("unknown_tool", f"{fault[0]}; {fault[1]}")
    if not isinstance(args, Mapping):
        raise _refused("invalid_args", f"the arguments of {name!r} are no object; a tool takes them by name")
    kind = name.partition(":")[0]
    if kind == "workflow":
        raise _refused("not_here", f"{name!r} cannot be called here; use a step of type workflow")
    if declared is None and kind in CARRIED_OUT:
        raise _refused("unknown_tool", f"the workflow declares no tool {name!r}")
    if declared is not None and declared.spec.requires_approval and not approved:
        raise _refused("needs_approval", f"{name!r} requires approval, and nobody was asked")
    if declared is not None and declared.spec.input_schema is not None:
        _check_args(name, args, declared.spec.input_schema)


def _check_args(name: str, args: Mapping[str, Any], schema: dict[str, Any]) -> None:
    wrong = [str(problem) for problem in SchemaCheck(schema).problems(dict(args))[:SHOWN_PROBLEMS]]
    if wrong:
        raise _refused("invalid_args", f"the arguments of {name!r} break its input_schema: {wrong[0]}", errors=wrong)


def _refused(reason: str, message: str, **details: object) -> StepError:
    return StepError("TOOL_FAILED", message, details={"reason": reason, **details})


def _is_unsafe(declared: DeclaredTool | None, call: "_Call") -> bool:
    """Whether the call may change something: what the document says, else what can be told of a declared tool."""
    if declared is None:
        return True
    spec = declared.spec
    if spec.unsafe is not None or spec.step is None:
        return spec.unsafe is not False
    return CARRIED_OUT[spec.type].unsafe(spec.step, call.rendered(declared))


def _check_size(result: Any, most: int) -> None:
    size = len(msgspec.json.encode(result))
    if size > most:
        raise StepError("OUTPUT_TOO_LARGE", f"the tool returned {size} bytes, more than limits.output_bytes of {most}")


class _Call:
    """One call, made by whom it belongs to."""

    def __init__(self, ctx: StepContext, call_id: str | None, name: str, args: Mapping[str, Any]) -> None:
        self._ctx, self._name, self._args = ctx, name, args
        self._key = ctx.idempotency_key if call_id is None else f"{ctx.idempotency_key}-{call_id}"
        self._rendered: Mapping[str, Any] | None = None

    def rendered(self, tool: DeclaredTool) -> Mapping[str, Any]:
        if self._rendered is None:
            self._rendered = tool.render(self._args)
        return self._rendered

    async def by_server(self, declared: DeclaredTool | None) -> Any:
        ctx = self._ctx
        own = None if declared is None else declared.spec.timeout_s
        outcome = await ctx.services.tools.call(
            ctx.scope,
            self._name,
            self._args,
            idempotency_key=self._key,
            on_log=lambda line: ctx.record(Log(message=line, stream=self._name)),
            timeout_s=own or ctx.spec.timeout_s,
        )
        return outcome.result

    async def by_step(self, tool: DeclaredTool) -> Any:
        spec, step = tool.spec, tool.spec.step
        handler = CARRIED_OUT[spec.type].handler
        assert step is not None
        assert handler is not None
        result = await handler(_ToolContext(self._ctx, step, self.rendered(tool), tool.secret_pointers, self._key))
        return result["body"] if spec.type == "http" else result


class _ToolContext:
    """The context of a declared tool's step: that of the attempt which calls it, with another spec and input."""

    tools: Mapping[str, DeclaredTool] = {}
    history: Sequence[dict[str, Any]] = ()

    def __init__(self, outer: StepContext, spec: StepSpec, input: Mapping[str, Any], secret_pointers: frozenset[str], key: str) -> None:
        self._outer = outer
        self.spec, self.input, self.secret_pointers, self.idempotency_key = spec, input, secret_pointers, key
        self.run_id: str = outer.run_id
        self.scope: Scope = outer.scope
        self.step_id: str = outer.step_id
        self.attempt: int = outer.attempt
        self.limits: AttemptLimits = outer.limits
        self.services: Services = outer.services
        self.late = outer.late

    def record(self, data: EventData) -> None:
        self._outer.record(data)

    def recorded(self) -> Sequence[EventData]:
        return self._outer.recorded()

    def delta(self, text: str) -> None:
        self._outer.delta(text)

    async def kept(self) -> None:
        await self._outer.kept()
