"""Reading workflow documents: YAML or JSON text to data, with the line of every part.

YAML here is YAML 1.2's data: only `true` and `false` are truth values (`on`, `yes` and `no` are
text), keys are text and not given twice, moments stay text, and aliases do not multiply.
"""

import re
from typing import Any, Final

import yaml

from runwell.model.documents import Document
from runwell.model.errors import InvalidDocument, Problem

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 100
MAX_PROBLEMS: Final = 1_000
"""After so many nobody reads on."""

_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null"))
"""Those of JSON's data, which YAML gives to what has none. PyYAML's others make objects of Python."""


class _Loader(yaml.SafeLoader):
    """Resolves scalars as YAML 1.2 does, and goes no deeper than `MAX_DEPTH`: PyYAML calls itself at each level."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            cure = "make it flatter; deep data belongs into the input"
            raise _broken(f"the document nests deeper than {MAX_DEPTH} levels", mark.line + 1, cure)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_YAML_1_1: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "bool", "value"))

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _YAML_1_1]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _word in ("true", "false"):
    _Loader.yaml_implicit_resolvers.setdefault(_word[0], []).append(("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$")))


def read_document(text: str) -> Document:
    """Return the document. Raises `InvalidDocument` with the line of everything that cannot be read."""
    document = read_leniently(text)
    if document.problems:
        raise InvalidDocument(_UNREADABLE, problems=document.problems)
    return document


def read_leniently(text: str) -> Document:
    """Return the document with the problems of its parts. Raises `InvalidDocument` when it cannot be read at all."""
    if len(text.encode()) > MAX_BYTES:
        cure = "keep data out of the document: give it as input, or fetch it in a step"
        raise _broken(f"the document has {len(text.encode())} bytes, more than {MAX_BYTES}", None, cure)
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            return _Builder(loader).document(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise _broken(f"not YAML: {exc.problem or exc.context}", mark.line + 1 if mark else None, _SYNTAX_CURE) from exc
    except (yaml.YAMLError, ValueError) as exc:
        raise _broken(f"not YAML: {exc}", None, _SYNTAX_CURE) from exc


_SYNTAX_CURE: Final = "check the indentation, quotes and brackets there and just before"


_UNREADABLE: Final = "the document cannot be read"


def _broken(message: str, line: int | None, cure: str, pointer: str = "") -> InvalidDocument:
    return InvalidDocument(_UNREADABLE, problems=(_problem(message, line, cure, pointer),))


def _problem(message: str, line: int | None, cure: str, pointer: str) -> Problem:
    return Problem(code="bad_yaml", message=message, line=line, pointer=pointer.encode(errors="replace").decode(), hint=cure)


def _whole(text: str) -> str:
    r"""Return the text with surrogate pairs as the characters that they are: JSON writes `"\ud83d\ude00"`, which YAML does not know."""
    return text if text.isprintable() else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class _Builder:
    """Builds data from YAML nodes, remembering lines, and the problems of parts."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._lines: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._unread: set[str] = set()
        self._nodes = 0

    def document(self, root: yaml.Node | None) -> Document:
        data = None if root is None else self._build(root, "", 0)
        return Document(data, self._lines, tuple(self._problems), frozenset(self._unread))

    def _build(self, node: yaml.Node, pointer: str, depth: int) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:  # aliases can make more of both than was written
            cure = "use fewer aliases, and keep data out of the document"
            raise _broken(f"the document has more than {MAX_NODES} parts or nests deeper than {MAX_DEPTH} levels", line, cure, pointer)
        self._check_tag(node, pointer)
        self._lines.setdefault(pointer, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, f"{pointer}/{i}", depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node, pointer, line) if node.tag in _TAGS else str(node.value)

    def _report(self, message: str, line: int, cure: str, pointer: str, *, unread: bool = False) -> None:
        self._problems.append(_problem(message, line, cure, pointer))
        if unread:
            self._unread.add(pointer)
        if len(self._problems) >= MAX_PROBLEMS:
            raise InvalidDocument(_UNREADABLE, problems=tuple(self._problems))

    def _check_tag(self, node: yaml.Node, pointer: str) -> None:
        if node.tag not in _TAGS:
            message = f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')!r} is not allowed"
            self._report(message, node.start_mark.line + 1, "take it out: a document is plain data", pointer, unread=True)

    def _mapping(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                cure = "put it in quotes; merge keys (<<) are not available"
                self._report("a key must be plain text", line, cure, pointer, unread=True)
                continue
            self._check_tag(key_node, pointer)
            key = _whole(str(key_node.value))
            value = self._build(value_node, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1)
            if key in data:
                self._report(f"the key {key!r} is given twice", line, "keep one of them", pointer)
            else:
                data[key] = value
        return data

    def _scalar(self, node: yaml.Node, pointer: str, line: int) -> Any:
        value = self._loader.construct_object(node)
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            self._report(f"{node.value!r} is no JSON number", line, "write a finite number, or put it in quotes", pointer, unread=True)
            return 0.0
        if not isinstance(value, str | int | float | bool | None):
            message = f"{node.value!r} is a {type(value).__name__}, which JSON does not have"
            self._report(message, line, "put it in quotes", pointer, unread=True)
            return str(node.value)
        return _whole(value) if isinstance(value, str) else value
