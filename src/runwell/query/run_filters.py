"""From what a list of runs is asked to one query: words, filters, and what holds unless it is said otherwise."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from runwell.model.errors import InvalidInput, Problem
from runwell.model.ids import id_in
from runwell.model.run import SET_APART
from runwell.model.run_query import All, AnyOf, Compare, Not, Operator, Query, Value
from runwell.model.run_search import RunFilters
from runwell.model.status_words import statuses_of
from runwell.search.dates import read_date
from runwell.search.parser import parse
from runwell.search.paths import segment
from runwell.search.structured import read_field_queries

DEFAULT_DAYS: Final = 7
"""A list that is not asked for a time holds the runs that began within so many days; one that has not started counts by its making."""

_DAY_MS: Final = 86_400_000
_TIMES: Final = frozenset({"started", "created", "ended", "begun"})


def run_query(asked: RunFilters, now: int) -> Query:
    """Return the query. Relative dates count from `now` (ms since 1970). Raises `InvalidInput` with each problem's place."""
    said = [*([parse(asked.q, now)] if asked.q.strip() else []), *read_field_queries(asked.field_queries, now)]
    named = {name for query in said for name in fields_of(query)}
    return All((*said, *_filters(asked), *_times(asked, named, now), *_hidden(asked, named)))


def fields_of(query: Query) -> Iterator[str]:
    """Yield the names of the fields on which the query depends."""
    match query:
        case Compare(field=name):
            yield name
        case Not(of=inner):
            yield from fields_of(inner)
        case All(of=parts) | AnyOf(of=parts):
            for part in parts:
                yield from fields_of(part)


def _filters(asked: RunFilters) -> Iterator[Query]:
    yield from _any_of("workflow", [id_in("wf", text) or text for text in asked.workflows])
    yield from _any_of("status", sorted({status.value for word in asked.statuses for status in statuses_of(word)}))
    yield from _any_of("environment", asked.environments)
    yield from _any_of("trigger", asked.triggers)
    yield from _any_of("tag", asked.tags)
    for text in asked.metadata:
        yield _metadata(text)
    if asked.has_error is not None:
        yield Compare("error", "not_empty" if asked.has_error else "empty")
    yield from _bound("duration", "gte", asked.min_duration_ms)
    yield from _bound("duration", "lte", asked.max_duration_ms)
    yield from _bound("cost", "gte", asked.min_cost_usd)
    yield from _bound("cost", "lte", asked.max_cost_usd)


def _any_of(field: str, values: Sequence[str]) -> Iterator[Query]:
    if values:
        yield Compare(field, "is", tuple(values))


def _bound(field: str, operator: Operator, value: Value | None) -> Iterator[Query]:
    if value is not None:
        yield Compare(field, operator, (value,))


def _metadata(text: str) -> Query:
    key, colon, value = text.partition(":")
    if not key or not colon:
        problem = Problem(code="invalid", message=f"{text!r} names no metadata", pointer="/metadata", hint="write it as key:value")
        raise InvalidInput(problem.message, hint=problem.hint, problems=(problem,))
    return Compare(f"metadata.{segment(key)}", "is", (value,), "string")


def _times(asked: RunFilters, named: set[str], now: int) -> Iterator[Query]:
    if asked.since is not None:
        yield Compare("begun", "gte", (_moment("from", asked.since, now),))
    if asked.until is not None:
        yield Compare("begun", "lt", (_moment("to", asked.until, now),))
    if asked.since is None and asked.until is None and not named & _TIMES:
        yield Compare("begun", "gte", (now - DEFAULT_DAYS * _DAY_MS,))


def _moment(name: str, text: str, now: int) -> int:
    """Return the moment in ms; of a day its beginning, in UTC."""
    try:
        return read_date(text, now)
    except InvalidInput as exc:
        exc.problems = tuple(msgspec.structs.replace(problem, pointer=f"/{name}") for problem in exc.problems)
        raise


def _hidden(asked: RunFilters, named: set[str]) -> Iterator[Query]:
    """Yield what leaves out archived runs, trial runs and evaluation runs, unless the caller speaks of them."""
    if asked.archived == "only" or (asked.archived == "false" and "archived" not in named):
        yield Compare("archived", "is", (asked.archived == "only",))
    if not asked.environments and "environment" not in named:
        yield Not(Compare("environment", "is", SET_APART))
