"""`runwell runs list | show | events` and `runwell tasks list`: what the journal says, also while another process carries runs.

No run is taken up, and the data directory is not owned meanwhile.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from runwell.bootstrap import View, open_view
from runwell.cli.console import print_json, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.finding import find_run
from runwell.cli.formatting import clock_time, duration, harmless_json, moment, one_line
from runwell.cli.inspection import print_run
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.rendering import run_style
from runwell.engine.evolve import fold
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.events import Event, RunCreated, event_json
from runwell.model.run import RunRow
from runwell.model.statuses import RUN_LABELS, RunStatus
from runwell.model.times import from_rfc3339, rfc3339
from runwell.model.usage import usd
from runwell.ports.journal import RunFilter


async def list_runs(options: Options, status: RunStatus | None, workflow: str | None, limit: int, output: Format) -> Exit:
    async with open_view(options.settings()) as view:
        rows = await view.journal.rows(RunFilter(statuses=() if status is None else (status,), slug=workflow), limit=limit)
    if output is Format.JSON:
        print_json([_summary(row) for row in rows])
    elif rows:
        stdout().print(_runs_table(rows))
    else:
        stderr().print("No runs.")
    return Exit.SUCCEEDED


def _summary(row: RunRow) -> dict[str, Any]:
    """Return the row in the words of a run's JSON."""
    moments = {"created_at": row.created_at, "started_at": row.started_at, "ended_at": row.ended_at}
    return {
        "id": row.run_id,
        "workflow": {"id": row.workflow_id, "slug": row.workflow_slug, "name": row.workflow_name, "version": row.version},
        "status": row.status,
        "waiting_for": row.waiting_for,
        "failed_step": row.failed_step,
        "cost_usd": usd(row.cost_nanos),
        **{name: None if ms is None else rfc3339(ms) for name, ms in moments.items()},
        "duration_ms": row.duration_ms,
        "trigger": row.trigger,
        "environment": row.environment,
        "parent_run_id": row.parent_run_id,
        "source_run_id": row.source_run_id,
    }


def _runs_table(rows: Sequence[RunRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Workflow", "Status", "Started at", "Duration", "Failed step"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    table.add_column("Run", no_wrap=True, min_width=36)
    for row in rows:
        label = RUN_LABELS[row.status] + (f" ({row.waiting_for})" if row.waiting_for else "")
        table.add_row(
            f"{one_line(row.workflow_name)} v{row.version}",
            Text(label, run_style(row.status)),
            moment(row.started_at),
            duration(row.duration_ms),
            row.failed_step or "-",
            row.run_id,
        )
    return table


async def show_run(options: Options, prefix: str, output: Format) -> Exit:
    async with open_view(options.settings()) as view:
        events = await view.journal.read(await find_run(view.journal, prefix))
        state = await _folded(view, events)
    if output is Format.JSON:
        print_json(run_view(state))
    else:
        print_run(stdout(), state, events, int(time.time() * 1000))
    return Exit.SUCCEEDED


async def _folded(view: View, events: Sequence[Event]) -> RunState:
    """Return the run's state as its events make it, without bringing the run to life."""
    prepared = await view.plans.get(events[0].of(RunCreated).version_hash)
    return fold(prepared.plan, events)


async def list_events(options: Options, prefix: str, after: int, output: Format) -> Exit:
    async with open_view(options.settings()) as view:
        events = await view.journal.read(await find_run(view.journal, prefix), after)
    if output is Format.JSON:
        sys.stdout.write("".join(harmless_json(event_json(event)) + "\n" for event in events))
    else:
        stdout().print(_events_table(events))
    return Exit.SUCCEEDED


def _events_table(events: Sequence[Event]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("Seq", justify="right", no_wrap=True)
    for column in ("Time", "Event", "Step"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    table.add_column("Data", no_wrap=True, overflow="ellipsis", ratio=1)
    for event in events:
        attempt = f" #{event.attempt}" if event.attempt and event.attempt > 1 else ""
        data = one_line(harmless_json(msgspec.json.encode(event.data)), 500)
        table.add_row(str(event.seq), clock_time(event.ts), event.type, f"{event.step_id or ''}{attempt}", Text(data, "dim"))
    return table


async def list_tasks(options: Options, output: Format) -> Exit:
    async with open_view(options.settings()) as view:
        tasks = await view.journal.pending_tasks()
    if output is Format.JSON:
        print_json(tasks)
        return Exit.SUCCEEDED
    if not tasks:
        stderr().print("No tasks wait for a decision.")
        return Exit.SUCCEEDED
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Workflow", "Title", "Since"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    table.add_column("Task", no_wrap=True, min_width=37)
    for task in tasks:
        since = moment(from_rfc3339(task.created_at)) if task.created_at else "-"
        table.add_row(task.workflow, one_line(task.title, 60), since, task.id)
    stdout().print(table)
    return Exit.SUCCEEDED
