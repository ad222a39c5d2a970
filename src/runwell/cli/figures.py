"""`runwell analytics`: figures about many runs, here or of a server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from rich.table import Table
from rich.text import Text

from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import duration, moment, one_line
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.places import open_client
from runwell.model.analytics import Group, StatusCount
from runwell.model.errors import InvalidInput
from runwell.model.statuses import RUN_LABELS, RunStatus
from runwell.model.times import from_rfc3339

Cells = Sequence[str]
Row = Callable[[Any], Iterator[Cells]]


async def show_figure(options: Options, name: str, given: Mapping[str, str], output: Format) -> Exit:
    """Print the figure. Raises `InvalidInput` for what it does not depend on."""
    refused = sorted(given.keys() - _parameters(name))
    if refused:
        raise InvalidInput(f"{name} has no {' and no '.join(map(_option, refused))}", hint="leave it out")
    async with open_client(options) as client:
        answer = await getattr(client.analytics, name.replace("-", "_"))(**given)
    if output is Format.JSON:
        print_json(answer)
        return Exit.SUCCEEDED
    table = _table(name, answer)
    if table.row_count:
        print_table(stdout(), table)
    else:
        stderr().print("No runs.")
    if left_out := getattr(answer, "groups_left_out", 0):
        stdout().print(Text(f"{left_out:,} further groups have fewer runs.", "dim"))
    return Exit.SUCCEEDED


def _parameters(name: str) -> set[str]:
    if name == "live-runs":
        return {"workflow", "environment"}
    spanning = {"window", "since", "until", "group_by", "workflow", "environment"}
    return spanning | {"granularity", "tz"} if name.endswith("timeseries") else spanning


def _option(name: str) -> str:
    return "--" + {"since": "from", "until": "to"}.get(name, name).replace("_", "-")


def _table(name: str, answer: Any) -> Table:
    """Return a table: the total and each group, or each bucket that is not empty."""
    columns, cells = _SHAPES[name]
    lines = list(_lines(name, answer))
    grouped = any(group is not None for group, _ in lines)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate((*(["Group"] if grouped else ()), *columns)):
        is_text = column in _TEXTS
        table.add_column(column, no_wrap=True, overflow="ellipsis", justify="left" if is_text or (grouped and not number) else "right")
    zone = ZoneInfo(answer.tz) if name.endswith("timeseries") else None
    for group, row in lines:
        for found in cells(row):
            begin = () if zone is None else (moment(from_rfc3339(row.start), zone),)
            table.add_row(*([_name(group)] if grouped else ()), *begin, *found)
    return table


def _lines(name: str, answer: Any) -> Iterator[tuple[Group | None, Any]]:
    if name == "live-runs":
        yield None, answer
    elif name.endswith("timeseries"):
        for line in answer.series:
            yield from ((line.group, bucket) for bucket in line.buckets if bucket.runs)
    else:
        yield from ((row.group, row) for row in (answer.total, *answer.groups))


def _name(group: Group | None) -> str:
    if group is None:
        return "all"
    return " ".join(
        f"v{value}" if name == "version" else one_line(str(value))
        for name, value in msgspec.structs.asdict(group).items()
        if value is not None
    )


def _divided(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in statuses.items()) or "-"


def _by_status(statuses: Sequence[StatusCount]) -> str:
    return _divided({one.label.lower(): one.count for one in statuses if one.count})


def _counted(row: Any) -> Iterator[Cells]:
    yield f"{getattr(row, 'runs', None) or getattr(row, 'count', 0):,}", _by_status(row.statuses)


def _rate(row: Any) -> Iterator[Cells]:
    yield f"{row.ended:,}", f"{row.succeeded:,}", "-" if row.success_rate is None else f"{row.success_rate:.1%}"


def _steps(row: Any) -> Iterator[Cells]:
    for one in row.types:
        yield one.type, f"{one.executed:,}", f"{one.runs:,}", _divided(one.statuses)


def _latencies(row: Any) -> Iterator[Cells]:
    for one in row.types:
        yield one.type, f"{one.executed:,}", f"{one.failed:,}", duration(one.p50_ms), duration(one.p95_ms), duration(one.p99_ms)


def _durations(row: Any) -> Iterator[Cells]:
    yield f"{row.count:,}", *map(duration, (row.mean_ms, row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms))


def _tokens(row: Any) -> Iterator[Cells]:
    numbers = (row.runs, row.generations, row.tokens, row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens)
    yield tuple(f"{number:,}" for number in numbers)


def _runs_bucket(bucket: Any) -> Iterator[Cells]:
    labels = {RUN_LABELS[RunStatus(status)].lower(): count for status, count in bucket.statuses.items()}
    yield f"{bucket.runs:,}", _divided(labels)


def _usage_bucket(bucket: Any) -> Iterator[Cells]:
    numbers = (bucket.runs, bucket.steps, bucket.generations, bucket.tokens)
    yield *(f"{number:,}" for number in numbers), f"${bucket.cost_usd}"


_TEXTS: Final = {"By status", "Type", "From"}
_SHAPES: Final[dict[str, tuple[tuple[str, ...], Row]]] = {
    "live-runs": (("Runs", "By status"), _counted),
    "runs-count": (("Runs", "By status"), _counted),
    "success-rate": (("Ended", "Succeeded", "Rate"), _rate),
    "steps-executed": (("Type", "Executed", "Runs", "By status"), _steps),
    "steps-summary": (("Type", "Executed", "Failed", "p50", "p95", "p99"), _latencies),
    "execution-duration": (("Runs", "Mean", "p50", "p90", "p95", "p99"), _durations),
    "tokens-used": (("Runs", "Calls", "Tokens", "Input", "Cached", "Output", "Reasoning"), _tokens),
    "cost": (("Runs", "Cost"), lambda row: iter([(f"{row.runs:,}", f"${row.cost_usd}")])),
    "credits-consumed": (("Runs", "Credits"), lambda row: iter([(f"{row.runs:,}", row.credits)])),
    "runs-timeseries": (("From", "Runs", "By status"), _runs_bucket),
    "usage-timeseries": (("From", "Runs", "Steps", "Calls", "Tokens", "Cost"), _usage_bucket),
}
"""From figure to its columns, and what makes their cells of a row or bucket; when a bucket begins comes before them."""
