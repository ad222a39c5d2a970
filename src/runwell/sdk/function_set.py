"""The functions that a process knows as tools: those of the modules that its operator names, and of installed packages."""

import importlib.util
import inspect
import pkgutil
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from runwell.model.errors import InvalidInput
from runwell.sdk.tool import Tool

ENTRY_POINTS: Final = "runwell.tools"


class FunctionSet:
    """Tools by name. No request adds one: a document can only name what is here."""

    def __init__(self, tools: Iterable[Tool[..., Any]] = ()) -> None:
        self._tools: dict[str, Tool[..., Any]] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool[..., Any]) -> None:
        """Raises `InvalidInput` when another function has the name."""
        known = self._tools.get(tool.name)
        if known is not None and _origin(known) != _origin(tool):
            raise InvalidInput(
                f"two functions are called {tool.full_name!r}: {known.signature.place} and {tool.signature.place}",
                hint='give one of them another name: @tool(name="...")',
            )
        self._tools[tool.name] = tool  # the same one again, from a file that was read twice

    def get(self, name: str) -> Tool[..., Any] | None:
        return self._tools.get(name)

    def names(self) -> list[str]:
        return sorted(self._tools)


def _origin(tool: Tool[..., Any]) -> Any:
    code = getattr(inspect.unwrap(tool.function), "__code__", None)
    return tool.function if code is None else (Path(code.co_filename).absolute(), code.co_firstlineno)


def installed_functions(modules: Sequence[str] = ()) -> FunctionSet:
    """Return the tools of these modules (dotted names, or paths of .py files), and of the entry points `runwell.tools`.

    An entry point names a tool or a module with tools. Raises `InvalidInput` for what cannot be loaded or has no tools.
    """
    found = FunctionSet()
    for name in modules:
        _add_all(found, _loaded(name), f"the module {name!r} of RUNWELL_TOOL_MODULES")
    for entry in entry_points(group=ENTRY_POINTS):
        _add_all(found, entry.load(), f"the entry point {entry.name!r}")
    return found


def _add_all(known: FunctionSet, value: Any, what: str) -> None:
    tools = list(_tools_of(value))
    if not tools:
        raise InvalidInput(f"{what} has no tools", hint="decorate functions at its top level with @runwell.tool")
    for tool in tools:
        known.add(tool)


def _tools_of(value: Any) -> Iterator[Tool[..., Any]]:
    if isinstance(value, Tool):
        yield value
    elif isinstance(value, ModuleType):
        yield from (one for one in vars(value).values() if isinstance(one, Tool))


def _loaded(name: str) -> Any:
    try:
        return _from_file(Path(name).expanduser().absolute()) if name.endswith(".py") else pkgutil.resolve_name(name)
    except Exception as exc:
        hint = "name modules that Python finds (PYTHONPATH), or paths of .py files"
        raise InvalidInput(f"RUNWELL_TOOL_MODULES: {name!r} cannot be loaded: {type(exc).__name__}: {exc}", hint=hint) from exc


def _from_file(path: Path) -> ModuleType:
    name = f"{path.stem}_{zlib.crc32(str(path).encode()):08x}"  # a file may be called as an installed module is
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
