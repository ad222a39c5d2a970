"""Runs on the screen, with rich."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from runwell.cli.console import print_table
from runwell.cli.formatting import banner, last_words, one_line, pretty_json, printable
from runwell.cli.tree import Children, Line, tree_lines
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.statuses import RunStatus, StepStatus

_ICONS: Final[dict[StepStatus, tuple[str, str, str]]] = {
    StepStatus.PENDING: ("○", ".", "dim"),
    StepStatus.RUNNING: ("●", "*", "cyan"),
    StepStatus.WAITING: ("◔", "~", "yellow"),
    StepStatus.SUCCEEDED: ("✓", "+", "green"),
    StepStatus.FAILED: ("✗", "x", "red"),
    StepStatus.CANCELLED: ("⊘", "-", "magenta"),
    StepStatus.STOPPED: ("■", "#", "magenta"),
    StepStatus.SKIPPED: ("◌", "-", "dim"),
}
"""From a step's status to its icon, the icon where there is no Unicode, and its style."""

_NO_STEP: Final = (" ", " ", "dim")

_RUN_STYLES: Final = {
    RunStatus.SUCCEEDED: "bold green",
    RunStatus.WAITING: "bold yellow",
    RunStatus.PAUSED: "bold yellow",
    RunStatus.QUEUED: "bold",
    RunStatus.RUNNING: "bold cyan",
    RunStatus.DRAINING: "bold magenta",
    RunStatus.STOPPED: "bold magenta",
}


def run_style(status: RunStatus) -> str:
    return _RUN_STYLES.get(status, "bold red")


def steps_table(console: Console, lines: Sequence[Line]) -> Table:
    """Return the steps, one a row: icon and label, type, badge, time, note."""
    unicode = console.encoding.lower().startswith("utf")
    table = Table.grid(padding=(0, 2), pad_edge=False, expand=True)
    for column in ("step", "type", "badge", "time"):
        table.add_column(column, no_wrap=True, justify="right" if column == "time" else "left", overflow="ellipsis")
    table.add_column("note", no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        icon, plain, style = _NO_STEP if line.status is None else _ICONS[line.status]
        label = Text("  " * line.depth + (icon if unicode else plain) + " ", style).append(
            one_line(line.label), "bold" if line.depth == 0 else ""
        )
        table.add_row(label, Text(line.type, "dim"), Text(line.badge, style), Text(line.time), Text(one_line(line.note, 500), "dim"))
    return table


def live_tree(console: Console, state: RunState, children: Children, now: int, said: str) -> RenderableType:
    """Return what a run under way looks like; `said` is what a model just wrote."""
    started = state.started_at if state.started_at is not None else state.created_at
    head = Text(f"{one_line(state.created.workflow_name)} v{state.created.version} ", "bold")
    head.append(banner(state.status, started, now - started), run_style(state.status)).append(f"  {state.run_id}", "dim")
    parts: list[RenderableType] = [head, steps_table(console, tree_lines(state, now, children))]
    if said:
        parts.append(Text("  " + last_words(said, console.width - 4), "dim italic"))
    return Group(*parts)


def print_result(console: Console, state: RunState, now: int, children: Children | None = None) -> None:
    """Print how a run stands: its outcome, its steps, and its output or what to do next."""
    print_head(console, state, now)
    console.print()
    print_table(console, steps_table(console, tree_lines(state, now, children)))
    if state.is_terminal:
        print_ending(console, state)


def print_head(console: Console, state: RunState, now: int) -> None:
    """Print the outcome, and which run it is."""
    view = run_view(state)
    created = state.created
    ended = view.duration_ms is not None or state.started_at is None
    took = view.duration_ms if ended else now - (state.started_at or now)
    console.print(Text(banner(state.status, state.started_at, took), run_style(state.status)))
    console.print(Text(f"{one_line(created.workflow_name)} v{created.version}  {state.run_id}", "dim"), soft_wrap=True)
    if state.served_from is not None:
        console.print(Text(f"from the cache: the output of {state.served_from}", "dim"), soft_wrap=True)


def print_ending(console: Console, state: RunState) -> None:
    """Print the output of a run that has ended or, when it did not succeed, why, and what to do next."""
    console.print()
    if state.status is RunStatus.SUCCEEDED:
        console.print(Text("Output", "bold"))
        console.print(printable(state.output) if isinstance(state.output, str) else pretty_json(state.output), soft_wrap=True)
        return
    if state.failed_step is not None:
        console.print(Text("Failed step: ", "bold").append(state.failed_step, "red"), soft_wrap=True)
    if state.error is not None:
        console.print(Text("Error: ", "bold").append(one_line(f"{state.error.code}: {state.error.message}"), "red"), soft_wrap=True)
    console.print(Text("Next: ", "bold").append(_next_action(state)), soft_wrap=True)


def _next_action(state: RunState) -> str:
    if state.status is RunStatus.STOPPED:
        return "run the workflow again to start anew; what was done is kept: runwell runs events " + state.run_id
    return f"see each step's input and error: runwell runs show {state.run_id} -o json"
