"""The tables, made where they are missing; made anew when they are an older version's."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


VERSION: Final = 3
"""Of `schema.sql`, `rollups.sql` and `search/flatten.py`. Raised with every change there: all is then built again from the journal."""

UNBOUNDED: Final = {"max_execution_time": 0, "max_memory_usage": 0}
"""Settings of what changes data: it must not end half-way. The engine's own bound on memory stays."""

_VERSION_ROW: Final = "schema"
_SQL: Final = "\n".join(re.sub(r"--.*", "", files("runwell.runstore").joinpath(name).read_text()) for name in ("schema.sql", "rollups.sql"))

TABLES: Final = tuple(re.findall(r"^CREATE (?:TABLE|MATERIALIZED VIEW|VIEW) IF NOT EXISTS (\w+)", _SQL, re.MULTILINE))
"""The names of what they make, in this order."""


def make_database(client: "Client", name: str) -> None:
    """Make the database, unless it is there: who may not make any can still use it."""
    if not client.query("SELECT 1 FROM system.databases WHERE name = {name:String}", parameters={"name": name}).result_rows:
        client.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", parameters={"name": name}, use_database=False)


def make_tables(client: "Client") -> None:
    """Make the tables; drop those of another version, or whose rows were lost while their checkpoint was not."""
    _create(client)
    if _version(client) != VERSION or _lost_rows(client):
        _drop(client)
        _create(client)
        keep_position(client, VERSION, _VERSION_ROW)


def empty_tables(client: "Client") -> None:
    """Delete all rows. The tables stay: others may be reading them."""
    for name in _tables(client):
        client.command("TRUNCATE TABLE {name:Identifier} SYNC", parameters={"name": name})
    keep_position(client, VERSION, _VERSION_ROW)


def position(client: "Client", name: str = "journal") -> int:
    """Return the position that was kept last; 0 for none."""
    sql = "SELECT max(position) FROM checkpoint WHERE name = {name:String}"
    return int(client.query(sql, parameters={"name": name}, settings=UNBOUNDED).result_rows[0][0])


def keep_position(client: "Client", value: int, name: str = "journal") -> None:
    client.insert("checkpoint", [[name, value]], column_names=["name", "position"], settings=UNBOUNDED)


def tables_with(client: "Client", column: str) -> list[str]:
    """Return our tables, without views, that have this column."""
    sql = (
        "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = {column:String} AND table IN {tables:Array(String)}"
    )
    return [table for (table,) in client.query(sql, parameters={"column": column, "tables": _tables(client)}).result_rows]


def broken_parts(client: "Client") -> list[str]:
    """Return the parts that the engine could not read when it opened the tables, and put aside."""
    found = client.query("SELECT table, name FROM system.detached_parts WHERE database = currentDatabase() AND reason LIKE 'broken%'")
    return [f"{table}/{name}" for table, name in found.result_rows]


def _tables(client: "Client") -> list[str]:
    sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN {ours:Array(String)} AND engine LIKE '%MergeTree'"
    return [name for (name,) in client.query(sql, parameters={"ours": list(TABLES)}).result_rows]


def _drop(client: "Client") -> None:
    """Drop our tables, and nothing that somebody else keeps in the database; what was made last, such as views, goes first."""
    for name in reversed(TABLES):
        client.command("DROP TABLE IF EXISTS {name:Identifier} SYNC", parameters={"name": name})


def _create(client: "Client") -> None:
    for statement in _SQL.split(";\n"):
        if statement.strip():
            client.command(statement)


def _version(client: "Client") -> int | None:
    columns = "SELECT groupArray(name) FROM system.columns WHERE database = currentDatabase() AND table = 'checkpoint'"
    is_ours = {"name", "position"} <= set(client.query(columns).result_rows[0][0])
    return position(client, _VERSION_ROW) if is_ours else None


def _lost_rows(client: "Client") -> bool:
    """Whether runs were kept, and a table has none: what the directory held of it was deleted."""
    return position(client) > 0 and any(_is_empty(client, table) for table in tables_with(client, "workflow_id"))


def _is_empty(client: "Client", table: str) -> bool:
    return not client.query("SELECT 1 FROM {table:Identifier} LIMIT 1", parameters={"table": table}).result_rows
