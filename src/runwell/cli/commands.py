"""The commands and their options.

Start-up must be quick, so nothing heavy is imported here: each command imports what it does when it
is called.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from runwell.cli.agent_commands import agents_app
from runwell.cli.evaluation_commands import datasets_app, evaluators_app, experiments_app
from runwell.cli.figure_commands import show_figure
from runwell.cli.key_commands import keys_app
from runwell.cli.options import Manner, Options
from runwell.cli.organization_commands import organizations_app
from runwell.cli.output import chosen
from runwell.cli.parameters import Cache, Output, Watch, finish, options_of
from runwell.cli.run_commands import runs_app, tasks_app
from runwell.cli.values import read_json, read_pairs
from runwell.cli.view_commands import views_app
from runwell.model.errors import InvalidInput
from runwell.model.version import __version__

app = typer.Typer(
    help="Run AI workflows durably, and keep every run.",
    epilog="Exit codes: 0 succeeded, 1 a run ended otherwise, 2 refused, 3 a run waits for somebody.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(runs_app, name="runs")
app.add_typer(tasks_app, name="tasks")
app.add_typer(evaluators_app, name="evaluators")
app.add_typer(datasets_app, name="datasets")
app.add_typer(experiments_app, name="experiments")
app.add_typer(agents_app, name="agents")
app.add_typer(keys_app, name="keys")
app.add_typer(organizations_app, name="organizations")
app.add_typer(views_app, name="views")
app.command("analytics")(show_figure)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"runwell {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="Where runs are kept. Default: $RUNWELL_DATA_DIR or ~/.runwell.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="Work on this server's runs. Default: $RUNWELL_SERVER, or the runs kept here.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file with the server's API key. Default: the key in $RUNWELL_API_KEY.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")] = False,
) -> None:
    if data_dir is not None and server is not None:
        raise InvalidInput("--data-dir and --server exclude each other", hint="name the place where the runs are, once")
    elsewhere = server or os.environ.get("RUNWELL_SERVER") or None
    context.obj = Options(data_dir, elsewhere if data_dir is None else None, key_file)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 for any that is free.")] = 7878,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Let everybody in; on loopback addresses only.")] = False,
) -> None:
    """Serve the HTTP interface and carry out runs until SIGTERM or Ctrl-C."""
    from runwell.cli.server import run_server

    finish(run_server(options_of(context), host, port, sign_in=not no_auth))


@app.command()
def run(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="A workflow document, YAML or JSON.", show_default=False)] = None,
    given: Annotated[str | None, typer.Option("--input", "-i", metavar="JSON|@FILE|@-", help="The run's input. Default: {}.")] = None,
    watch: Watch = None,
    output: Output = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag; may be given again.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Metadata; may be given again.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="The environment of the run. Default: production.")] = None,
    cache: Cache = None,
    resume: Annotated[str | None, typer.Option(metavar="RUN_ID", help="Go on with this run instead of starting one.")] = None,
) -> None:
    """Run a workflow document and follow the run to its end.

    Ctrl-C stops the run gracefully, twice at once. SIGTERM leaves it to be resumed.
    """
    from runwell.cli.place import NewRun
    from runwell.cli.running import resume_run, run_file

    manner = Manner(output=chosen(output), watch=watch)
    if (file is None) == (resume is None):
        raise InvalidInput(
            "run takes either a FILE or --resume RUN_ID", hint="runwell run triage.yaml, or runwell run --resume run_0195..."
        )
    if file is None:
        _refuse_of_start({"--input": given, "--tag": tag, "--metadata": metadata, "--environment": environment, "--cache": cache})
        finish(resume_run(options_of(context), resume or "", manner))
    new = NewRun(
        input={} if given is None else read_json(given, "the input"),
        tags=tuple(tag or ()),
        metadata=read_pairs(metadata or ()),
        environment=environment or "production",
        use_cache=cache or "auto",
    )
    finish(run_file(options_of(context), file, new, manner))


def _refuse_of_start(given: dict[str, Any]) -> None:
    """Raise `InvalidInput` when a run that goes on is given what only a start takes."""
    names = [name for name, value in given.items() if value not in (None, [])]
    if names:
        are = "is" if len(names) == 1 else "are"
        raise InvalidInput(f"{' and '.join(names)} {are} of the run's start, and --resume starts none", hint="leave it out, or give a FILE")


@app.command()
def publish(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A workflow document, YAML or JSON.")],
    output: Output = None,
) -> None:
    """Publish a workflow document as the next version of its workflow, and start nothing."""
    from runwell.cli.running import publish_file

    finish(publish_file(options_of(context), file, chosen(output)))


@app.command()
def validate(
    context: typer.Context,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE...", help="Workflow documents.", show_default=False)] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of workflow documents.")] = False,
    output: Output = None,
) -> None:
    """Name every problem of workflow documents, and execute nothing."""
    from runwell.cli.validating import print_schema
    from runwell.cli.validating import validate as check

    if schema:
        raise typer.Exit(print_schema())
    if not files:
        raise InvalidInput("validate takes at least one FILE", hint="runwell validate triage.yaml")
    finish(check(options_of(context), files, chosen(output)))


@app.command()
def doctor(context: typer.Context, output: Output = None) -> None:
    """Check that this machine can run workflows and keep their runs."""
    from runwell.cli.doctor import doctor as examine

    finish(examine(options_of(context), chosen(output)))


@app.command()
def demo(context: typer.Context) -> None:
    """Run an example with the built-in demo model, in a fresh data directory."""
    from runwell.cli.demo import run_demo

    finish(run_demo(options_of(context)))
