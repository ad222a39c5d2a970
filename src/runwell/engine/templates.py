"""Templates: a document's values with `{{ expression }}` in their strings, compiled once per version.

A template that is one expression keeps the value's type; otherwise its parts are joined as text.
What an expression yields is never read as a template again. A template that mentions
`secrets.NAME` renders to `{"$secret_text": [...]}`: the handler, not the engine, fills in the
value, and only where the plan says that a secret stands.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from runwell.engine.cel_text import end_of_expression
from runwell.engine.expression_faults import Fault
from runwell.engine.expressions import (
    BadExpression,
    Environment,
    Expr,
    ExpressionFailed,
    mentions_secrets,
    read_expression,
    secret_name,
)
from runwell.engine.functions import MAX_TEXT, to_text


class Node:
    """A compiled value of a document: constant, text, list or object."""

    __slots__ = ()

    def render(self, env: Environment) -> Any:
        raise NotImplementedError

    def expressions(self) -> list[Expr]:
        return []


class Const(Node):
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def render(self, env: Environment) -> Any:
        return self.value


class Single(Node):
    """A template that is one expression: the value keeps its type."""

    __slots__ = ("expr",)

    def __init__(self, expr: Expr) -> None:
        self.expr = expr

    def render(self, env: Environment) -> Any:
        return self.expr.evaluate(env)

    def expressions(self) -> list[Expr]:
        return [self.expr]


class Text(Node):
    """A template of several parts, joined as text."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str | Expr, ...]) -> None:
        self.parts = parts

    def render(self, env: Environment) -> Any:
        text = "".join(part if isinstance(part, str) else to_text(part.evaluate(env)) for part in self.parts)
        if len(text) > MAX_TEXT:
            raise ExpressionFailed(f"the rendered text has {len(text)} characters, more than {MAX_TEXT}")
        return text

    def expressions(self) -> list[Expr]:
        return [part for part in self.parts if isinstance(part, Expr)]


class SecretText(Text):
    """A template with secrets in it: they stay names."""

    __slots__ = ()

    def render(self, env: Environment) -> Any:
        return {"$secret_text": [self._part(part, env) for part in self.parts]}

    def _part(self, part: str | Expr, env: Environment) -> Any:
        if isinstance(part, str):
            return part
        name = secret_name(part)
        return {"secret": name} if name else to_text(part.evaluate(env))


class ListNode(Node):
    __slots__ = ("items",)

    def __init__(self, items: list[Node]) -> None:
        self.items = items

    def render(self, env: Environment) -> Any:
        return [item.render(env) for item in self.items]

    def expressions(self) -> list[Expr]:
        return [expr for item in self.items for expr in item.expressions()]


class DictNode(Node):
    __slots__ = ("items",)

    def __init__(self, items: dict[str, Node]) -> None:
        self.items = items

    def render(self, env: Environment) -> Any:
        return {key: item.render(env) for key, item in self.items.items()}

    def expressions(self) -> list[Expr]:
        return [expr for item in self.items.values() for expr in item.expressions()]


class TemplateReading(NamedTuple):
    """A string of a document, read: its node, its expressions as far as they are well formed, and their faults by source."""

    node: Node
    exprs: list[Expr]
    faults: list[tuple[str, Fault]]


def compile_template(text: str) -> Node:
    """Compile a string of a document. Raises `BadExpression`."""
    node, _, faults = read_template(text)
    if faults:
        raise BadExpression(*(fault for _, fault in faults))
    return node


def read_template(text: str) -> TemplateReading:
    """Return the node of a string of a document with all that is wrong in it; the node is of use only if nothing is."""
    if "{{" not in text:
        return TemplateReading(Const(text), [], [])
    parts: list[str | Expr] = []
    faults: list[tuple[str, Fault]] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        end = end_of_expression(text, start + 2)
        if end is None:
            cure = 'close it; braces that are meant as text are {{ "{{" }}'
            faults.append((text, Fault(f"the '{{{{' at character {start + 1} has no '}}}}'", cure)))
            break
        parts += [text[at:start]] if start > at else []
        expr, wrong = read_expression(text[start + 2 : end])
        parts += [expr] if expr is not None else []
        faults += [(text[start : end + 2], fault) for fault in wrong]
        at = end + 2
    parts += [text[at:]] if at < len(text) else []
    return TemplateReading(_joined(tuple(parts)), [part for part in parts if isinstance(part, Expr)], faults)


def _joined(parts: tuple[str | Expr, ...]) -> Node:
    if any(isinstance(part, Expr) and mentions_secrets(part) for part in parts):
        return SecretText(parts)
    return Single(parts[0]) if len(parts) == 1 and isinstance(parts[0], Expr) else Text(parts)


def secret_pointers(inputs: Mapping[str, Node]) -> frozenset[str]:
    """Return the JSON pointers into the rendered inputs at which a text with secrets stands."""
    found: set[str] = set()

    def walk(node: Node, pointer: str) -> None:
        if isinstance(node, SecretText):
            found.add(pointer)
        elif isinstance(node, DictNode):
            for key, item in node.items.items():
                walk(item, f"{pointer}/{escape(key)}")
        elif isinstance(node, ListNode):
            for i, item in enumerate(node.items):
                walk(item, f"{pointer}/{i}")

    for field, node in inputs.items():
        walk(node, f"/{field}")
    return frozenset(found)


def escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
