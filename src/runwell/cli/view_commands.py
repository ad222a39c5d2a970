"""The commands below `views`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.output import chosen
from runwell.cli.parameters import Output, finish, options_of

views_app = typer.Typer(help="Searches that are kept under a name.", no_args_is_help=True)


@views_app.command("list")
def list_views(context: typer.Context, output: Output = None) -> None:
    """List one's own views, and those that others share."""
    from runwell.cli import views

    finish(views.list_views(options_of(context), chosen(output)))


@views_app.command("save")
def save_view(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the view is called.")],
    query: Annotated[str, typer.Argument(metavar="QUERY", help="As for `runs search`.")] = "",
    shared: Annotated[bool, typer.Option("--shared", help="Let everybody in the project see it.")] = False,
    default: Annotated[bool, typer.Option("--default", help="Let the screen's lists begin with it.")] = False,
    output: Output = None,
) -> None:
    """Keep a search; one's own view of this name is replaced."""
    from runwell.cli import views

    finish(views.save_view(options_of(context), name, query, shared=shared, default=default, output=chosen(output)))


@views_app.command("delete")
def delete_view(
    context: typer.Context, view: Annotated[str, typer.Argument(metavar="NAME|ID", help="One's own view, by its name; or any, by its id.")]
) -> None:
    """Delete a view. The runs that it finds stay."""
    from runwell.cli import views

    finish(views.delete_view(options_of(context), view))
