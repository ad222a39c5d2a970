"""Which kinds of value an expression can have at all, as far as its text says.

`1 + 1`, `steps.a.error` or `input.x.size()` can never be true or false, whatever a run holds. The
CEL library gives no syntax tree, so this looks at the operator that binds least.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from runwell.engine.cel_text import Token, selections

Kinds = frozenset[str] | None
"""The kinds, in words; None: it may be anything."""

BOOLEAN: Final = "true or false"
LIST: Final = "a list"

_NUMBER: Final = frozenset({"a number"})
_TEXT: Final = frozenset({"text"})
_SUM: Final = frozenset({"a number", "text", LIST, "a moment"})

_LOGIC: Final = frozenset({"||", "&&", "==", "!=", "<", "<=", ">", ">=", "in"})
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})

_FUNCTIONS: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("all", "exists", "exists_one", "existsOne", "has"), frozenset({BOOLEAN})),
    **dict.fromkeys(("contains", "startsWith", "endsWith", "matches"), frozenset({BOOLEAN})),
    **dict.fromkeys(("size", "int", "uint", "double", "round"), _NUMBER),
    **dict.fromkeys(("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"), _NUMBER),
    **dict.fromkeys(("getMilliseconds", "getMinutes", "getMonth", "getSeconds"), _NUMBER),
    **dict.fromkeys(("string", "json", "upper", "lower", "trim", "join", "replace", "type"), _TEXT),
    **dict.fromkeys(("map", "filter", "split"), frozenset({LIST})),
    "timestamp": frozenset({"a moment"}),
    "duration": frozenset({"a duration"}),
    "bytes": frozenset({"bytes"}),
}

_OBJECT: Final = frozenset({"an object"})
_NAMES: Final[dict[tuple[str, ...], frozenset[str]]] = {
    ("index",): _NUMBER,
    ("run",): _OBJECT,
    **{("run", key): _TEXT for key in ("id", "workflow", "created_at", "trigger", "environment")},
    ("run", "version"): _NUMBER,
    ("run", "tags"): frozenset({LIST}),
    ("run", "metadata"): _OBJECT,
    ("run", "source_run_id"): frozenset({"text", "null"}),
    ("loop",): _OBJECT,
    ("loop", "iteration"): _NUMBER,
    ("loop", "previous"): _OBJECT,
}
_STEP: Final[dict[tuple[str, ...], frozenset[str]]] = {
    (): _OBJECT,
    ("status",): _TEXT,
    ("error",): frozenset({"an object", "null"}),
}


def kinds_of(toks: Sequence[Token]) -> Kinds:
    """Return the kinds of value that an expression (which compiles) can have."""
    while toks and toks[0].text == "(" and _closing(toks, 0) == len(toks) - 1:
        toks = toks[1:-1]
    operators = {i: toks[i].text for i in _operators(toks)}
    if "?" in operators.values():
        return _of_choice(toks, operators)
    if not _LOGIC.isdisjoint(operators.values()):
        return frozenset({BOOLEAN})
    if not _ARITHMETIC.isdisjoint(operators.values()):
        return _SUM if "+" in operators.values() else _NUMBER | {"a moment", "a duration"}
    if toks and toks[0].text == "!":
        inner = kinds_of(toks[1:])
        return inner if inner is not None and BOOLEAN not in inner else frozenset({BOOLEAN})
    return _NUMBER if toks and toks[0].text == "-" else _of_operand(toks)


def _of_choice(toks: Sequence[Token], operators: dict[int, str]) -> Kinds:
    asked = next(i for i, operator in operators.items() if operator == "?")
    parted = next(i for i, operator in operators.items() if operator == ":")  # CEL has no choice between ? and : without brackets
    one, other = kinds_of(toks[asked + 1 : parted]), kinds_of(toks[parted + 1 :])
    return None if one is None or other is None else one | other


def _operators(toks: Sequence[Token]) -> Iterator[int]:
    """Yield where operators between two operands stand, outside of all brackets."""
    depth = 0
    for i, token in enumerate(toks):
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        is_operator = token.kind == "op" and token.text not in (".", ",", "!", "(", "[", "{", ")", "]", "}")
        if depth == 0 and (is_operator or token.text == "in") and i > 0 and _ends_operand(toks[i - 1]):
            yield i


def _ends_operand(token: Token) -> bool:
    return (token.kind in ("name", "string", "number") and token.text != "in") or token.text in (")", "]", "}")


def _of_operand(toks: Sequence[Token]) -> Kinds:
    if len(toks) == 1 and toks[0].kind in ("string", "number"):
        return _NUMBER if toks[0].kind == "number" else _of_literal(toks[0].text)
    if len(toks) == 1 and toks[0].text in ("true", "false", "null"):
        return frozenset({"null" if toks[0].text == "null" else BOOLEAN})
    if not toks:
        return None
    opening = _opening(toks)
    if opening == 0:
        return frozenset({LIST}) if toks[0].text == "[" else _OBJECT if toks[0].text == "{" else None
    if opening is not None and toks[-1].text == ")":
        return _FUNCTIONS.get(toks[opening - 1].text) if toks[opening - 1].kind == "name" else None
    return _of_name(toks)


def _of_literal(text: str) -> Kinds:
    prefix = text[: min(text.find(quote) for quote in "\"'" if quote in text)]
    return frozenset({"bytes"}) if "b" in prefix.lower() else _TEXT


def _of_name(toks: Sequence[Token]) -> Kinds:
    ref = next(selections(list(toks)), None)
    if ref is None or not ref.whole or (ref.start, ref.end) != (toks[0].start, toks[-1].end):
        return None
    keys = tuple(str(key) for key in ref.keys)
    if ref.root == "steps" and keys:
        return _STEP.get(keys[1:])
    if ref.root == "loop" and keys[:1] == ("previous",) and len(keys) > 2:
        return _STEP.get(keys[2:])
    return _NAMES.get((ref.root, *keys))


def _opening(toks: Sequence[Token]) -> int | None:
    """Return where the bracket opens that the last token closes."""
    if toks[-1].text not in (")", "]", "}"):
        return None
    depth = 0
    for i in reversed(range(len(toks))):
        depth += (toks[i].text in (")", "]", "}")) - (toks[i].text in ("(", "[", "{"))
        if depth == 0:
            return i
    return None


def _closing(toks: Sequence[Token], opening: int) -> int:
    depth = 0
    for i in range(opening, len(toks)):
        depth += (toks[i].text in ("(", "[", "{")) - (toks[i].text in (")", "]", "}"))
        if depth == 0:
            return i
    return len(toks)
