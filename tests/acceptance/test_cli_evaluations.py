"""`runwell evaluators`, `datasets` and `experiments` on a server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.served import served

ECHO = """
name: echo
steps:
  - {id: ask, type: llm, model: "demo:large", prompt: "{{ input.q }}"}
  - {id: say, type: transform, depends_on: [ask], value: "{{ input.q }}"}
output: "{{ steps.say.result }}"
"""


def ok(cli: CommandLine, *words: str) -> str:
    done = cli.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    with served(tmp_path) as address:
        made = CommandLine(tmp_path)
        made.env["RUNWELL_SERVER"] = address
        made.write("echo.yaml", ECHO)
        made.write("rows.json", json.dumps([{"input": {"q": q}, "expected": q} for q in ("a", "b")]))
        yield made


def test_from_a_dataset_to_a_comparison(cli: CommandLine) -> None:
    ok(cli, "publish", "echo.yaml")
    ok(cli, "evaluators", "create", "right", "--code", "output == expected")
    assert [one["name"] for one in cli.json("evaluators", "list", "-o", "json")] == ["right"]
    ok(cli, "datasets", "create", "letters", "--rows", "@rows.json")
    ok(cli, "datasets", "add", "letters", "--rows", '[{"input": {"q": "c"}, "expected": "d"}]', "--append")
    assert [row["expected"] for row in cli.json("datasets", "rows", "letters", "-o", "json")] == ["a", "b", "d"]
    variants = [{"name": "now"}, {"name": "small", "model": "demo:small"}]
    plan = {"name": "Sizes", "workflow": "echo", "dataset": "letters", "variants": variants, "evaluators": ["right"]}
    told = cli.json("experiments", "start", json.dumps(plan), "-o", "json")
    assert [(one["succeeded"], round(one["score"]["mean"], 3), one["ties"]) for one in told["variants"]] == [(3, 0.667, 0), (3, 0.667, 3)]
    experiment = told["experiment"]["id"]
    table = ok(cli, "experiments", "show", experiment, "-o", "table")
    assert [word for word in ("now (baseline)", "small", "0.6667") if word not in table] == []
    rows = ok(cli, "experiments", "show", experiment, "--rows", "-o", "table")
    assert rows.count("tied") == 3
    assert experiment in ok(cli, "experiments", "list", "-o", "table")
    ok(cli, "experiments", "stop", experiment)
    ok(cli, "experiments", "delete", experiment)
    assert cli.json("experiments", "list", "-o", "json") == []


def test_one_run_is_judged(cli: CommandLine) -> None:
    run = cli.json("run", "echo.yaml", "-i", '{"q": "x"}', "-o", "json")
    ok(cli, "evaluators", "create", "right", "--code", "output == expected", "--pass-score", "1")
    ok(cli, "evaluators", "create", "breaks", "--code", "1 / 0")
    said = cli.json("evaluators", "run", "right", run["id"], "--expected", '"x"', "-o", "json")
    assert (said["score"], said["review"]) == (1.0, "positive")
    assert cli.run("evaluators", "run", "breaks", run["id"]).returncode == 1
    ok(cli, "evaluators", "attach", "right", "echo", "--rate", "0.5")
    ok(cli, "evaluators", "detach", "right", "echo")
    ok(cli, "evaluators", "delete", "right")


def test_what_makes_no_sense_is_refused(cli: CommandLine) -> None:
    for words in (
        ("experiments", "start", "{}"),
        ("experiments", "start", '{"name": "a", "workflow": "b", "dataset": "c", "variants": [], "colour": 1}'),
        ("evaluators", "create", "x", "--model", "demo:a"),
        ("evaluators", "create", "x"),
        ("datasets", "create", "x", "--rows", "[]", "--runs", "status:failed"),
        ("datasets", "rows", "nothing"),
    ):
        refused = cli.run(*words)
        assert refused.returncode == 2, (words, refused.stdout + refused.stderr)
    del cli.env["RUNWELL_SERVER"]
    here = cli.run("datasets", "list")
    assert (here.returncode, "needs a server" in here.stderr) == (2, True)
