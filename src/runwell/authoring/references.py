"""Stand-ins for values that there will only be in a run. What is done to them is written down as an expression (CEL)."""

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NoReturn, SupportsIndex

from pydantic import BaseModel

from runwell.model.errors import InvalidInput

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    {*["as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let"]}
    | {*["loop", "package", "namespace", "null", "return", "true", "var", "void", "while"]}
)
"""Words of CEL that no field can be called after a dot."""


class Reference:
    """A value of a run, by its expression. Attributes and items are parts of it; operators make further expressions.

    In an f-string it is a template.
    """

    __slots__ = ("_compound", "_source")

    def __init__(self, source: str, *, compound: bool = False) -> None:
        self._source, self._compound = source, compound

    def __getattr__(self, name: str) -> "Reference":
        if name in Reference.__slots__:  # of a copy that is being made
            raise AttributeError(name)
        if name.startswith("_"):
            raise AttributeError(f'{self._source} has no attribute {name!r}; a field of this name is written ["{name}"]')
        return self[name]

    def __getitem__(self, key: Any) -> "Reference":
        if isinstance(key, str) and _NAME.fullmatch(key) and key not in _RESERVED:
            return Reference(f"{_operand(self)}.{key}")
        if isinstance(key, slice):
            misused(self, "cannot be sliced", "do it in a step.python")
        return Reference(f"{_operand(self)}[{source_of(key)}]")

    def __format__(self, spec: str) -> str:
        if spec:
            misused(self, f"cannot be formatted as {spec!r}: it has no value yet", "format it in a step.python")
        return f"{{{{ {self._source} }}}}"

    def __str__(self) -> str:
        return format(self)

    def __repr__(self) -> str:
        return f"<reference {self._source}>"

    def __eq__(self, other: object) -> "Reference":  # type: ignore[override]
        return _joined(self, "==", other)

    def __ne__(self, other: object) -> "Reference":  # type: ignore[override]
        return _joined(self, "!=", other)

    def __lt__(self, other: Any) -> "Reference":
        return _joined(self, "<", other)

    def __le__(self, other: Any) -> "Reference":
        return _joined(self, "<=", other)

    def __gt__(self, other: Any) -> "Reference":
        return _joined(self, ">", other)

    def __ge__(self, other: Any) -> "Reference":
        return _joined(self, ">=", other)

    def __add__(self, other: Any) -> "Reference":
        return _joined(self, "+", other)

    def __radd__(self, other: Any) -> "Reference":
        return _joined(other, "+", self)

    def __sub__(self, other: Any) -> "Reference":
        return _joined(self, "-", other)

    def __rsub__(self, other: Any) -> "Reference":
        return _joined(other, "-", self)

    def __mul__(self, other: Any) -> "Reference":
        return _joined(self, "*", other)

    def __rmul__(self, other: Any) -> "Reference":
        return _joined(other, "*", self)

    def __truediv__(self, other: Any) -> "Reference":
        return _joined(self, "/", other)

    def __rtruediv__(self, other: Any) -> "Reference":
        return _joined(other, "/", self)

    def __mod__(self, other: Any) -> "Reference":
        return _joined(self, "%", other)

    def __and__(self, other: Any) -> "Reference":
        return _joined(self, "&&", other)

    def __rand__(self, other: Any) -> "Reference":
        return _joined(other, "&&", self)

    def __or__(self, other: Any) -> "Reference":
        return _joined(self, "||", other)

    def __ror__(self, other: Any) -> "Reference":
        return _joined(other, "||", self)

    def __invert__(self) -> "Reference":
        return Reference(f"!{_operand(self)}", compound=True)

    def __neg__(self) -> "Reference":
        return Reference(f"-{_operand(self)}", compound=True)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        misused(self, "cannot be called", 'write step.expression("size({})", value) for what CEL can do, or use a step.python')

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - it never returns
        misused(
            self,
            "has no value yet, so Python cannot decide by it (if, while, and, or, not, in, min, max)",
            "write `with step.when(condition):`, and & | ~ in conditions",
        )

    def __iter__(self) -> NoReturn:
        misused(self, "has no items yet", "write step.for_each(items, body)")

    def __contains__(self, other: Any) -> NoReturn:
        misused(self, "has no items yet, so Python cannot look for one", 'write step.expression("{} in {}", one, many)')

    def __len__(self) -> NoReturn:  # noqa: PLE0303
        misused(self, "has no length yet", 'write step.expression("size({})", value)')

    def __int__(self) -> NoReturn:
        misused(self, "is no number yet", 'write step.expression("int({})", value)')

    def __float__(self) -> NoReturn:
        misused(self, "is no number yet", 'write step.expression("double({})", value)')

    def __index__(self) -> NoReturn:  # noqa: PLE0305
        misused(self, "is no number yet", "write step.for_each(items, body)")

    def __round__(self, digits: SupportsIndex | None = None) -> NoReturn:
        misused(self, "is no number yet", "round it in a step.python")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("_source", "_compound"):
            misused(self, f"cannot be changed: {name!r} is a part of what a step returned", "make a new value with step.transform")
        object.__setattr__(self, name, value)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        misused(self, "cannot be changed", "make a new value with step.transform")

    def __hash__(self) -> NoReturn:  # noqa: PLE0309
        misused(self, "cannot be a key: it has no value yet", "make the object in a step.python")


class Wrong(InvalidInput):
    """A `@workflow` function does with a stand-in what only a value can do."""


def misused(reference: Reference, message: str, hint: str) -> NoReturn:
    raise Wrong(f"{reference._source} {message}", hint=hint)


def source_of(value: Any) -> str:
    """Return the value as an expression. Raises `Wrong` for one that CEL cannot write."""
    if isinstance(value, Reference):
        return value._source
    value = _plain(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(source_of, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{source_of(str(key))}: {source_of(one)}' for key, one in value.items())}}}"
    raise Wrong(f"{value!r:.80} of type {type(value).__name__} cannot stand in an expression", hint="give text, numbers, lists or dicts")


def as_document(value: Any) -> Any:
    """Return the value as a document has it: stand-ins as templates. Raises `Wrong` for what is no JSON data."""
    if isinstance(value, Reference):
        return str(value)
    value = _plain(value)
    if isinstance(value, Mapping):
        return {str(key): as_document(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_document(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Wrong(
        f"{value!r:.80} of type {type(value).__name__} cannot stand in a document", hint="give text, numbers, lists, dicts or models"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return value.value if isinstance(value, Enum) else value


def _operand(value: Any) -> str:
    return f"({value._source})" if isinstance(value, Reference) and value._compound else source_of(value)


def _joined(left: Any, operator: str, right: Any) -> Reference:
    return Reference(f"{_operand(left)} {operator} {_operand(right)}", compound=True)
