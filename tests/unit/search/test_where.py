"""The SQL of a query holds nothing of what the caller wrote: only names of parameters."""

import re

from hypothesis import given, settings
from tests.unit.search.test_parser import NOW, TEXTS, read

from runwell.model.errors import InvalidQuery
from runwell.runstore.where import where
from runwell.search.parser import parse

KNOWN = re.compile(
    r"\{w(?:\d+|_upper|_lower):(?:String|Int64|Array\(String\))\}|[\w.]+|[()\[\],<>=!\- +]|'\"'|''|'\^-\?\[0-9\]\+\$'|'\u212a'"
)


@given(TEXTS)
@settings(deadline=None)
def test_values_are_always_bound(text: str) -> None:
    query = read(text)
    if not isinstance(query, InvalidQuery):
        found = where(query)
        assert KNOWN.sub("", found.sql) == ""
        assert all(found.sql.count(f"{{{name}:") >= 1 for name in found.params)


def test_a_hostile_value_is_a_parameter() -> None:
    hostile = "'; DROP TABLE runs --"
    found = where(parse(f'input."{hostile}":"{hostile}" step.a:failed tag:~"{hostile}" "{hostile}"', NOW))
    assert "DROP" not in found.sql
    assert hostile.lower() in found.params.values()
