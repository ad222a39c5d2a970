"""The commands below `keys`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.output import chosen
from runwell.cli.parameters import Output, finish, options_of

keys_app = typer.Typer(help="API keys, where no server owns the data directory.", no_args_is_help=True)

Project = Annotated[str | None, typer.Option(metavar="SLUG|ID", help="The project. Default: the default project.")]


@keys_app.command("create")
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="workflow:read, workflow:write, workflow:run, task:complete or admin; may be given again."),
    ] = None,
    project: Project = None,
    days: Annotated[
        int | None, typer.Option("--expires-in-days", min=1, max=36_500, metavar="N", help="Default: the key does not expire.")
    ] = None,
    output: Output = None,
) -> None:
    """Make an API key and print it: this once, for it is not kept."""
    from runwell.cli import keys

    finish(keys.create_key(options_of(context), name, tuple(scope or ()), project, days, chosen(output)))


@keys_app.command("list")
def list_keys(context: typer.Context, project: Project = None, output: Output = None) -> None:
    """List the project's API keys, expired and revoked ones too."""
    from runwell.cli import keys

    finish(keys.list_keys(options_of(context), project, chosen(output)))


@keys_app.command("revoke")
def revoke_key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, key_ and 20 hex digits.")],
    project: Project = None,
    output: Output = None,
) -> None:
    """Revoke an API key, for good."""
    from runwell.cli import keys

    finish(keys.revoke_key(options_of(context), key_id, project, chosen(output)))
