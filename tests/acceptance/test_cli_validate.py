"""`runwell validate` names every problem with its line, and executes nothing."""

import json

from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, PARENT, SUM

BROKEN = """\
name: broken
steps:
  - id: one
    type: transform
    value: "{{ steps.two.result }}"
  - id: two
    type: transform
    value: "{{ 1 + }}"
    depends_on: [one, ghost]
"""


def test_a_valid_document(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    assert cli.json("validate", "sum.yaml") == {"valid": True, "problems": []}
    done = cli.run("validate", "-o", "table", "sum.yaml")
    assert (done.returncode, done.stdout) == (0, "sum.yaml: valid (1 step)\n")
    assert not cli.data_dir.exists()


def test_every_problem_has_its_line(cli: CommandLine) -> None:
    cli.write("broken.yaml", BROKEN)
    told = cli.json("validate", "broken.yaml", code=2)
    assert told["valid"] is False
    found = [(problem["file"], problem["line"], problem["code"], problem["pointer"]) for problem in told["problems"]]
    assert found == [
        ("broken.yaml", 5, "not_upstream", "/steps/0/value"),
        ("broken.yaml", 8, "bad_expression", "/steps/1/value"),
        ("broken.yaml", 9, "unknown_dependency", "/steps/1/depends_on/1"),
    ]
    lines = cli.run("validate", "-o", "table", "broken.yaml").stdout.splitlines()
    assert lines[0] == "broken.yaml:5: /steps/0/value: step 'two' is not upstream of 'one' (add 'two' to its depends_on)"


def test_a_missing_field_is_told_at_its_step(cli: CommandLine) -> None:
    cli.write("missing.yaml", "name: x\nsteps:\n  - id: a\n    type: transform\n  - type: transform\n    value: 1\n")
    problems = cli.json("validate", "missing.yaml", code=2)["problems"]
    assert {(problem["line"], problem["message"]) for problem in problems} == {
        (3, "the field 'value' is missing"),
        (5, "the field 'id' is missing"),
    }


def test_broken_yaml_a_missing_file_and_bytes(cli: CommandLine) -> None:
    cli.write("tab.yaml", "name: x\nsteps: [\n")
    (cli.folder / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    problems = cli.json("validate", "tab.yaml", "nothing.yaml", "latin.yaml", code=2)["problems"]
    assert [(problem["file"], problem["code"]) for problem in problems] == [
        ("tab.yaml", "bad_yaml"),
        ("nothing.yaml", "no_file"),
        ("latin.yaml", "bad_encoding"),
    ]
    assert problems[0]["line"] == 3


def test_children_are_validated_too(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT)
    assert "no file 'parts/child.yaml'" in cli.run("validate", "parent.yaml").stdout
    cli.write("parts/child.yaml", APPROVAL.replace("title:", "titel:"))
    problems = cli.json("validate", "parent.yaml", code=2)["problems"]
    assert {problem["file"] for problem in problems} == {"parts/child.yaml"}
    assert any(problem.get("hint") == "did you mean 'title'?" for problem in problems)


def test_a_circle_of_files(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT)
    cli.write("parts/child.yaml", PARENT.replace("./parts/child.yaml", "../parent.yaml"))
    (problem,) = cli.json("validate", "parent.yaml", code=2)["problems"]
    assert problem["message"] == "files refer to each other in a circle: parent.yaml -> parts/child.yaml -> parent.yaml"
    assert (problem["file"], problem["pointer"], problem["line"]) == ("parts/child.yaml", "/steps/0/workflow", 4)


def test_a_document_steers_no_terminal(cli: CommandLine) -> None:
    keys = '"e\\e[31m\\nerror: planted\\u202e": 1\n'
    cli.write("evil.yaml", f"name: evil\n{keys}steps:\n  - {{id: a, type: transform, value: 1}}\n")
    for args in (("validate", "-o", "table", "evil.yaml"), ("validate", "evil.yaml"), ("run", "evil.yaml")):
        done = cli.run(*args)
        told = done.stdout + done.stderr
        assert (done.returncode, "\x1b" in told, "\u202e" in told, "\nerror: planted" in told) == (2, False, False, False)
    (problem,) = cli.json("validate", "evil.yaml", code=2)["problems"]
    assert problem["pointer"] == "/e\x1b[31m\nerror: planted\u202e"


def test_the_schema(cli: CommandLine) -> None:
    done = cli.run("validate", "--schema")
    schema = json.loads(done.stdout)
    assert schema["$id"] == "/schemas/workflow.json"
    assert {"step_transform", "step_http", "step_approval"} <= schema["$defs"].keys()


def test_validate_wants_a_file(cli: CommandLine) -> None:
    done = cli.run("validate")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: validate takes at least one FILE")


MANY = """\
name: many
steps:
  - id: ask
    type: llm
    model: nope:m
    prompt: "{{ foo }} and {{ 1 + }}"
    timeout: 3
  - id: each
    type: for_eech
  - id: b
    type: transform
    value: "{{ steps.each.result }}"
    depends_on: [each, ghost]
    when: 1 + 1
    fallback: "{{ input.x }}"
"""


def test_one_problem_hides_no_other(cli: CommandLine) -> None:
    cli.write("many.yaml", MANY)
    problems = cli.json("validate", "many.yaml", code=2)["problems"]
    assert [(problem["line"], problem["code"]) for problem in problems] == [
        (5, "unknown_model"),
        (6, "bad_expression"),
        (6, "bad_expression"),
        (7, "unknown_field"),
        (9, "unknown_type"),
        (13, "unknown_dependency"),
        (14, "not_boolean"),
        (15, "no_template_here"),
    ]
    assert [problem for problem in problems if not problem.get("hint")] == []


UNREADABLE = """\
name: many
limits: {timeout_s: .nan, memory_mb: -1}
input_schema:
  properties: {a/b: {type: strin}, c: {minimum: x, required: 3}}
  pattern: .inf
steps:
  - {id: a, id: b, type: transfrom, depends_on: [ghost]}
  - {id: c, type: transform, value: .nan, valeu: 1}
name: again
"""


def test_what_cannot_be_read_hides_no_other_problem(cli: CommandLine) -> None:
    cli.write("many.yaml", UNREADABLE)
    problems = cli.json("validate", "many.yaml", code=2)["problems"]
    assert [(problem["line"], problem["code"], problem.get("pointer") or "") for problem in problems] == [
        (2, "bad_yaml", "/limits/timeout_s"),
        (2, "bad_value", "/limits/memory_mb"),
        (4, "bad_schema", "/input_schema/properties/a~1b/type"),
        (4, "bad_schema", "/input_schema/properties/c/minimum"),
        (4, "bad_schema", "/input_schema/properties/c/required"),
        (5, "bad_yaml", "/input_schema/pattern"),
        (7, "bad_yaml", "/steps/0"),
        (7, "unknown_type", "/steps/0/type"),
        (7, "unknown_dependency", "/steps/0/depends_on/0"),
        (8, "bad_yaml", "/steps/1/value"),
        (8, "unknown_field", "/steps/1/valeu"),
        (9, "bad_yaml", ""),
    ]
    assert [problem for problem in problems if not problem.get("hint")] == []


def test_deep_data_and_tags_are_refused_in_words(cli: CommandLine) -> None:
    cli.write("deep.json", "[" * 5_000 + "]" * 5_000)
    cli.write("tag.yaml", "name: x\nsteps: !!python/object/apply:os.getcwd []\n")
    lines = cli.run("validate", "-o", "table", "deep.json", "tag.yaml").stdout.splitlines()
    assert lines[0].startswith("deep.json:1: /: the document nests deeper than 100 levels (")
    assert lines[1].startswith("tag.yaml:2: /steps: the tag '!!python/object/apply:os.getcwd' is not allowed (")
    cli.write("sum.yaml", SUM)
    done = cli.run("run", "sum.yaml", "--input", "[" * 5_000 + "]" * 5_000)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: the input nests deeper than 200 levels")
