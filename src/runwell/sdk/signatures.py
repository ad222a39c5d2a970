"""From a typed function to the JSON Schema of its arguments, and from arguments to what the function takes."""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NotRequired, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError, to_jsonable_python
from typing_extensions import TypedDict

from runwell.model.errors import InvalidInput, Problem

Function = Callable[..., Any]

_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_SECTION: Final = re.compile(r"(?:Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?):\s*")
_PARAMETER: Final = re.compile(r"(?P<indent>\s+)\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)")
_FIELD: Final = re.compile(r"\s*:param\s+(?:\w+\s+)?(?P<name>\w+)\s*:\s*(?P<text>.*)")


class _Plain(GenerateJsonSchema):
    """A schema without titles that only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def place_of(function: Function) -> str:
    """Return how messages call a function: its name and where it stands."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = "" if code is None else f" ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"
    return f"{getattr(function, '__qualname__', function)}(){where}"


def schema_of(kind: Any, place: str) -> dict[str, Any]:
    """Return the JSON Schema of a type. Raises `InvalidInput` for one that has none."""
    try:
        found = TypeAdapter(kind).json_schema(schema_generator=_Plain)
    except (PydanticUserError, NameError, TypeError) as exc:
        cure = "use str, int, float, bool, list, dict, Literal, dataclasses, TypedDict or pydantic models"
        raise InvalidInput(f"{place}: {kind!r} has no JSON Schema: {str(exc).partition(chr(10))[0]}", hint=cure) from exc
    found.pop("title", None)
    return found


class Signature:
    """What a function takes by name, and what it says of itself.

    Raises `InvalidInput` for a function whose arguments cannot be told by a schema.
    """

    def __init__(self, function: Function) -> None:
        self.function, self.place = function, place_of(function)
        if not inspect.isroutine(function):
            raise InvalidInput(f"{function!r:.80} is no function", hint="decorate a function, which may call it")
        self.description, self._told = read_docstring(inspect.getdoc(function) or "")
        hints = self._hints()
        self.returns: Any = hints.pop("return", Any)
        self.parameters = dict(inspect.signature(function).parameters)
        for name, parameter in self.parameters.items():
            self._check(name, parameter, hints)
        self._kinds = {name: hints[name] for name in self.parameters}

    @property
    def is_whole(self) -> bool:
        """Whether its only parameter stands for the whole input."""
        return list(self.parameters) == ["input"]

    @functools.cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, as an object."""
        found = schema_of(self._fields, self.place)
        found.setdefault("properties", {})
        for name, told in found["properties"].items():
            if name in self._told:
                told.setdefault("description", self._told[name])
            default = self.parameters[name].default
            if default is not inspect.Parameter.empty:
                told.update(_default(default))
        return found

    @functools.cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of a run's input."""
        return schema_of(self._kinds["input"], self.place) if self.is_whole else self.schema

    def read(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the function's types want them. Raises `InvalidInput` that says what is wrong."""
        try:
            return dict(self._adapter.validate_python(dict(args)))
        except ValidationError as exc:
            problems = tuple(
                Problem(code=error["type"], message=error["msg"], pointer="".join(f"/{part}" for part in error["loc"]))
                for error in exc.errors(include_url=False, include_context=False, include_input=False)
            )
            raise InvalidInput(f"the arguments do not fit: {problems[0]}", problems=problems) from exc

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name, without defaults. Raises `InvalidInput` as Python raises `TypeError`."""
        signature = inspect.Signature(list(self.parameters.values()))
        try:
            return dict(signature.bind(*args, **kwargs).arguments)
        except TypeError as exc:
            raise InvalidInput(f"{self.place}: {exc}", hint=f"it takes {', '.join(self.parameters) or 'nothing'}") from exc

    @functools.cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._fields)

    @functools.cached_property
    def _fields(self) -> Any:
        wanted = {
            name: kind if self.parameters[name].default is inspect.Parameter.empty else NotRequired[kind]
            for name, kind in self._kinds.items()
        }
        make: Any = TypedDict  # the checker wants to see the fields
        fields = make("Arguments", wanted)
        fields.__pydantic_config__ = ConfigDict(extra="forbid")
        return fields

    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self.function, include_extras=True)
        except (NameError, TypeError) as exc:
            raise InvalidInput(
                f"{self.place}: a type is not known: {exc}", hint="define or import it at the top of the module, outside of functions"
            ) from exc

    def _check(self, name: str, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> None:
        if name in ("self", "cls") and name not in hints:
            raise InvalidInput(f"{self.place} is a method", hint="decorate a function, which may call the method")
        if parameter.kind not in _BY_NAME:
            raise InvalidInput(f"{self.place} takes {parameter}, which has no name of its own", hint="give each argument a parameter")
        if name not in hints:
            raise InvalidInput(f"{self.place}: the parameter {name!r} has no type", hint=f"write one, as in {name}: str")


def _default(value: Any) -> dict[str, Any]:
    try:
        return {"default": to_jsonable_python(value)}
    except PydanticSerializationError:
        return {}


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return what is said of the function, and of each parameter: under `Args:` as Google writes it, or as `:param name:`."""
    said: list[str] = []
    told: dict[str, str] = {}
    section, last = "", ""
    for line in text.splitlines():
        if _SECTION.fullmatch(line):
            section, last = line.partition(":")[0], ""
        elif (field := _FIELD.match(line)) is not None:
            told[field["name"]] = field["text"].strip()
        elif section in ("Args", "Arguments", "Parameters") and (not line.strip() or line.startswith((" ", "\t"))):
            found = _PARAMETER.fullmatch(line)
            if found is not None and (not last or len(found["indent"]) <= 4):
                last = found["name"]
                told[last] = found["text"].strip()
            elif last and line.strip():
                told[last] = f"{told[last]} {line.strip()}".strip()
        elif not section:
            said.append(line)
        elif line.strip() and not line.startswith((" ", "\t")):
            section = ""
            said.append(line)
    return "\n".join(said).strip(), told
