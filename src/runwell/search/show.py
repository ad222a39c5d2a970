"""A query as text that reads back as the same query."""

from runwell.model.run_query import All, Compare, Query
from runwell.model.times import rfc3339
from runwell.search.paths import quoted

_SIGNS = {"is": "", "gte": ">=", "lt": "<"}


def show(query: Query) -> str:
    """Return the query in the search language."""
    if isinstance(query, All):
        return " ".join(show(part) for part in query.of)
    if not isinstance(query, Compare):
        raise NotImplementedError
    return f"{query.field}:{_SIGNS[query.operator]}{','.join(_value(query.field, value) for value in query.values)}"


def _value(field: str, value: object) -> str:
    if field == "begun" and isinstance(value, int):
        return rfc3339(value)
    text = f"{value}ms" if field == "duration" else str(value)
    return text if all(char.isalnum() or char in "_-." for char in text) else quoted(text)
