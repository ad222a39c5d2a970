"""The commands below `organizations`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.output import chosen
from runwell.cli.parameters import Output, finish, options_of

organizations_app = typer.Typer(help="Organizations, where no server owns the data directory.", no_args_is_help=True)


@organizations_app.command("create")
def create_organization(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The organization's name.")],
    admin: Annotated[str, typer.Option(metavar="EMAIL", help="Who is to administer it; gets a link to choose a password.")],
    output: Output = None,
) -> None:
    """Make an organization with a project of its own, and print the link for its first admin."""
    from runwell.cli import organizations

    finish(organizations.create_organization(options_of(context), name, admin, chosen(output)))


@organizations_app.command("list")
def list_organizations(context: typer.Context, output: Output = None) -> None:
    """List all organizations of the data directory or database."""
    from runwell.cli import organizations

    finish(organizations.list_organizations(options_of(context), chosen(output)))
