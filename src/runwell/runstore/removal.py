"""Deletion: rows, and what files hold of them.

A deletion of rows in ClickHouse rewrites the parts that held them. It is waited for; then no old part may be left on the
disk, nor what was put aside of a damaged store. The rewritten parts have new indices and dictionaries, without what is gone.
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
_ALL_DONE: Final = UNBOUNDED | {"mutations_sync": 2}


def remove_workflow(client: "Client", workflow_id: str) -> None:
    """Delete what is kept of a workflow in every table that says of which workflow its rows are. Returns when no file has it."""
    tables = tables_with(client, "workflow_id")
    for table in tables:
        _delete(client, table, "workflow_id = {workflow_id:String}", {"workflow_id": workflow_id})
    for table in tables:
        _await_old_parts(client, table)


def remove_runs(client: "Client", run_ids: Collection[str]) -> None:
    for table in tables_with(client, "run_id"):
        command = "DELETE FROM {table:Identifier} WHERE run_id IN {run_ids:Array(String)}"
        client.command(command, parameters={"table": table, "run_ids": list(run_ids)}, settings=_ALL_DONE)


def _delete(client: "Client", table: str, condition: str, params: dict[str, str]) -> None:
    there = "SELECT 1 FROM {table:Identifier} WHERE " + condition + " LIMIT 1 SETTINGS apply_deleted_mask = 0"
    if client.query(there, parameters={"table": table} | params).result_rows:
        command = "ALTER TABLE {table:Identifier} DELETE WHERE " + condition
        client.command(command, parameters={"table": table} | params, settings=_ALL_DONE)


def _await_old_parts(client: "Client", table: str) -> None:
    """Wait until the parts that were replaced are off the disk. The engine deletes them at once, in the background."""
    sql = "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND NOT active"
    until = time.monotonic() + _OLD_PARTS_S
    while client.query(sql, parameters={"table": table}).result_rows[0][0]:
        if time.monotonic() > until:
            raise RunStoreUnavailable(f"old parts of {table!r} are still on the disk after {_OLD_PARTS_S:g} s", hint="delete it again")
        time.sleep(_POLL_S)
