"""`runwell runs list | show | events` and `runwell tasks list`: what the journal says, also while another process carries runs.

No run is taken up, and a data directory is not owned meanwhile.
"""

import sys
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.table import Table
from rich.text import Text

from runwell.cli.complaints import placed
from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import clock_time, duration, harmless_json, moment, one_line
from runwell.cli.inspection import print_run
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.places import open_lists, open_reader
from runwell.cli.rendering import run_style
from runwell.cli.runs_wanted import RunsWanted
from runwell.engine.view import run_view
from runwell.model.errors import InvalidInput
from runwell.model.events import Event, event_json
from runwell.model.run_overview import RunSummary
from runwell.model.statuses import RUN_LABELS
from runwell.model.times import from_rfc3339

_WIDE: Final = ("Cost", "Tokens", "Models", "Input", "Output")
_WIDEST: Final = 40


async def list_runs(options: Options, wanted: RunsWanted, output: Format, *, wide: bool = False) -> Exit:
    try:
        async with open_lists(options, wanted) as lists:
            page = await lists.runs(wanted)
    except InvalidInput as exc:
        exc.problems = placed(exc.problems, wanted.filters.q)
        raise
    if output is Format.JSON:
        print_json(page if wanted.count else page.data)
    elif page.data:
        print_table(stdout(), _runs_table(page.data, wide=wide))
        if isinstance(page.count, int):
            stdout().print(Text(f"{len(page.data)} of {page.count:,} {'run' if page.count == 1 else 'runs'}", "dim"))
    else:
        stderr().print("No runs.")
    return Exit.SUCCEEDED


def _runs_table(rows: Sequence[RunSummary], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Workflow", "Status", "Started at", "Duration", "Failed step"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for column in _WIDE if wide else ():
        table.add_column(column, overflow="ellipsis", no_wrap=True, max_width=_WIDEST)
    table.add_column("Run", no_wrap=True, min_width=36)
    for row in rows:
        label = RUN_LABELS[row.status] + (f" ({row.waiting_for})" if row.waiting_for else "")
        table.add_row(
            f"{one_line(row.workflow.name)} v{row.workflow.version}",
            Text(label, run_style(row.status)),
            _moment(row.started_at),
            duration(row.duration_ms),
            row.failed_step or "-",
            *(_further(row) if wide else ()),
            row.id,
        )
    return table


def _further(row: RunSummary) -> tuple[str, ...]:
    """Return what `_WIDE` names."""
    texts = (" ".join(row.models), row.input_preview, row.output_preview)
    return f"${row.cost_usd}", f"{row.tokens:,}", *(one_line(text) or "-" for text in texts)


async def show_run(options: Options, prefix: str, output: Format) -> Exit:
    async with open_reader(options) as reader:
        run_id = await reader.find_run(prefix)
        events = await reader.events(run_id)
        state = await reader.folded(run_id, events)
    if output is Format.JSON:
        print_json(run_view(state))
    else:
        print_run(stdout(), state, events, int(time.time() * 1000))
    return Exit.SUCCEEDED


async def list_events(options: Options, prefix: str, after: int, output: Format) -> Exit:
    async with open_reader(options) as reader:
        events = await reader.events(await reader.find_run(prefix), after)
    if output is Format.JSON:
        sys.stdout.write("".join(harmless_json(event_json(event)) + "\n" for event in events))
    else:
        print_table(stdout(), _events_table(events))
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
    async with open_reader(options) as reader:
        tasks = await reader.tasks()
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
        table.add_row(task.workflow, one_line(task.title, 60), _moment(task.created_at), task.id)
    print_table(stdout(), table)
    return Exit.SUCCEEDED


def _moment(text: str | None) -> str:
    return moment(None if text is None else from_rfc3339(text))
