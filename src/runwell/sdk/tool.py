"""`@tool`: a typed function that documents name `python:<name>`, and that agents and tool steps call."""

import functools
import inspect
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.tool import name_fault
from runwell.sdk.signatures import Signature

P = ParamSpec("P")
T = TypeVar("T")


class ToolContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool may want to know of the call.

    `idempotency_key` is the same whenever the call is made again, as after a crash. `log` records a line in the run.
    """

    idempotency_key: str
    log: Callable[[str], None]


called: Final[ContextVar[ToolContext | None]] = ContextVar("called", default=None)


def tool_context() -> ToolContext:
    """Return what is known of the call that is being made; of one that Python makes, a new key and a log that nobody reads."""
    return called.get() or ToolContext(idempotency_key=uuid.uuid4().hex, log=lambda line: None)


class Tool(Generic[P, T]):
    """A function as a tool. Called, it is the function it was made of; inside of a `@workflow`, a call becomes a step."""

    def __init__(
        self, function: Callable[P, T], *, name: str, unsafe: bool = True, requires_approval: bool = False, timeout_s: float | None = None
    ) -> None:
        signature = Signature(function)
        fault = name_fault(f"python:{name}")
        if fault is not None:
            raise InvalidInput(f"{signature.place}: {fault[0]}", hint=fault[1])
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise InvalidInput(f"{signature.place} yields its results one by one", hint="return them as a list")
        self.function, self.signature, self.name = function, signature, name
        self.unsafe, self.requires_approval, self.timeout_s = unsafe, requires_approval, timeout_s
        self.description, self.input_schema = signature.description or None, signature.schema
        functools.update_wrapper(self, function)

    @property
    def full_name(self) -> str:
        """What documents call it."""
        return f"python:{self.name}"

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        recorder = in_workflow.get()
        if recorder is None:
            return self.function(*args, **kwargs)
        return recorder(self, self.signature.bind(args, kwargs), {})  # type: ignore[no-any-return]

    def options(self, **options: Any) -> Callable[P, T]:
        """Return the tool for a call inside of a `@workflow` whose step has these fields, too: `retry`, `timeout_s`, `id`, ..."""

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            recorder = in_workflow.get()
            if recorder is None:
                raise InvalidInput(f"{self.signature.place}: options are those of a step", hint="call it inside of a @workflow function")
            return recorder(self, self.signature.bind(args, kwargs), options)  # type: ignore[no-any-return]

        return call

    def begin(self, args: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the call, ready to be made. Raises `InvalidInput` for arguments that do not fit."""
        function: Callable[..., Any] = self.function
        return functools.partial(function, **self.signature.read(args))

    def declaration(self) -> dict[str, Any]:
        """Return how a document declares it: a version keeps what its runs offer to models."""
        said: dict[str, Any] = {"type": "python", "name": self.name, "input_schema": self.input_schema}
        if self.description:
            said["description"] = self.description
        if not self.unsafe:
            said["unsafe"] = False
        if self.requires_approval:
            said["requires_approval"] = True
        if self.timeout_s is not None:
            said["timeout_s"] = self.timeout_s
        return said

    def __repr__(self) -> str:
        return f"<tool {self.full_name}: {self.signature.place}>"


InWorkflow = Callable[[Tool[Any, Any], Mapping[str, Any], Mapping[str, Any]], Any]
"""Takes a call down as a step: the tool, its arguments and the step's further fields."""

in_workflow: Final[ContextVar[InWorkflow | None]] = ContextVar("in_workflow", default=None)
"""Set while a `@workflow` function is read."""


@overload
def tool(function: Callable[P, T], /) -> Tool[P, T]: ...
@overload
def tool(
    *, name: str | None = None, unsafe: bool = True, requires_approval: bool = False, timeout_s: float | None = None
) -> Callable[[Callable[P, T]], Tool[P, T]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    unsafe: bool = True,
    requires_approval: bool = False,
    timeout_s: float | None = None,
) -> Any:
    """Make a typed function, sync or async, a tool. Its schema is that of its type hints, what models are told is its docstring.

    unsafe: whether a call may change something; it then begins only once it is on record.
    requires_approval: agents ask a person before each call.
    timeout_s: of one call; a minute unless it says otherwise. A sync function is left to itself when its time is over.
    Raises `InvalidInput` for a function that no schema can tell of.
    """

    def made(function: Callable[..., Any]) -> Tool[..., Any]:
        own: str = getattr(function, "__name__", "")
        return Tool(function, name=name or own, unsafe=unsafe, requires_approval=requires_approval, timeout_s=timeout_s)

    return made if function is None else made(function)
