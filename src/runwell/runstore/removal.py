"""Deletion: rows, and what files hold of them.

A deletion of rows in ClickHouse rewrites the parts that held them, with indices and dictionaries that know nothing of what
is gone, and leaves three things on the disk: the old parts, the text of its own command, and what was put aside of a damaged
store. The old parts are off the disk when `DROP PARTITION`, of a month that never was, returns: it clears what nobody reads.
The command's text goes when the command is killed, finished as it is.
"""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from runwell.model.errors import RunStoreUnavailable
from runwell.runstore.schema import UNBOUNDED, tables_with

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_OLD_PARTS_S: Final = 60.0
_POLL_S: Final = 0.1
_IDS_AT_ONCE: Final = 1_000
"""They go to a server in the request's line."""

_ALL_DONE: Final = UNBOUNDED | {"mutations_sync": 2}


def remove_workflow(client: "Client", workflow_id: str) -> None:
    """Delete what is kept of a workflow in every table that says of which workflow its rows are. Returns when no file has it."""
    tables = tables_with(client, "workflow_id")
    for table in tables:
        _delete(client, table, "workflow_id = {workflow_id:String}", {"workflow_id": workflow_id})
    for table in tables:
        _clear_commands(client, table)
        _clear_old_parts(client, table)


def remove_runs(client: "Client", run_ids: Collection[str]) -> None:
    """Delete the rows of these runs; their bytes go when the parts are merged."""
    ids = list(run_ids)
    for table in tables_with(client, "run_id"):
        for start in range(0, len(ids), _IDS_AT_ONCE):
            command = "DELETE FROM {table:Identifier} WHERE run_id IN {run_ids:Array(String)}"
            some = ids[start : start + _IDS_AT_ONCE]
            client.command(command, parameters={"table": table, "run_ids": some}, settings=_ALL_DONE)


def _delete(client: "Client", table: str, condition: str, params: dict[str, str]) -> None:
    there = "SELECT 1 FROM {table:Identifier} WHERE " + condition + " LIMIT 1 SETTINGS apply_deleted_mask = 0"
    hidden = (
        "SELECT 1 FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND active AND has_lightweight_delete"
    )
    for sql, change in ((there, f"DELETE WHERE {condition}"), (hidden, "APPLY DELETED MASK")):  # the second drops what `remove_runs` hid
        bound = {"table": table} | params
        if client.query(sql, parameters=bound).result_rows:
            client.command(f"ALTER TABLE {{table:Identifier}} {change}", parameters=bound, settings=_ALL_DONE)


def _clear_commands(client: "Client", table: str) -> None:
    command = "KILL MUTATION WHERE database = currentDatabase() AND table = {table:String} AND is_done SYNC"
    client.command(command, parameters={"table": table}, settings=_ALL_DONE)


def _clear_old_parts(client: "Client", table: str) -> None:
    """Return when the parts that were replaced are off the disk: at once, unless a query still reads them."""
    left = "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND NOT active"
    until = time.monotonic() + _OLD_PARTS_S
    while True:
        client.command("ALTER TABLE {table:Identifier} DROP PARTITION ID '190001'", parameters={"table": table}, settings=_ALL_DONE)
        if not client.query(left, parameters={"table": table}).result_rows[0][0]:
            return
        if time.monotonic() > until:
            raise RunStoreUnavailable("somebody still reads what was deleted: it is still on the disk", hint="it is tried again by itself")
        time.sleep(_POLL_S)
