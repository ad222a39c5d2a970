"""Which fields the newest runs have, with the values that are there most often."""

from typing import TYPE_CHECKING, Any, Final

from runwell.ports.run_store import FieldSeen, RunsAsked
from runwell.runstore.asking import runs_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_RUNS: Final = 10_000
_FIELDS: Final = 500
_VALUES: Final = 10
_PREFIXES: Final = {"i:": "input", "o:": "output", "m:": "metadata"}

_PATH: Final = r'^[iom]:(?:"(?:[^"\\\\]|\\\\.)*"|[^"=#])*'
"""A path at the start of an entry, as SQL writes it: quoted keys may hold anything, others neither `=` nor `#`."""

_TEXTS: Final = """
SELECT path, count() AS seen, countIf(value IN ('=true', '=false')) AS truths, countIf(value != '') AS texts,
  topKIf({value_limit})(substring(value, 2), left(value, 1) = '=') AS most
FROM (
  SELECT extract(entry, '{path}') AS path, substring(entry, length(path) + 1) AS value
  FROM (SELECT arrayJoin(kv) AS entry FROM (SELECT kv {runs}))
)
WHERE path != ''
GROUP BY path ORDER BY seen DESC, path LIMIT {field_limit}
"""

_NUMBERS: Final = """
SELECT path, count() AS seen, countIf(value != floor(value)) AS fractions, topK({value_limit})(value) AS most
FROM (
  SELECT entry.1 AS path, entry.2 AS value
  FROM (SELECT arrayJoin(arrayZip(num_paths, num_values)) AS entry FROM (SELECT num_paths, num_values {runs}))
)
WHERE left(path, 2) IN ('i:', 'o:')
GROUP BY path ORDER BY seen DESC, path LIMIT {field_limit}
"""


def fields_seen(client: "Client", asked: RunsAsked, since: int) -> list[FieldSeen]:
    """Return the fields of the newest runs since then: those seen most often, by name."""
    runs = runs_of(asked.scope, asked.removals).and_("created_at >= {since:Int64}", {"since": since})
    newest = f"{runs.sql} ORDER BY created_at DESC, run_id DESC LIMIT {_RUNS}"
    found: dict[str, tuple[set[str], list[str]]] = {}
    for path, _, truths, texts, most in _read(client, _TEXTS, newest, runs.params):
        types, values = found.setdefault(_name(path), (set(), []))
        if texts:
            types |= {"boolean"} if truths == texts else {"string"}
            values += most
    for path, _, fractions, most in _read(client, _NUMBERS, newest, runs.params):
        name, kind = _number_kind(path, fractions)
        types, values = found.setdefault(name, (set(), []))
        types.add(kind)
        if kind in ("number", "integer"):
            values += (f"{value:.15g}" for value in most)
    return [_field(name, types, values) for name, (types, values) in sorted(found.items())]


def _read(client: "Client", sql: str, runs: str, params: dict[str, Any]) -> list[Any]:
    text = sql.format(runs=runs, path=_PATH, value_limit=_VALUES, field_limit=_FIELDS)
    return list(client.query(text, parameters=params).result_rows)


def _field(name: str, types: set[str], values: list[str]) -> FieldSeen:
    """A field that has neither texts, numbers nor items of its own holds objects: it can only be empty or not."""
    return FieldSeen(name=name, types=tuple(sorted(types)), values=tuple(values[:_VALUES]))


def _number_kind(path: str, fractions: int) -> tuple[str, str]:
    if path.endswith("@"):
        return _name(path[:-1]), "date"
    if path.endswith(".length"):
        return _name(path.removesuffix(".length")), "array_length"
    return _name(path), "number" if fractions else "integer"


def _name(path: str) -> str:
    """Return the field's name: `i:ticket.lang` is `input.ticket.lang`, `i:[].name` is `input[].name`."""
    start, rest = _PREFIXES[path[:2]], path[2:]
    return f"{start}{'' if not rest or rest.startswith('[]') else '.'}{rest}"
