"""`runwell analytics`. As in `commands`, it imports what it does when it is called."""

from enum import Enum
from typing import Annotated

import typer

from runwell.cli.output import chosen
from runwell.cli.parameters import Output, finish, options_of


class Figure(Enum):
    LIVE_RUNS = "live-runs"
    RUNS_COUNT = "runs-count"
    SUCCESS_RATE = "success-rate"
    STEPS_EXECUTED = "steps-executed"
    STEPS_SUMMARY = "steps-summary"
    EXECUTION_DURATION = "execution-duration"
    TOKENS_USED = "tokens-used"
    COST = "cost"
    CREDITS_CONSUMED = "credits-consumed"
    RUNS_TIMESERIES = "runs-timeseries"
    USAGE_TIMESERIES = "usage-timeseries"


class By(Enum):
    WORKFLOW = "workflow"
    MODEL = "model"
    VERSION = "version"
    TRIGGER = "trigger"


class Grain(Enum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def show_figure(
    context: typer.Context,
    figure: Annotated[Figure, typer.Argument(metavar="FIGURE", help=", ".join(figure.value for figure in Figure))],
    window: Annotated[str | None, typer.Option(metavar="7d", help="The time before now: a number and m, h, d or w. Default: 7d.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Of runs that began then or later (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Of runs that began before. Default: now.")] = None,
    group_by: Annotated[By | None, typer.Option(metavar="workflow|model|version|trigger", help="Part the runs into groups.")] = None,
    workflow: Annotated[str | None, typer.Option(metavar="SLUG", help="Only of this workflow.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this environment.")] = None,
    granularity: Annotated[
        Grain | None, typer.Option(metavar="minute|hour|day|week|month", help="Of a timeseries: how long a bucket is.")
    ] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of a timeseries: whose days, such as Europe/Berlin. Default: UTC.")
    ] = None,
    output: Output = None,
) -> None:
    """Show a figure about many runs; docs/how-to/analytics.md tells what each counts."""
    from runwell.cli import figures

    asked = {
        "window": window,
        "since": since,
        "until": until,
        "group_by": None if group_by is None else group_by.value,
        "workflow": workflow,
        "environment": environment,
        "granularity": None if granularity is None else granularity.value,
        "tz": tz,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    finish(figures.show_figure(options_of(context), figure.value, given, chosen(output)))
