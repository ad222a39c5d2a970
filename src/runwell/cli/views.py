"""`runwell views list | save | delete`, here or on a server."""

from collections.abc import Sequence

from rich.table import Table

from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.places import open_client
from runwell.model.errors import InvalidInput, NotFound, Refused
from runwell.model.ids import id_in
from runwell.model.saved_views import SavedView, Visibility
from runwell.sdk.client import AsyncClient


async def list_views(options: Options, output: Format) -> Exit:
    async with open_client(options) as client:
        views = [view async for view in client.views.list(limit=200)]
    if output is Format.JSON:
        print_json(views)
    elif views:
        print_table(stdout(), _table(views))
    else:
        stderr().print("No views.")
    return Exit.SUCCEEDED


async def save_view(options: Options, name: str, query: str, *, shared: bool, default: bool, output: Format) -> Exit:
    """Make the view, or replace one's own of this name: what only a screen sets of that one stays."""
    visibility: Visibility = "shared" if shared else "private"
    async with open_client(options) as client:
        try:
            view = await client.views.create(name, query, visibility=visibility, default=default)
        except Refused:
            known = await _named(client, name)
            if known is None:
                raise
            screen = {"columns": known.columns, "sort": known.sort}
            view = await client.views.replace(
                known.id, name, query, revision=known.revision, visibility=visibility, default=default, **screen
            )
    if output is Format.JSON:
        print_json(view)
    else:
        stderr().print(f"Saved {one_line(view.name)} as {view.id}.", soft_wrap=True)
    return Exit.SUCCEEDED


async def delete_view(options: Options, text: str) -> Exit:
    async with open_client(options) as client:
        view_id = id_in("view", text)
        if view_id is None:
            view = await _named(client, text)
            if view is None:
                raise NotFound(f"there is no view {text!r}", hint="runwell views list shows them")
            view_id = view.id
        await client.views.delete(view_id)
    stderr().print(f"Deleted {view_id}.")
    return Exit.SUCCEEDED


async def _named(client: AsyncClient, name: str) -> SavedView | None:
    """Return the view of this name, a private one before those that are shared. Raises `InvalidInput` when there are several."""
    found = [view async for view in client.views.list(limit=200) if view.name == name]
    private = [view for view in found if view.visibility == "private"]
    if len(private or found) > 1:
        raise InvalidInput(f"more than one view is called {name!r}", hint="give its id; runwell views list shows it")
    return next(iter(private or found), None)


def _table(views: Sequence[SavedView]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Name", "Search", "Shown to"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    table.add_column("View", no_wrap=True, min_width=37)
    for view in views:
        seen = "everybody" if view.visibility == "shared" else "its owner"
        table.add_row(one_line(view.name, 40), one_line(view.query) or "-", f"{seen}, first" if view.default else seen, view.id)
    return table
