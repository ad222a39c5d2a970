"""`runwell validate`: every problem of the given documents, and nothing is executed."""

from collections.abc import Sequence

from runwell.cli.console import print_json, stdout
from runwell.cli.document_files import DocumentFiles, in_order
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.cli.places import open_checks
from runwell.model.workflow import workflow_json_schema
from runwell.steps.registry import step_types


def print_schema() -> Exit:
    """Print the JSON Schema of workflow documents with the step types of this installation."""
    print_json(workflow_json_schema({name: step_type.spec for name, step_type in step_types().items()}))
    return Exit.SUCCEEDED


async def validate(options: Options, paths: Sequence[str], output: Format) -> Exit:
    async with open_checks(options) as checks:
        files = DocumentFiles(checks.compile)
        sources = [files.read(path) for path in paths]
        problems = list(files.problems)
        for source in sources:
            if source is not None and not problems:
                problems += await checks.further(source)
    problems = in_order(problems)
    if output is Format.JSON:
        print_json({"valid": not problems, "problems": problems})
    else:
        console = stdout()
        for problem in problems:
            console.print(one_line(str(problem)), style="red", soft_wrap=True)
        broken = {problem.file for problem in problems}
        for path, source in zip(paths, sources, strict=True):
            if path not in broken and source is not None and source.plan is not None:
                steps = len(source.plan.workflow.steps)
                console.print(f"{one_line(path)}: valid ({steps} {'step' if steps == 1 else 'steps'})", style="green", soft_wrap=True)
    return Exit.REFUSED if problems else Exit.SUCCEEDED
