"""Runs and workflows by what a path names, within the caller's scope.

What lies outside of the scope is not there: the error for it tells only what the caller gave.
"""

import re
from typing import Final

from runwell.model.errors import InvalidInput, NotFound
from runwell.model.ids import parse_id
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.ports.journal import Definitions, Journal

_SHORT: Final = re.compile("[0-9a-f]{24}")


def run_key(text: str) -> str:
    """Return a run's id in its shown form, or its 24 hex digits as they are. Raises `InvalidInput` when `text` is neither."""
    if _SHORT.fullmatch(text.lower()):
        return text.lower()
    try:
        return parse_id("run", text)
    except InvalidInput as exc:
        raise InvalidInput(
            f"{text!r} is no run id", hint="an id looks like run_ and 32 hex digits, is a bare UUID, or its first 24 digits"
        ) from exc


async def find_run(journal: Journal, scope: Scope, text: str, workflow_id: str | None = None) -> RunRow:
    """Return the row of the run, which must be of this workflow if one is given. Raises `NotFound`, `InvalidInput`."""
    key = run_key(text)
    ids = await journal.find(f"run_{key}") if _SHORT.fullmatch(key) else [key]
    row = await journal.row(ids[0]) if ids else None
    if row is None or Scope(row.org_id, row.project_id) != scope or workflow_id not in (None, row.workflow_id):
        raise NotFound(f"there is no run {key!r}")
    return row


async def find_workflow(definitions: Definitions, scope: Scope, text: str) -> str:
    """Return the id of the workflow that is named by id, bare UUID or slug. Raises `NotFound`."""
    workflow_id = await definitions.workflow_id_of(scope, text)
    if workflow_id is None:
        raise NotFound(f"there is no workflow {text!r}")
    return workflow_id
