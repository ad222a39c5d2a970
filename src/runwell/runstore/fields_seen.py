"""Which fields the newest runs have, with the values that are there most often."""

from collections import Counter
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any, Final

from runwell.ports.run_store import FieldSeen, RunsAsked
from runwell.runstore.asking import Condition, runs_of
from runwell.search.fields import field_named
from runwell.search.paths import segment
from runwell.search.values import number_text

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_RUNS: Final = 10_000
_FIELDS: Final = 500
_VALUES: Final = 10
_OWN_VALUES: Final = 100
_PREFIXES: Final = {"i:": "input", "o:": "output", "m:": "metadata"}

_PATH: Final = r'^[iom]:(?:"(?:[^"\\\\]|\\\\.)*"|[^"=#!])*'
"""A path at the start of an entry, as SQL writes it: quoted keys may hold anything, others neither `=`, `#` nor `!`."""

_TEXTS: Final = """
SELECT path, count() AS seen, countIf(kind = '!') AS truths, countIf(kind IN ('=', '#')) AS texts,
  arrayMap(x -> (x.1, x.2), topKIf({value_limit}, 3, 'counts')(value, kind IN ('=', '!') AND value != '')) AS most
FROM (
  SELECT extract(entry, '{path}') AS path, substring(entry, length(path) + 1, 1) AS kind, substring(entry, length(path) + 2) AS value
  FROM (SELECT arrayJoin(kv) AS entry FROM (SELECT kv {runs}))
)
WHERE path != ''
GROUP BY path ORDER BY seen DESC, path LIMIT {field_limit}
"""

_NUMBERS: Final = """
SELECT path, count() AS seen, countIf(value != floor(value)) AS fractions,
  arrayMap(x -> (x.1, x.2), topK({value_limit}, 3, 'counts')(value)) AS most
FROM (
  SELECT entry.1 AS path, entry.2 AS value
  FROM (SELECT arrayJoin(arrayZip(num_paths, num_values)) AS entry FROM (SELECT num_paths, num_values {runs}))
)
WHERE left(path, 2) IN ('i:', 'o:')
GROUP BY path ORDER BY seen DESC, path LIMIT {field_limit}
"""

_OWN: Final = {
    "workflow": "topK({limit})(workflow_slug)",
    "version": "topK({limit})(version)",
    "model": "topKArray({limit})(models)",
    "provider": "topKArray({limit})(providers)",
    "trigger": "topK({limit})(trigger)",
    "environment": "topK({limit})(environment)",
    "tag": "topKArray({limit})(tags)",
    "step_type": "topKArray({limit})(step.type)",
    "failed_step": "topKIf({limit})(failed_step, failed_step != '')",
    "failure_code": "topKIf({limit})(failure_code, failure_code != '')",
}
"""The fields of every run of which a project has few values, with the SQL of the most frequent ones."""

_STEPS: Final = "topKArray({limit})(arrayZip(step.id, step.status))"


def fields_seen(client: "Client", asked: RunsAsked, since: int) -> list[FieldSeen]:
    """Return the fields of the runs since then: those of every run that have few values; and the places of the newest runs."""
    runs = runs_of(asked.scope, asked.removals).and_("created_at >= {since:Int64}", {"since": since})
    return [*_own_fields(client, runs), *_places(client, runs)]


def _own_fields(client: "Client", runs: Condition) -> Iterator[FieldSeen]:
    columns = ", ".join([*_OWN.values(), _STEPS]).format(limit=_OWN_VALUES)
    ((*row, steps),) = client.query(f"SELECT {columns} {runs.sql}", parameters=runs.params).result_rows
    found = dict(zip(_OWN, row, strict=True))
    for step_id, status in steps:
        found.setdefault(f"step.{segment(step_id)}.status", []).append(status)
    for name, most in found.items():
        values = tuple(str(value) for value in most if value != "")
        if values:
            yield FieldSeen(name=name, types=(field_named(name).type,), values=values)


def _places(client: "Client", runs: Condition) -> Iterator[FieldSeen]:
    newest = f"{runs.sql} ORDER BY created_at DESC, run_id DESC LIMIT {_RUNS}"
    found: dict[str, tuple[set[str], Counter[str]]] = {}
    for path, _, truths, texts, most in _read(client, _TEXTS, newest, runs.params):
        types, values = found.setdefault(_name(path), (set(), Counter()))
        types |= {"boolean"} if truths else set()
        types |= {"string"} if texts else set()
        values.update(dict(most))
    for path, _, fractions, most in _read(client, _NUMBERS, newest, runs.params):
        for name, kind in _meanings(path, fractions, found):
            types, values = found.setdefault(name, (set(), Counter()))
            types.add(kind)
            values.update({number_text(value): count for value, count in most} if kind in ("number", "integer") else {})
    for name, (types, values) in sorted(found.items()):
        yield _field(name, types, values)


def _read(client: "Client", sql: str, runs: str, params: dict[str, Any]) -> list[Any]:
    text = sql.format(runs=runs, path=_PATH, value_limit=_VALUES, field_limit=_FIELDS)
    return list(client.query(text, parameters=params).result_rows)


def _field(name: str, types: set[str], values: Counter[str]) -> FieldSeen:
    """A field that has neither texts, numbers nor items of its own holds objects: it can only be empty or not."""
    return FieldSeen(name=name, types=tuple(sorted(types)), values=tuple(value for value, _ in values.most_common(_VALUES)))


def _meanings(path: str, fractions: int, found: Container[str]) -> list[tuple[str, str]]:
    """Return the fields that the numbers at a path are of, with the types. Only a key has an entry among the texts' paths as well."""
    if path.endswith("@"):
        return [(_name(path[:-1]), "date")]
    number = (_name(path), "number" if fractions else "integer")
    if not path.endswith((".length", ":length")):
        return [number]
    holder = _name(path.removesuffix("length").removesuffix("."))
    is_key = number[0] in found
    return [number] * is_key + [(holder, "array_length")] * (not is_key or f"{holder}[]" in found)


def _name(path: str) -> str:
    """Return the field's name: `i:ticket.lang` is `input.ticket.lang`, `i:[].name` is `input[].name`."""
    start, rest = _PREFIXES[path[:2]], path[2:]
    return f"{start}{'' if not rest or rest.startswith('[]') else '.'}{rest}"
