"""What an expression's text says without running it: its names, its nesting, where it ends.

A tokenizer, not a parser: the CEL library parses. Comments are not part of our expressions.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LIST_MACROS: Final = frozenset({"map", "filter"})
TEST_MACROS: Final = frozenset({"all", "exists", "exists_one", "existsOne"})
MACROS: Final = LIST_MACROS | TEST_MACROS

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>[rRbB]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)[uU]?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Selection(NamedTuple):
    """A chain like `steps.a.result["x"][0]`: its root, and keys as far as they are literal.

    `whole` says that the chain is all there is of it: no call, no computed index follows.
    """

    root: str
    keys: tuple[str | int, ...]
    start: int
    end: int
    whole: bool


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` without white space."""
    return [Token(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text) if m.lastgroup != "space"]


def end_of_expression(text: str, start: int) -> int | None:
    """Return where the `}}` that closes an expression begun at `start` stands; None when there is none.

    Braces of map literals and strings that contain `}}` are passed over.
    """
    depth = 0
    for m in _TOKEN.finditer(text, start):
        match m.group():
            case "{":
                depth += 1
            case "}" if depth > 0:
                depth -= 1
            case "}" if text.startswith("}}", m.start()):
                return m.start()
    return None


def selections(toks: list[Token]) -> Iterator[Selection]:
    """Yield every chain of selections that begins with a name, macro variables included."""
    i = 0
    while i < len(toks):
        starts_chain = toks[i].kind == "name" and (i == 0 or toks[i - 1].text != ".") and not _is_call(toks, i)
        if not starts_chain:
            i += 1
            continue
        keys, after, whole = _keys(toks, i + 1)
        yield Selection(toks[i].text, tuple(keys), toks[i].start, toks[after - 1].end, whole)
        i += 1


def _keys(toks: list[Token], i: int) -> tuple[list[str | int], int, bool]:
    keys: list[str | int] = []
    while i < len(toks):
        if toks[i].text == "." and i + 1 < len(toks) and toks[i + 1].kind == "name":
            if _is_call(toks, i + 1):
                return keys, i, False
            keys.append(toks[i + 1].text)
            i += 2
        elif toks[i].text == "[":
            key = _literal_key(toks, i)
            if key is None:
                return keys, i, False
            keys.append(key)
            i += 3
        else:
            break
    return keys, i, True


def _literal_key(toks: list[Token], i: int) -> str | int | None:
    if i + 2 >= len(toks) or toks[i + 2].text != "]":
        return None
    token = toks[i + 1]
    if token.kind == "string":
        return plain_string(token.text)
    return int(token.text) if token.kind == "number" and token.text.isdigit() else None


def plain_string(literal: str) -> str | None:
    """Return the text of a string literal that has no escapes; None for any other."""
    body = literal[1:-1]
    return body if literal[0] in "\"'" and "\\" not in body and not literal.startswith(('"""', "'''")) else None


def _is_call(toks: list[Token], i: int) -> bool:
    return i + 1 < len(toks) and toks[i + 1].text == "("


def macro_variables(toks: list[Token]) -> frozenset[str]:
    """Return the names that comprehension macros bind (`x` in `list.map(x, ...)`)."""
    return frozenset(toks[i + 2].text for i, t in enumerate(toks[:-2]) if is_macro(toks, i) and toks[i + 2].kind == "name" and t)


def is_macro(toks: list[Token], i: int) -> bool:
    """Whether a list macro's name stands at `i`, as `map` in `list.map(x, ...)`."""
    return toks[i].text in MACROS and i > 0 and toks[i - 1].text == "." and _is_call(toks, i)


LOOP_NAME: Final = "loop__"
"""What `loop` is called inside the CEL library, where the word is reserved."""


def for_library(text: str) -> str:
    """Return `text` as the CEL library takes it: `loop` renamed, `default` guarded."""
    for token in reversed(tokens(text)):
        before = text[: token.start].rstrip()
        if token.text == "loop" and not before.endswith("."):
            text = text[: token.start] + LOOP_NAME + text[token.end :]
    return _guard_defaults(text, tokens(text))


def _guard_defaults(text: str, toks: list[Token]) -> str:
    """Return `text` with `default(a.b.c, x)` made safe for keys that are missing.

    CEL evaluates arguments first and a missing key is an error, so each selection in the first
    argument is guarded: `default(type(a) == type({}) && "b" in a && ... ? a.b.c : null, x)`.
    """
    for i in reversed(range(len(toks))):
        if toks[i].text != "default" or not _is_call(toks, i) or (i > 0 and toks[i - 1].text == "."):
            continue
        if i + 2 >= len(toks) or toks[i + 2].kind != "name":
            continue
        keys, after, whole = _keys(toks, i + 3)
        if whole and keys and after < len(toks) and toks[after].text == ",":
            start, end = toks[i + 2].start, toks[after - 1].end
            text = text[:start] + _guarded(toks[i + 2].text, keys) + text[end:]
    return text


def _guarded(root: str, keys: list[str | int]) -> str:
    tests, path = [], root
    for key in keys:
        if isinstance(key, int):
            tests.append(f"type({path}) == type([]) && size({path}) > {key}")
            path += f"[{key}]"
        else:
            quoted = '"' + key.replace('"', '\\"') + '"'
            tests.append(f"type({path}) == type({{}}) && {quoted} in {path}")
            path += f"[{quoted}]"
    return f"({' && '.join(tests)} ? {path} : null)"
