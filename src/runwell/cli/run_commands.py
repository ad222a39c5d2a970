"""The commands below `runs` and `tasks`. As in `commands`, each imports what it does when it is called."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from runwell.cli.options import Manner
from runwell.cli.output import chosen
from runwell.cli.parameters import Output, RunId, TaskId, Watch, finish, options_of
from runwell.cli.runs_wanted import RunsWanted
from runwell.cli.values import read_json, read_object
from runwell.model.commands import ArchiveRun, CompleteTask, ReviewRun, UnarchiveRun
from runwell.model.errors import InvalidInput
from runwell.model.run_search import RunFilters, metadata_pair

runs_app = typer.Typer(help="Find, read and steer runs.", no_args_is_help=True)
tasks_app = typer.Typer(help="Decide what runs ask of people.", no_args_is_help=True)


class Archiving(Enum):
    FALSE = "false"
    TRUE = "true"
    ONLY = "only"


class Verdict(Enum):
    POSITIVE = "positive"
    NEGATIVE = "negative"
    NONE = "none"


Limit = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="At most so many, the newest.")]
Count = Annotated[bool, typer.Option("--count", help="Tell how many there are in all.")]
Wide = Annotated[bool, typer.Option("--wide", help="Show cost, tokens, models and the beginnings of input and output, too.")]
Runs = Annotated[list[str], typer.Argument(metavar="RUN_ID...", help="Ids of runs, or as much of their beginnings as is unique.")]


@runs_app.command("list")
def list_runs(
    context: typer.Context,
    query: Annotated[str, typer.Option("--query", "-q", metavar="QUERY", help="Only what is found by this search.")] = "",
    status: Annotated[list[str] | None, typer.Option(metavar="STATUS", help="Only runs with this status; may be repeated.")] = None,
    workflow: Annotated[list[str] | None, typer.Option(metavar="SLUG", help="Only runs of this workflow; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only runs that began then or later, such as -7d.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only runs that began before.")] = None,
    archived: Annotated[Archiving, typer.Option(metavar="false|true|only", help="Archived runs, too or only.")] = Archiving.FALSE,
    environment: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only of this environment; may be repeated.")] = None,
    trigger: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only started by this; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Only with this tag; may be repeated.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="KEY:VALUE", help="Only with this metadata; may be repeated.")] = None,
    limit: Limit = 20,
    count: Count = False,
    wide: Wide = False,
    output: Output = None,
) -> None:
    """List runs, the newest first; docs/how-to/find-runs.md tells how to search."""
    from runwell.cli import reading

    filters = RunFilters(
        q=query,
        statuses=tuple(status or ()),
        workflows=tuple(workflow or ()),
        since=since,
        until=until,
        archived=archived.value,
        environments=tuple(environment or ()),
        triggers=tuple(trigger or ()),
        tags=tuple(tag or ()),
        metadata=_metadata(metadata or ()),
    )
    wanted = RunsWanted(filters=filters, limit=limit, count=count)
    finish(reading.list_runs(options_of(context), wanted, chosen(output), wide=wide))


def _metadata(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs = tuple(dict.fromkeys(map(metadata_pair, texts)))
    keys = [key for key, _ in pairs]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise InvalidInput(f"no run has metadata {twice[0]!r} twice", hint="give --metadata once for each key")
    return pairs


@runs_app.command("search")
def search_runs(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Such as 'status:failed duration:>2s timeout'.")],
    limit: Limit = 20,
    count: Count = False,
    wide: Wide = False,
    output: Output = None,
) -> None:
    """Find runs by words, phrases and fields; docs/how-to/find-runs.md tells how."""
    from runwell.cli import reading

    wanted = RunsWanted(filters=RunFilters(q=query), limit=limit, count=count)
    finish(reading.list_runs(options_of(context), wanted, chosen(output), wide=wide))


@runs_app.command("export")
def export_runs(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where to.", dir_okay=False)],
    query: Annotated[str, typer.Argument(metavar="QUERY", help="As for `search`; all runs without it.")] = "",
    format: Annotated[str, typer.Option(metavar="FORMAT", help="jsonl, csv, parquet, openai-finetune or otlp.")] = "jsonl",
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="A further column of csv and parquet, such as input.ticket.lang.")
    ] = None,
    split: Annotated[
        float | None, typer.Option(metavar="PART", help="Of openai-finetune: so much is for training, such as 0.9; two files.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an export that was broken off.")] = False,
) -> None:
    """Write the runs that a search finds into a file, whole; docs/how-to/export-runs.md tells how."""
    from runwell.cli import exporting

    wanted = exporting.wanted(query, file, format, column or (), split, resume=resume)
    finish(exporting.export_runs(options_of(context), wanted, chosen(None)))


@runs_app.command("archive")
def archive_runs(context: typer.Context, run_ids: Runs) -> None:
    """Archive runs that have ended: lists leave them out unless they are asked for them."""
    from runwell.cli import steering

    finish(steering.mark_runs(options_of(context), run_ids, ArchiveRun))


@runs_app.command("unarchive")
def unarchive_runs(context: typer.Context, run_ids: Runs) -> None:
    """Let lists show archived runs again."""
    from runwell.cli import steering

    finish(steering.mark_runs(options_of(context), run_ids, UnarchiveRun))


@runs_app.command("review")
def review_run(
    context: typer.Context,
    run_id: RunId,
    verdict: Annotated[Verdict, typer.Argument(metavar="positive|negative|none", help="none takes back what was said.")],
    score: Annotated[float | None, typer.Option(metavar="NUMBER", help="On a scale of your own.")] = None,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="Why.")] = None,
) -> None:
    """Say whether a run did well, in place of what was said before; `review:` and `score:` find it."""
    from runwell.cli import steering

    said = ReviewRun(review="" if verdict is Verdict.NONE else verdict.value, score=score, comment=comment)
    finish(steering.review_run(options_of(context), run_id, said))


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
