"""What people type: where options stand, ids cut short, which child workflows are files."""

import tomllib
from pathlib import Path

import pytest

from runwell.cli.demo import EXAMPLE, example_file
from runwell.cli.document_files import is_path
from runwell.cli.main import global_options_first
from runwell.cli.options import Options
from runwell.cli.values import read_pairs
from runwell.model.documents import nearest_line
from runwell.model.errors import InvalidInput
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.query.families import descendants

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["runs", "list"], ["runs", "list"]),
        (["runs", "list", "--data-dir", "d"], ["--data-dir", "d", "runs", "list"]),
        (["run", "f", "--data-dir=d", "-o", "json"], ["--data-dir=d", "run", "f", "-o", "json"]),
        (["run", "--", "--data-dir", "d"], ["run", "--", "--data-dir", "d"]),
        (["run", "f", "--data-dir"], ["--data-dir", "run", "f"]),
    ],
)
def test_the_data_directory_stands_in_front(given: list[str], meant: list[str]) -> None:
    assert global_options_first(given) == meant


def test_a_command_for_the_same_directory() -> None:
    assert Options().command("runs", "list") == "runwell runs list"
    assert Options(Path("a b")).command("runs", "send", "run_1", "it's") == "runwell --data-dir 'a b' runs send run_1 'it'\"'\"'s'"


@pytest.mark.parametrize(
    ("name", "path"), [("child", False), ("./child", True), ("child.yaml", True), ("a/b", True), (3, False), ("c.json", True)]
)
def test_which_workflow_is_a_file(name: object, path: bool) -> None:
    assert is_path(name) is path


def test_the_nearest_line() -> None:
    lines = {"": 1, "/steps": 2, "/steps/0": 3}
    assert nearest_line(lines, "/steps/0/when") == 3
    assert nearest_line(lines, "/steps/9/a/b") == 2
    assert nearest_line(lines, "/x") == 1
    assert nearest_line({}, "/x") is None


def test_pairs() -> None:
    assert read_pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(InvalidInput, match="no key=value"):
        read_pairs(["=1"])


def row(run_id: str, parent: str | None = None) -> RunRow:
    return RunRow(
        run_id=run_id,
        org_id="o",
        project_id="p",
        workflow_id="w",
        workflow_slug="s",
        workflow_name="n",
        version=1,
        version_hash="h",
        status=RunStatus.WAITING,
        seq=1,
        parent_run_id=parent,
    )


def test_descendants() -> None:
    rows = [row("a"), row("b", "a"), row("c", "b"), row("d"), row("e", "d")]
    assert descendants(rows, "a") == {"a", "b", "c"}
    assert descendants(rows, "x") == {"x"}


def test_the_wheel_takes_the_demo_along() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    example = example_file()
    assert example.samefile(ROOT / "examples" / EXAMPLE)
    for name in (EXAMPLE, example.with_suffix(".input.json").name):
        assert wheel["force-include"][f"examples/{name}"] == f"runwell/examples/{name}"
