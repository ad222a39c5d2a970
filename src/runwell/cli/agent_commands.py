"""The commands below `agents`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.options import Manner
from runwell.cli.output import chosen
from runwell.cli.parameters import Cache, Output, Watch, finish, options_of
from runwell.cli.values import read_json, read_pairs

agents_app = typer.Typer(help="Agents that are published: `runwell publish FILE` with a document of one agent step.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's slug or id.")]


@agents_app.command("list")
def list_agents(context: typer.Context, output: Output = None) -> None:
    """List the agents, the newest first."""
    from runwell.cli import agents

    finish(agents.list_agents(options_of(context), chosen(output)))


@agents_app.command("show")
def show_agent(context: typer.Context, agent: Agent, output: Output = None) -> None:
    """Show one agent: its model, instructions, tools and limits."""
    from runwell.cli import agents

    finish(agents.show_agent(options_of(context), agent, chosen(output)))


@agents_app.command("run")
def run_agent(
    context: typer.Context,
    agent: Agent,
    message: Annotated[str | None, typer.Argument(metavar="MESSAGE", help="What it is asked: its input, as text.")] = None,
    given: Annotated[str | None, typer.Option("--input", "-i", metavar="JSON|@FILE|@-", help="Its input, in place of a MESSAGE.")] = None,
    watch: Watch = None,
    output: Output = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag; may be given again.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Metadata; may be given again.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="The environment of the run. Default: production.")] = None,
    cache: Cache = None,
) -> None:
    """Run an agent and follow the run to its end, as `runwell run` does."""
    from runwell.cli import agents
    from runwell.cli.place import NewRun
    from runwell.model.errors import InvalidInput

    if (message is None) == (given is None):
        raise InvalidInput("agents run takes either a MESSAGE or --input", hint='runwell agents run support "Where is my parcel?"')
    new = NewRun(
        input=message if given is None else read_json(given, "the input"),
        tags=tuple(tag or ()),
        metadata=read_pairs(metadata or ()),
        environment=environment or "production",
        use_cache=cache or "auto",
    )
    finish(agents.run_agent(options_of(context), agent, new, Manner(output=chosen(output), watch=watch)))
