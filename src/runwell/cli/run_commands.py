"""The commands below `runs` and `tasks`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.options import Manner
from runwell.cli.output import chosen
from runwell.cli.parameters import Output, RunId, TaskId, Watch, finish, options_of
from runwell.cli.values import read_json, read_object
from runwell.model.commands import CompleteTask
from runwell.model.errors import InvalidInput
from runwell.model.statuses import RunStatus

runs_app = typer.Typer(help="Find, read and steer runs.", no_args_is_help=True)
tasks_app = typer.Typer(help="Decide what runs ask of people.", no_args_is_help=True)


@runs_app.command("list")
def list_runs(
    context: typer.Context,
    status: Annotated[
        RunStatus | None, typer.Option(metavar="STATUS", help="Only runs with this status, such as waiting or failed.")
    ] = None,
    workflow: Annotated[str | None, typer.Option(metavar="SLUG", help="Only runs of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="At most so many, the newest.")] = 20,
    output: Output = None,
) -> None:
    """List runs, the newest first."""
    from runwell.cli import reading

    finish(reading.list_runs(options_of(context), status, workflow, limit, chosen(output)))


@runs_app.command("show")
def show_run(context: typer.Context, run_id: RunId, output: Output = None) -> None:
    """Show one run: its input, steps, results and log, its output or why it failed."""
    from runwell.cli import reading

    finish(reading.show_run(options_of(context), run_id, chosen(output)))


@runs_app.command("events")
def list_events(
    context: typer.Context,
    run_id: RunId,
    after: Annotated[int, typer.Option(min=0, metavar="N", help="Only events after the N-th.")] = 0,
    output: Output = None,
) -> None:
    """Show what happened in a run, event by event; JSON lines when piped."""
    from runwell.cli import reading

    finish(reading.list_events(options_of(context), run_id, after, chosen(output)))


@runs_app.command("watch")
def watch_run(context: typer.Context, run_id: RunId, watch: Watch = None, output: Output = None) -> None:
    """Follow a run to its end, whoever carries it, and leave it alone. Ctrl-C ends the watching only."""
    from runwell.cli.running import watch_run as follow

    finish(follow(options_of(context), run_id, Manner(output=chosen(output), watch=watch)))


@runs_app.command("stop")
def stop_run(
    context: typer.Context,
    run_id: RunId,
    graceful: Annotated[bool, typer.Option("--graceful", help="Start nothing new, and let end what can.")] = False,
    output: Output = None,
) -> None:
    """Stop a run for good; stopping it again changes nothing.

    While another process carries the runs, Ctrl-C there stops its run; a server takes this command with --server.
    """
    from runwell.cli import steering

    finish(steering.stop_run(options_of(context), run_id, "graceful" if graceful else "immediate", chosen(output)))


@runs_app.command("pause")
def pause_run(context: typer.Context, run_id: RunId, output: Output = None) -> None:
    """Pause a run: nothing of it starts until it is resumed.

    While another process carries the runs, Ctrl-C there stops its run; a server takes this command with --server.
    """
    from runwell.cli import steering

    finish(steering.pause_run(options_of(context), run_id, chosen(output)))


@runs_app.command("resume")
def resume_run(context: typer.Context, run_id: RunId, watch: Watch = None, output: Output = None) -> None:
    """Go on with a run that is paused, waits or was cut off, and follow it.

    While another process carries the runs, Ctrl-C there stops its run; a server takes this command with --server.
    """
    from runwell.cli.running import resume_run as resume

    finish(resume(options_of(context), run_id, Manner(output=chosen(output), watch=watch)))


@runs_app.command("send")
def send_message(
    context: typer.Context,
    run_id: RunId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The message's name.")],
    body: Annotated[str, typer.Argument(metavar="JSON|@FILE|@-", help="The message.")] = "null",
    watch: Watch = None,
    output: Output = None,
) -> None:
    """Send a run a message, and follow the run.

    While another process carries the runs, Ctrl-C there stops its run; a server takes this command with --server.
    """
    from runwell.cli import steering

    manner = Manner(output=chosen(output), watch=watch)
    finish(steering.send_message(options_of(context), run_id, name, read_json(body, "the message"), manner))


@runs_app.command("rebuild")
def rebuild_run_store(context: typer.Context, output: Output = None) -> None:
    """Delete the run store, which lists and searches read, and build it again from the journal. No run is touched.

    No process may carry the runs meanwhile: stop the server first.
    """
    from runwell.cli import rebuilding

    finish(rebuilding.rebuild_run_store(options_of(context), chosen(output)))


@tasks_app.command("list")
def list_tasks(context: typer.Context, output: Output = None) -> None:
    """List the decisions that runs wait for."""
    from runwell.cli import reading

    finish(reading.list_tasks(options_of(context), chosen(output)))


@tasks_app.command("complete")
def complete_task(
    context: typer.Context,
    task_id: TaskId,
    approve: Annotated[bool, typer.Option("--approve", help="Approve.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject.")] = False,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="Why.")] = None,
    result: Annotated[str | None, typer.Option(metavar="JSON|@FILE|@-", help="An object: what to approve instead.")] = None,
    watch: Watch = None,
    output: Output = None,
) -> None:
    """Approve or reject, and follow the run; deciding again in the same way changes nothing.

    While another process carries the runs, Ctrl-C there stops its run; a server takes this command with --server.
    """
    from runwell.cli import steering

    if approve == reject:
        raise InvalidInput("a task is completed with either --approve or --reject")
    edits = None if result is None else read_object(result, "the result")
    decision = CompleteTask(task_id=task_id, approved=approve, result=edits, comment=comment)
    finish(steering.complete_task(options_of(context), task_id, decision, Manner(output=chosen(output), watch=watch)))
