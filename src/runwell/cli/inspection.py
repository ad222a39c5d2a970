"""`runwell runs show` for people: the run with its input, each step's result or error, and its log."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.text import Text

from runwell.cli.console import print_table
from runwell.cli.formatting import clock_time, harmless_json, one_line, pretty_json
from runwell.cli.rendering import print_ending, print_head, steps_table
from runwell.cli.tree import Line, tree_lines
from runwell.engine.state import RunState
from runwell.model.events import Event, Log

INPUT_LINES: Final = 20
"""As many lines of the input are shown."""

LOG_LINES: Final = 20
"""As many lines of the log are shown, the last ones."""

_LEVELS: Final = {"warning": "yellow", "error": "red", "debug": "dim"}


def print_run(console: Console, state: RunState, events: Sequence[Event], now: int) -> None:
    """Print the whole run, long values shortened."""
    lines = tree_lines(state, now)
    print_head(console, state, now)
    _section(console, "Input", _input(state.created.input))
    _section(console, "Steps", ())
    print_table(console, steps_table(console, lines))
    _section(console, "Results", _results(state, lines, console.width))
    _section(console, "Log", _log(state, [event for event in events if isinstance(event.data, Log)]))
    if state.is_terminal:
        print_ending(console, state)


def _section(console: Console, title: str, content: Sequence[Text]) -> None:
    if content or title == "Steps":
        console.print()
        console.print(Text(title, "bold"))
    for text in content:
        console.print(text, soft_wrap=True)


def _input(value: Any) -> list[Text]:
    lines = pretty_json(value).splitlines()
    shown = [Text(_cut(line)) for line in lines[:INPUT_LINES]]
    return shown if len(lines) <= INPUT_LINES else [*shown, Text(f"... {len(lines) - INPUT_LINES} more lines", "dim")]


def _cut(line: str, width: int = 1_000) -> str:
    """Return the line, indented as it is, at most `width` characters."""
    return line if len(line) <= width else line[: width - 1] + "…"


def _results(state: RunState, lines: Sequence[Line], width: int) -> list[Text]:
    """Return a line for each step shown that has a result or an error; errors are whole."""
    return [text for line in lines if line.status is not None for text in _outcome(state, line, width)]


def _outcome(state: RunState, line: Line, width: int) -> Iterator[Text]:
    step = state.steps[line.path]
    name = Text(f"{'  ' * line.depth}{one_line(line.path)}: ", "cyan")
    if step.error is not None and step.caused_by is None:
        yield name.copy().append(one_line(f"{step.error.code}: {step.error.message}"), "red")
    if step.succeeded:
        shown = harmless_json(msgspec.json.encode(step.result))
        yield name.copy().append(one_line(shown, max(width - len(name), 20)), "default")


def _log(state: RunState, events: Sequence[Event]) -> list[Text]:
    """Return the last lines of the log, and how to see the others."""
    texts = [_log_line(event, event.of(Log)) for event in events[-LOG_LINES:]]
    earlier = len(events) - len(texts)
    return [Text(f"... {earlier} earlier: runwell runs events {state.run_id}", "dim"), *texts] if earlier else texts


def _log_line(event: Event, log: Log) -> Text:
    line = Text(f"{clock_time(event.ts)} ", "dim").append(f"{one_line(event.step_id or '')} ", "cyan")
    said = one_line(log.message)
    return line.append(said if log.level == "info" else f"{log.level}: {said}", _LEVELS.get(log.level, "default"))
