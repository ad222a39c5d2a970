"""Reads the search language.

    query      either: every OR every ...
    every      terms, side by side or with AND between them: all of them hold
    term       - term | NOT term | ( either ) | "a phrase" | word | prefix* | field condition
    condition  : value,value | := value | != value | > >= < <= value | : low..high | :~ text | :!~ text | :empty | :notempty

A value ends at white space, a comma or a parenthesis, unless it is in quotes.
"""

import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import partial
from typing import Final, NamedTuple, NoReturn

from runwell.model.errors import InvalidQuery, Problem
from runwell.model.run_query import EVERYTHING, All, AnyOf, Not, Operator, Query, Words
from runwell.search.conditions import BadCondition, Given, Meant, condition
from runwell.search.dates import Today
from runwell.search.fields import Field, UnknownField, field_named
from runwell.search.flatten import fold, tokens
from runwell.search.paths import BadText, unquoted

MAX_LENGTH: Final = 4096
"""Characters of a search."""

MAX_DEPTH: Final = 32

_SPACE: Final = re.compile(r"\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NAME: Final = re.compile(r'[\w$][\w$-]*(?:\.(?:[\w$-]+|"(?:[^"\\]|\\.)*")|\.?\[\])*', re.DOTALL)
_SIGN: Final = re.compile(r":(?:!=|!~|>=|<=|=|>|<|~)?|!=|>=|<=|=|>|<")
_WORD: Final = re.compile(r'[^\s()"]+')
_BARE: Final = re.compile(r'[^\s(),"]+')
_KEYWORD: Final = re.compile(r'(?:OR|AND|NOT)(?=[\s()"]|$)')
_MEANT: Final = re.compile(r"(?:input|output|metadata|step)\.[^\s:()]*:", re.IGNORECASE)
"""What can only be meant as a place, whether or not it is one."""
_HALF_A_RANGE: Final = re.compile(r"^\.\.(?!\.)|(?<!\.)\.\.\Z")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_ALONE: Final = ("empty", "notempty", "*")

_OPERATORS: Final[dict[str, Operator]] = {
    "": "is",
    "=": "is",
    "!=": "is",
    "~": "contains",
    "!~": "contains",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
}


def parse(text: str, now: int, zone: tzinfo = UTC) -> Query:
    """Return the query that the text is. Relative dates count from `now` (ms since 1970), days are those of `zone`.

    Raises `InvalidQuery`; its problem has the place in the text.
    """
    return _Reader(text, Today(now, zone)).read()


class _Value(NamedTuple):
    text: str
    is_quoted: bool
    start: int
    end: int


class _Reader:
    def __init__(self, text: str, today: Today) -> None:
        self._text, self._today = text, today
        self._at = 0

    def read(self) -> Query:
        if half := _SURROGATE.search(self._text):
            self._fail("this is half a character (a lone surrogate)", half.start(), half.end(), "leave it out")
        if len(self._text) > MAX_LENGTH:
            self._fail(f"the search is longer than {MAX_LENGTH} characters", MAX_LENGTH, len(self._text), "say less, or search twice")
        self._skip()
        if self._at == len(self._text):
            return EVERYTHING
        query = self._either(0)
        if self._at < len(self._text):
            self._fail("this parenthesis closes nothing", self._at, self._at + 1, "leave it out, or open one before it")
        return query

    def _either(self, depth: int) -> Query:
        parts = [self._every(depth)]
        while self._keyword("OR"):
            parts.append(self._every(depth))
        return parts[0] if len(parts) == 1 else AnyOf(_flat(AnyOf, parts))

    def _every(self, depth: int) -> Query:
        parts = [self._term(depth)]
        while self._keyword("AND") or not (self._ends() or self._sees("OR")):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else All(_flat(All, parts))

    def _term(self, depth: int) -> Query:
        self._skip()
        start = self._at
        if depth > MAX_DEPTH:
            self._fail(f"this nests deeper than {MAX_DEPTH} levels", start, len(self._text), "say it more simply")
        if self._sees("OR") or self._sees("AND"):
            word = self._text[start : start + 2 + self._sees("AND")]
            self._fail(
                f"nothing stands before {word}", start, start + len(word), f'write "{word.lower()}" in quotes to search for the word'
            )
        if self._ends():
            self._fail("something must stand here", start, min(start + 1, len(self._text)), "write a word, a field with its value, or ( )")
        if self._keyword("NOT"):
            return Not(self._term(depth + 1))
        if self._text[start] == "-":
            return self._negated(depth)
        if self._text[start] == "(":
            return self._group(depth)
        if self._text[start] == '"':
            phrase = self._quoted()
            return self._words(phrase, start, self._star())
        return self._condition() or self._word()

    def _negated(self, depth: int) -> Query:
        self._at += 1
        if self._at == len(self._text) or self._text[self._at].isspace() or self._text[self._at] == ")":
            self._fail("nothing follows the minus", self._at - 1, self._at, "write what must not hold right behind it, or put it in quotes")
        return Not(self._term(depth + 1))

    def _group(self, depth: int) -> Query:
        start = self._at
        self._at += 1
        self._skip()
        if self._text.startswith(")", self._at):
            self._fail("there is nothing in these parentheses", start, self._at + 1, "leave them out")
        query = self._either(depth + 1)
        if self._at == len(self._text):
            self._fail("this parenthesis is not closed", start, start + 1, "write ) where it ends")
        self._at += 1
        return query

    def _quoted(self) -> str:
        start = self._at
        found = _QUOTED.match(self._text, start)
        if found is None:
            self._fail("this quote is not closed", start, len(self._text), 'write " where the text ends')
        self._at = found.end()
        try:
            return unquoted(found.group())
        except BadText as exc:
            self._fail("this text cannot be read", start, self._at, str(exc))

    def _star(self) -> bool:
        has = self._text.startswith("*", self._at)
        self._at += has
        return has

    def _word(self) -> Query:
        start = self._at
        found = _WORD.match(self._text, start)
        assert found is not None  # neither white space nor a parenthesis nor a quote stands here
        self._at = found.end()
        word = found.group()
        text = word.removesuffix("*")
        if "*" in text:
            star = start + text.index("*")
            self._fail("* stands for the rest of a word: nothing can follow it", star, star + 1, "end the word there, or put it in quotes")
        return self._words(text, start, text != word)

    def _words(self, text: str, start: int, is_prefix: bool) -> Query:
        words = tuple(tokens(text))
        if not words:
            self._fail("there is neither a letter nor a digit in this", start, self._at, "words are made of letters and digits")
        return Words(words, is_prefix and fold(text).endswith(words[-1]))

    def _condition(self) -> Query | None:
        """Return the condition that begins here; None when it is only a word."""
        start = self._at
        name = _NAME.match(self._text, start)
        sign = name and _SIGN.match(self._text, name.end())
        if name is None or sign is None:
            if meant := _MEANT.match(self._text, start):
                hint = 'write [] for any item of a list, and a key of unusual characters in quotes: output.items[].name, input."a b"'
                self._fail(f"{meant.group()[:-1]!r} is no place in a run", start, meant.end() - 1, hint)
            return None
        self._at = sign.end()
        operator = sign.group().removeprefix(":")
        if name.group().lower() == "has":
            return self._has(operator, sign.start())
        field = self._field(name.group(), start, name.end())
        given = self._values(operator)
        query = self._compared(field, operator, given, sign.start())
        return Not(query) if operator.startswith("!") else query

    def _has(self, operator: str, at: int) -> Query:
        if operator not in ("", "="):
            self._fail("has: is followed by a field", at, self._at, "has:error")
        found: list[Query] = []
        while not found or self._text.startswith(",", self._at):
            self._at += bool(found)
            name = _NAME.match(self._text, self._at)
            if name is None:
                self._fail("a field must stand here", self._at, min(self._at + 1, len(self._text)), "has:error")
            start, self._at = self._at, name.end()
            field = self._field(name.group(), start, self._at)
            found.append(self._placed(partial(condition, field, "not_empty", (), self._today), [], start))
        self._ended()
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _field(self, name: str, start: int, end: int) -> Field:
        try:
            return field_named(name)
        except UnknownField as exc:
            self._fail(exc.message, start, end, exc.hint)

    def _values(self, operator: str) -> list[_Value]:
        given: list[_Value] = []
        while not given or self._text.startswith(",", self._at):
            self._at += bool(given)
            start = self._at
            if self._text.startswith('"', start):
                given.append(_Value(self._quoted(), True, start, self._at))
            elif self._text.startswith(("=", "<", ">", "~", "!"), start):
                self._fail("there is no such operator", start, start + 1, "put a value that begins so in quotes")
            elif found := _BARE.match(self._text, start):
                self._at = found.end()
                given.append(_Value(found.group(), False, start, self._at))
            else:
                self._fail("a value must stand here", start, min(start + 1, len(self._text)), 'write one, in quotes where it is empty: ""')
        self._ended()
        return given

    def _ended(self) -> None:
        """See that the values end where they can."""
        if self._at < len(self._text) and self._text[self._at] != ")" and not self._text[self._at].isspace():
            self._fail(
                "this cannot stand behind a value", self._at, self._at + 1, 'put the whole value in quotes, and write \\" for a quote in it'
            )

    def _compared(self, field: Field, operator: str, given: list[_Value], sign: int) -> Query:
        if operator in ("", "=", "!="):
            for value in given:
                self._see_that_it_is_one(value, len(given) == 1)
        alone = None if len(given) > 1 or given[0].is_quoted else given[0]
        meant: Operator = _OPERATORS[operator]
        exact: Meant = "exact" if operator == "=" else None
        if operator in ("", "!=") and alone and alone.text in _ALONE:
            meant, given = ("empty" if alone.text == "empty" else "not_empty"), []
        elif operator in ("", "=", "!=") and alone and ".." in alone.text.strip("."):
            meant, given = "between", _range(alone)
        values = [Given(value.text, value.is_quoted) for value in given]
        return self._placed(partial(condition, field, meant, values, self._today, exact), given, sign)

    def _see_that_it_is_one(self, value: _Value, is_alone: bool) -> None:
        """Refuse what looks like more than a value, and would be taken for a text."""
        if value.is_quoted:
            return
        if value.text in _ALONE and not is_alone:
            hint = f'write OR between two conditions, or "{value.text}" in quotes for the text'
            self._fail(f"{value.text} stands alone", value.start, value.end, hint)
        if _HALF_A_RANGE.search(value.text):
            self._fail("a range has two ends", value.start, value.end, "write >= or <= for one end, or put a text in quotes")

    def _placed(self, make: Callable[[], Query], given: list[_Value], sign: int) -> Query:
        try:
            return make()
        except BadCondition as exc:
            start, end = (sign, max(self._at, sign + 1)) if exc.value is None else given[exc.value][2:]
            self._fail(exc.message, start, end, exc.hint)

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _ends(self) -> bool:
        """Whether nothing more belongs to this group."""
        self._skip()
        return self._at == len(self._text) or self._text[self._at] == ")"

    def _sees(self, keyword: str) -> bool:
        self._skip()
        return self._text.startswith(keyword, self._at) and _KEYWORD.match(self._text, self._at) is not None

    def _keyword(self, keyword: str) -> bool:
        seen = self._sees(keyword)
        self._at += len(keyword) * seen
        return seen

    def _fail(self, message: str, start: int, end: int, hint: str) -> NoReturn:
        problem = Problem(code="INVALID_QUERY", message=message, hint=hint, position=start, length=end - start)
        raise InvalidQuery(f"{message} (at character {start + 1})", hint=hint, problems=(problem,))


def _range(value: _Value) -> list[_Value]:
    middle = value.text.index("..", 1)
    return [
        _Value(value.text[:middle], False, value.start, value.start + middle),
        _Value(value.text[middle + 2 :], False, value.start + middle + 2, value.end),
    ]


def _flat(kind: type[All] | type[AnyOf], parts: list[Query]) -> tuple[Query, ...]:
    """Return the parts, with those of parts of the same kind in their place."""
    return tuple(inner for part in parts for inner in (part.of if isinstance(part, kind) else (part,)))
