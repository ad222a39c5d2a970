"""`runwell evaluators`, `datasets` and `experiments`: a server's, as it alone carries them out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from rich.table import Table

from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line, pretty_json
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.remote_place import RemoteReader
from runwell.model.errors import InvalidInput
from runwell.model.evaluation import AcceptedEvaluation, Occasion
from runwell.model.experiments import ComparedRow, Comparison, Spread
from runwell.model.run import Evaluation
from runwell.sdk.client import AsyncClient

LOOK_S: Final = 0.5

_GOING: Final = ("running", "stopping")


class EvaluatorWanted(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    model: str | None = None
    rubric: str | None = None
    code: str | None = None
    workflow: str | None = None
    pass_score: float | None = None


class RowsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as they were given, or the runs from which they are taken."""

    rows: Any = None
    query: str | None = None
    limit: int = 100
    expected: bool = False

    def asked(self) -> dict[str, Any]:
        if self.rows is not None and self.query is not None:
            raise InvalidInput("--rows and --runs exclude each other", hint="give one of them")
        runs = None if self.query is None else {"query": self.query, "limit": self.limit, "expected": self.expected}
        return {"rows": self.rows, "runs": runs}


@asynccontextmanager
async def _server(options: Options) -> AsyncIterator[AsyncClient]:
    if options.server is None:
        raise InvalidInput("this needs a server", hint="start one with `runwell serve`, and give --server URL or set RUNWELL_SERVER")
    async with AsyncClient(options.server, options.api_key()) as client:
        yield client


def _show(value: Any, output: Format, columns: Sequence[str], rows: Sequence[Sequence[str]], none: str = "") -> Exit:
    if output is Format.JSON:
        print_json(value)
    elif rows:
        table = Table(*columns, box=None)
        for row in rows:
            table.add_row(*row)
        print_table(stdout(), table)
    else:
        stderr().print(none)
    return Exit.SUCCEEDED


def _tell(value: Any, output: Format, words: str) -> Exit:
    if output is Format.JSON:
        print_json(value)
    else:
        stdout().print(words, soft_wrap=True)
    return Exit.SUCCEEDED


# Evaluators


async def create_evaluator(options: Options, wanted: EvaluatorWanted, output: Format) -> Exit:
    judge = None if wanted.model is None else {"model": wanted.model, "rubric": wanted.rubric}
    workflow = None if wanted.workflow is None else {"workflow": wanted.workflow}
    async with _server(options) as client:
        made = await client.evaluators.create(wanted.name, workflow=workflow, judge=judge, code=wanted.code, pass_score=wanted.pass_score)
    return _tell(made, output, made.id)


async def list_evaluators(options: Options, output: Format) -> Exit:
    async with _server(options) as client:
        found = [one async for one in client.evaluators.list()]
    rows = [(one.name, one.kind, one.id, one.created_at) for one in found]
    return _show(found, output, ("Name", "Kind", "Id", "Made"), rows, "No evaluators.")


async def attach(options: Options, evaluator: str, workflow: str, rate: float, on: Occasion, output: Format) -> Exit:
    async with _server(options) as client:
        made = await client.evaluators.attach(evaluator, workflow, sample_rate=rate, on=on)
    what = "runs" if made.on == "run" else "runs, turn by turn,"
    return _tell(made, output, f"{made.evaluator} judges {made.sample_rate:.0%} of the {what} of {workflow}.")


async def detach(options: Options, evaluator: str, workflow: str) -> Exit:
    async with _server(options) as client:
        await client.evaluators.detach(evaluator, workflow)
    return Exit.SUCCEEDED


async def delete_evaluator(options: Options, evaluator: str) -> Exit:
    async with _server(options) as client:
        await client.evaluators.delete(evaluator)
    return Exit.SUCCEEDED


async def evaluate(options: Options, evaluator: str, run: str, expected: Any, output: Format) -> Exit:
    async with _server(options) as client:
        run_id = await RemoteReader(client).find_run(run)
        asked = await client.runs.evaluate(run_id, evaluator, expected=expected)
        while (said := await _said(client, asked)) is None:  # noqa: ASYNC110 - a server tells only who asks
            await asyncio.sleep(LOOK_S)
    told = f"{said.review or 'no verdict'}, score {_number(said.score)}: {said.comment or ''}"
    _tell(said, output, f"{said.evaluator}: {one_line(told if said.error is None else said.error.message, 500)}")
    return Exit.SUCCEEDED if said.error is None else Exit.ENDED_OTHERWISE


async def _said(client: AsyncClient, asked: AcceptedEvaluation) -> Evaluation | None:
    run = await client.runs.get(asked.run_id)
    return next((one for one in run.evaluations if one.evaluation_run_id == asked.evaluation_run_id), None)


# Datasets


async def create_dataset(options: Options, name: str, wanted: RowsWanted, output: Format) -> Exit:
    async with _server(options) as client:
        made = await client.datasets.create(name, **wanted.asked())
    return _tell(made, output, f"{made.name}: {made.rows} rows")


async def add_rows(options: Options, dataset: str, wanted: RowsWanted, output: Format, *, append: bool) -> Exit:
    async with _server(options) as client:
        made = await client.datasets.add_version(dataset, **wanted.asked(), append=append)
    return _tell(made, output, f"version {made.number}: {made.rows} rows")


async def list_datasets(options: Options, output: Format) -> Exit:
    async with _server(options) as client:
        found = [one async for one in client.datasets.list()]
    rows = [(one.name, str(one.version), str(one.rows), one.id, one.updated_at) for one in found]
    return _show(found, output, ("Name", "Version", "Rows", "Id", "Changed"), rows, "No datasets.")


async def show_rows(options: Options, dataset: str, version: int | None, output: Format) -> Exit:
    async with _server(options) as client:
        found = [row async for row in client.datasets.rows(dataset, version=version)]
    rows = [(str(place), _json(row.input), _json(row.expected)) for place, row in enumerate(found)]
    return _show(found, output, ("Row", "Input", "Expected"), rows, "No rows.")


async def delete_dataset(options: Options, dataset: str) -> Exit:
    async with _server(options) as client:
        await client.datasets.delete(dataset)
    return Exit.SUCCEEDED


# Experiments


async def start_experiment(options: Options, plan: Any, output: Format, *, wait: bool) -> Exit:
    names = {"name", "workflow", "dataset", "variants"}
    if not isinstance(plan, dict) or not names <= plan.keys():
        raise InvalidInput("an experiment is an object with name, workflow, dataset and variants", hint="see docs/how-to/evaluations.md")
    async with _server(options) as client:
        try:
            made = await client.experiments.start(**plan)
        except TypeError as exc:
            raise InvalidInput(f"the experiment has a field that there is not: {exc}", hint="see docs/how-to/evaluations.md") from exc
        if not wait:
            return _tell(made, output, made.id)
        stderr().print(f"{made.id}: {made.cells} runs")
        while (told := await client.experiments.get(made.id)).experiment.status in _GOING:  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_S)
    return _compare(told, output)


async def list_experiments(options: Options, output: Format) -> Exit:
    async with _server(options) as client:
        found = [one async for one in client.experiments.list()]
    rows = [(one.id, one_line(one.name, 40), one.status, f"{one.cells - one.open_cells}/{one.cells}", one.created_at) for one in found]
    return _show(found, output, ("Id", "Name", "Status", "Runs", "Made"), rows, "No experiments.")


async def show_experiment(options: Options, experiment_id: str, output: Format, *, rows: bool) -> Exit:
    async with _server(options) as client:
        if not rows:
            return _compare(await client.experiments.get(experiment_id), output)
        return _row_by_row([row async for row in client.experiments.rows(experiment_id)], output)


async def stop_experiment(options: Options, experiment_id: str, output: Format) -> Exit:
    async with _server(options) as client:
        made = await client.experiments.stop(experiment_id)
    return _tell(made, output, f"{made.id}: {made.status}")


async def delete_experiment(options: Options, experiment_id: str) -> Exit:
    async with _server(options) as client:
        await client.experiments.delete(experiment_id)
    return Exit.SUCCEEDED


def _compare(told: Comparison, output: Format) -> Exit:
    columns = ("Variant", "Succeeded", "Failed", "Score", "p50", "Time p50", "p95", "Cost", "Won", "Lost", "Tied")
    rows = [
        (
            one_line(variant.name, 40) + (" (baseline)" if variant.is_baseline else ""),
            str(variant.succeeded),
            str(variant.failed),
            *_figures(variant.score, ("mean", "p50")),
            *(f"{text} ms" if text != "-" else text for text in _figures(variant.duration_ms, ("p50", "p95"))),
            f"${variant.cost_usd}",
            *("-" if variant.is_baseline else str(count) for count in (variant.wins, variant.losses, variant.ties)),
        )
        for variant in told.variants
    ]
    return _show(told, output, columns, rows)


def _row_by_row(found: Sequence[ComparedRow], output: Format) -> Exit:
    names = [cell.variant for cell in found[0].cells] if found else []
    rows = [
        (
            str(row.row),
            _json(row.input),
            *(f"{_number(cell.score) if cell.status == 'succeeded' else cell.status}{_OUTCOMES[cell.outcome]}" for cell in row.cells),
        )
        for row in found
    ]
    return _show(found, output, ("Row", "Input", *names), rows, "No rows.")


_OUTCOMES: Final = {"win": " won", "loss": " lost", "tie": " tied", None: ""}


def _figures(spread: Spread | None, names: Sequence[str]) -> list[str]:
    return [_number(None if spread is None else getattr(spread, name)) for name in names]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _json(value: Any) -> str:
    return one_line(pretty_json(value), 60)
