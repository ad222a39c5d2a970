"""The commands below `evaluators`, `datasets` and `experiments`. As in `commands`, each imports what it does when it is called."""

from typing import Annotated

import typer

from runwell.cli.output import chosen
from runwell.cli.parameters import Output, RunId, finish, options_of
from runwell.cli.values import read_json
from runwell.model.errors import InvalidInput

evaluators_app = typer.Typer(help="What judges runs, on a server.", no_args_is_help=True)
datasets_app = typer.Typer(help="Inputs to try workflows with, on a server.", no_args_is_help=True)
experiments_app = typer.Typer(help="Variants of a workflow, compared, on a server.", no_args_is_help=True)

EvaluatorName = Annotated[str, typer.Argument(metavar="EVALUATOR", help="The evaluator's id or name.")]
DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's id or name.")]
WorkflowName = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's id or slug.")]
ExperimentId = Annotated[str, typer.Argument(metavar="EXPERIMENT_ID", help="The experiment's id.")]
Given = Annotated[
    str | None, typer.Option("--rows", metavar="JSON|@FILE|@-", help="A list of objects with input, and perhaps expected and metadata.")
]
Found = Annotated[str | None, typer.Option("--runs", metavar="QUERY", help="Take the inputs of the runs that this search finds.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=1_000, metavar="N", help="With --runs: so many at most.")]
Expected = Annotated[bool, typer.Option("--expected", help="With --runs: take their outputs as what is expected.")]


@evaluators_app.command("create")
def create_evaluator(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Words of lower-case letters and digits, joined by hyphens.")],
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="A model that judges by --rubric.")] = None,
    rubric: Annotated[str | None, typer.Option(metavar="TEXT", help="What is good and what is not.")] = None,
    code: Annotated[str | None, typer.Option(metavar="PYTHON", help="Code that judges: the value of its last expression.")] = None,
    workflow: Annotated[str | None, typer.Option(metavar="WORKFLOW", help="A workflow that judges.")] = None,
    pass_score: Annotated[float | None, typer.Option(metavar="SCORE", help="From this score on the verdict is positive.")] = None,
    output: Output = None,
) -> None:
    """Make an evaluator of a model and a rubric, of code, or of a workflow."""
    from runwell.cli import evaluations

    if (model is None) != (rubric is None):
        raise InvalidInput("--model and --rubric go together", hint="give both, or --code, or --workflow")
    wanted = evaluations.EvaluatorWanted(name=name, model=model, rubric=rubric, code=code, workflow=workflow, pass_score=pass_score)
    finish(evaluations.create_evaluator(options_of(context), wanted, chosen(output)))


@evaluators_app.command("list")
def list_evaluators(context: typer.Context, output: Output = None) -> None:
    """List the project's evaluators."""
    from runwell.cli import evaluations

    finish(evaluations.list_evaluators(options_of(context), chosen(output)))


@evaluators_app.command("attach")
def attach_evaluator(
    context: typer.Context,
    evaluator: EvaluatorName,
    workflow: WorkflowName,
    rate: Annotated[float, typer.Option("--rate", metavar="SHARE", help="The share of the runs: over 0, at most 1.")] = 1.0,
    on_turns: Annotated[bool, typer.Option("--turns", help="Judge each turn of their conversations, as it ends.")] = False,
    output: Output = None,
) -> None:
    """Let an evaluator judge a workflow's runs as they succeed."""
    from runwell.cli import evaluations

    finish(evaluations.attach(options_of(context), evaluator, workflow, rate, "turn" if on_turns else "run", chosen(output)))


@evaluators_app.command("detach")
def detach_evaluator(context: typer.Context, evaluator: EvaluatorName, workflow: WorkflowName) -> None:
    """Let an evaluator judge a workflow's runs no more."""
    from runwell.cli import evaluations

    finish(evaluations.detach(options_of(context), evaluator, workflow))


@evaluators_app.command("run")
def run_evaluator(
    context: typer.Context,
    evaluator: EvaluatorName,
    run_id: RunId,
    expected: Annotated[str | None, typer.Option(metavar="JSON|@FILE|@-", help="What is expected of the run.")] = None,
    output: Output = None,
) -> None:
    """Let an evaluator judge one run, and wait for what it says."""
    from runwell.cli import evaluations

    value = None if expected is None else read_json(expected, "what is expected")
    finish(evaluations.evaluate(options_of(context), evaluator, run_id, value, chosen(output)))


@evaluators_app.command("delete")
def delete_evaluator(context: typer.Context, evaluator: EvaluatorName) -> None:
    """Delete an evaluator. What it said stays."""
    from runwell.cli import evaluations

    finish(evaluations.delete_evaluator(options_of(context), evaluator))


@datasets_app.command("create")
def create_dataset(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Words of lower-case letters and digits, joined by hyphens.")],
    rows: Given = None,
    runs: Found = None,
    limit: Most = 100,
    expected: Expected = False,
    output: Output = None,
) -> None:
    """Make a dataset, with the rows of its first version if there are some."""
    from runwell.cli import evaluations

    wanted = evaluations.RowsWanted(rows=None if rows is None else read_json(rows, "the rows"), query=runs, limit=limit, expected=expected)
    finish(evaluations.create_dataset(options_of(context), name, wanted, chosen(output)))


@datasets_app.command("add")
def add_rows(
    context: typer.Context,
    dataset: DatasetName,
    rows: Given = None,
    runs: Found = None,
    limit: Most = 100,
    expected: Expected = False,
    append: Annotated[bool, typer.Option("--append", help="Behind the rows of the version before, instead of in their place.")] = False,
    output: Output = None,
) -> None:
    """Keep rows as the next version of a dataset."""
    from runwell.cli import evaluations

    wanted = evaluations.RowsWanted(rows=None if rows is None else read_json(rows, "the rows"), query=runs, limit=limit, expected=expected)
    finish(evaluations.add_rows(options_of(context), dataset, wanted, chosen(output), append=append))


@datasets_app.command("list")
def list_datasets(context: typer.Context, output: Output = None) -> None:
    """List the project's datasets."""
    from runwell.cli import evaluations

    finish(evaluations.list_datasets(options_of(context), chosen(output)))


@datasets_app.command("rows")
def show_rows(
    context: typer.Context,
    dataset: DatasetName,
    version: Annotated[int | None, typer.Option(min=1, metavar="N", help="Default: the newest.")] = None,
    output: Output = None,
) -> None:
    """Show the rows of a dataset."""
    from runwell.cli import evaluations

    finish(evaluations.show_rows(options_of(context), dataset, version, chosen(output)))


@datasets_app.command("delete")
def delete_dataset(context: typer.Context, dataset: DatasetName) -> None:
    """Delete a dataset with all its versions."""
    from runwell.cli import evaluations

    finish(evaluations.delete_dataset(options_of(context), dataset))


@experiments_app.command("start")
def start_experiment(
    context: typer.Context,
    plan: Annotated[
        str, typer.Argument(metavar="JSON|@FILE|@-", help="An object with name, workflow, dataset, variants and perhaps evaluators.")
    ],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end, and show the comparison.")] = True,
    output: Output = None,
) -> None:
    """Give each row of a dataset to each variant of a workflow, and compare. Ctrl-C leaves it going."""
    from runwell.cli import evaluations

    finish(evaluations.start_experiment(options_of(context), read_json(plan, "the experiment"), chosen(output), wait=wait))


@experiments_app.command("list")
def list_experiments(context: typer.Context, output: Output = None) -> None:
    """List the project's experiments."""
    from runwell.cli import evaluations

    finish(evaluations.list_experiments(options_of(context), chosen(output)))


@experiments_app.command("show")
def show_experiment(
    context: typer.Context,
    experiment_id: ExperimentId,
    rows: Annotated[bool, typer.Option("--rows", help="Row by row, instead of in figures.")] = False,
    output: Output = None,
) -> None:
    """Show how the variants did, so far or at the end."""
    from runwell.cli import evaluations

    finish(evaluations.show_experiment(options_of(context), experiment_id, chosen(output), rows=rows))


@experiments_app.command("stop")
def stop_experiment(context: typer.Context, experiment_id: ExperimentId, output: Output = None) -> None:
    """Stop what runs of an experiment, and start no more of it."""
    from runwell.cli import evaluations

    finish(evaluations.stop_experiment(options_of(context), experiment_id, chosen(output)))


@experiments_app.command("delete")
def delete_experiment(context: typer.Context, experiment_id: ExperimentId) -> None:
    """Delete an experiment's figures. Its runs stay."""
    from runwell.cli import evaluations

    finish(evaluations.delete_experiment(options_of(context), experiment_id))
