"""One condition, from its field, operator and values as they were given: by the text language and by the structured form.

Negation is the caller's: what comes from here has no `is_not` and no `not_contains`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Final, Literal, NamedTuple, TypeVar

from runwell.model.errors import InvalidInput
from runwell.model.ids import id_in
from runwell.model.run_query import AnyOf, Compare, FieldType, Operator, Query, Value
from runwell.model.status_words import STATUS_WORDS, statuses_of
from runwell.model.statuses import STEP_BADGES, StepStatus
from runwell.search import values
from runwell.search.dates import Span, Today, span
from runwell.search.fields import Field, Kind, nearest_of
from runwell.search.paths import quoted
from runwell.search.values import BadValue

WORDS: Final[dict[Operator, str]] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    "gt": "is greater than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "before": "is before",
    "after": "is after",
    "between": "is between",
    "empty": "is empty",
    "not_empty": "is not empty",
}

Meant = FieldType | Literal["exact"] | None
"""Which type a value within JSON is: `exact` the one it looks like, None any that its text fits."""

_STEP_WORDS: Final = {**{status.value: status for status in StepStatus}, **{label.lower(): status for status, label in STEP_BADGES.items()}}


_T = TypeVar("_T")


class Given(NamedTuple):
    """A value as it was given. What was quoted is a text, whatever it looks like."""

    text: str
    is_quoted: bool = False


class BadCondition(Exception):
    """The condition makes no sense. `value`: which value is at fault; None: the operator."""

    def __init__(self, message: str, hint: str, value: int | None = None) -> None:
        self.message, self.hint, self.value = message, hint, value
        super().__init__(message)


def condition(field: Field, operator: Operator, given: Sequence[Given], today: Today, meant: Meant = None) -> Query:
    """Return the condition. Raises `BadCondition`."""
    if operator not in field.operators:
        raise BadCondition(
            f"{WORDS[operator]!r} makes no sense for {field.name}", f"it knows: {', '.join(WORDS[each] for each in field.operators)}"
        )
    if operator in ("empty", "not_empty"):
        return Compare(field.name, operator)
    if operator == "contains":
        return Compare(field.name, operator, tuple(_contained(index, each) for index, each in enumerate(given)))
    if operator == "is":
        return _is(field, given, today, meant)
    return _ordered(field, operator, given, today, meant)


def _contained(index: int, given: Given) -> str:
    if not given.text:
        raise BadCondition("there is nothing to look for", "write a text, or ask whether it is empty", index)
    return given.text


def _ordered(field: Field, operator: Operator, given: Sequence[Given], today: Today, meant: Meant) -> Query:
    if len(given) != (2 if operator == "between" else 1):
        wanted = "two values" if operator == "between" else "one value"
        raise BadCondition(f"{WORDS[operator]} takes {wanted}, not {len(given)}", f"give {wanted}", min(len(given), 2) - 1)
    type_ = _order_type(given[0], meant) if field.kind == "json" else None
    if type_ == "date" or field.kind == "date":
        is_said = field.kind == "date" or meant == "date" or operator in ("before", "after")
        spans = [_read(index, each, partial(span if is_said else _ordered_span, today=today)) for index, each in enumerate(given)]
        first, last = spans[0], spans[-1]
        _see_order(first.first, last.last)
        bounds: dict[Operator, tuple[Value, ...]] = {"between": (first.first, last.last), "gt": (first.last,), "gte": (first.first,)}
        bounds |= {"lt": (first.first,), "lte": (first.last,)}
        plain: Operator = "gt" if operator == "after" else "lt" if operator == "before" else operator
        return Compare(field.name, plain, bounds[plain], type_)
    if operator in ("before", "after"):
        raise BadCondition(f"{WORDS[operator]} compares dates", "compare numbers with greater than and less than")
    read = _READERS.get(field.kind, _number)
    numbers = tuple(_read(index, each, read) for index, each in enumerate(given))
    _see_order(numbers[0], numbers[-1])
    return Compare(field.name, operator, numbers, type_)


def _order_type(given: Given, meant: Meant) -> FieldType:
    if meant in ("number", "integer", "array_length"):
        return "number"
    return "date" if meant == "date" or given.is_quoted or values.number(given.text) is None else "number"


def _ordered_span(text: str, today: Today) -> Span:
    """Return the date that something is compared with, which is no number without quotes. Texts have no order but that of dates."""
    try:
        return span(text, today)
    except BadValue as exc:
        if values.number(text) is None:
            raise BadValue(f"{text!r} is neither a number nor a date", exc.hint) from exc
        raise BadValue(f"{quoted(text)} is a text, which has no order", f"without quotes it is a number: {text}") from exc


def _see_order(low: Value, high: Value) -> None:
    if low > high:  # type: ignore[operator]
        raise BadCondition("this range ends before it begins", "write the smaller one first", 1)


def _is(field: Field, given: Sequence[Given], today: Today, meant: Meant) -> Query:
    if field.kind == "date":
        return _any(_on(field.name, _read(index, each, partial(span, today=today))) for index, each in enumerate(given))
    if field.kind in ("status", "step_status"):
        read = _statuses if field.kind == "status" else _step_statuses
        found = [status for index, each in enumerate(given) for status in _read(index, each, read)]
        return Compare(field.name, "is", tuple(dict.fromkeys(found)))
    if field.kind == "choice":
        return Compare(field.name, "is", tuple(_read(index, each, partial(_choice, field)) for index, each in enumerate(given)))
    if field.kind in _READERS:
        reader = _READERS[field.kind]
        return Compare(field.name, "is", tuple(_read(index, each, reader) for index, each in enumerate(given)))
    if field.kind == "workflow":
        given = [Given(id_in("wf", each.text) or each.text, each.is_quoted) for each in given]
    typed = [(_type(each, meant if field.kind == "json" else None), index, each) for index, each in enumerate(given)]
    return _any(_alike(field, type_, [item[1:] for item in items], today) for type_, items in groupby(typed, lambda item: item[0]))


def _type(given: Given, meant: Meant) -> FieldType | None:
    if given.is_quoted:
        return "string"
    if meant != "exact":
        return "number" if meant in ("integer", "array_length") else meant
    if values.number(given.text) is not None:
        return "number"
    return "boolean" if given.text in ("true", "false") else "date" if _is_date(given.text) else "string"


def _is_date(text: str) -> bool:
    try:
        return not span(text, Today(0)).is_ago and text[0].isdigit()
    except BadValue:
        return False


def _alike(field: Field, type_: FieldType | None, given: Sequence[tuple[int, Given]], today: Today) -> Query:
    """Return the condition for values of one type."""
    if type_ == "date":
        return _any(_on(field.name, _read(index, each, partial(span, today=today)), "date") for index, each in given)
    read: Callable[[str], Value] = _number if type_ == "number" else values.boolean if type_ == "boolean" else str
    return Compare(field.name, "is", tuple(_read(index, each, read) for index, each in given), type_)


def _on(field: str, span: Span, type_: FieldType | None = None) -> Query:
    if span.is_ago:
        return Compare(field, "gte", (span.first,), type_)
    if span.first == span.last:
        return Compare(field, "is", (span.first,), type_)
    return Compare(field, "between", (span.first, span.last), type_)


def _any(found: Iterable[Query]) -> Query:
    queries = tuple(found)
    return queries[0] if len(queries) == 1 else AnyOf(queries)


def _read(index: int, given: Given, reader: Callable[[str], _T]) -> _T:
    try:
        return reader(given.text)
    except BadValue as exc:
        raise BadCondition(exc.message, exc.hint, index) from exc


def _number(text: str) -> int | float:
    value = values.number(text)
    if value is None:
        raise BadValue(f"{text!r} is no number", "write it as 3, -0.5 or 1e6")
    return value


def _statuses(text: str) -> tuple[str, ...]:
    try:
        return tuple(status.value for status in statuses_of(text))
    except InvalidInput as exc:
        raise BadValue(exc.message, nearest_of(text, STATUS_WORDS) or exc.hint or "") from exc


def _step_statuses(text: str) -> tuple[str, ...]:
    status = _STEP_WORDS.get(text.lower())
    if status is None:
        raise BadValue(f"{text!r} is no status of a step", nearest_of(text, _STEP_WORDS) or f"statuses are {', '.join(StepStatus)}")
    return (status.value,)


def _choice(field: Field, text: str) -> str:
    word = text.lower()
    if word not in field.choices:
        *others, last = field.choices
        raise BadValue(f"{field.name} is never {text!r}", nearest_of(text, field.choices) or f"it is {', '.join(others)} or {last}")
    return word


def _id(text: str) -> str:
    run_id = id_in("run", text)
    if run_id is None:
        raise BadValue(f"{text!r} is no run id", "an id looks like run_ and 32 hex digits, or is a bare UUID")
    return run_id


_READERS: Final[dict[Kind, Callable[[str], Value]]] = {
    "id": _id,
    "integer": values.integer,
    "number": _number,
    "duration": values.duration,
    "money": values.money,
    "boolean": values.boolean,
}
