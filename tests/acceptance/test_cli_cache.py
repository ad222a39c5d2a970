"""`--cache` on the command line."""

import pytest
from tests.acceptance.command_line import CommandLine

ASK = """
name: ask
steps:
  - {id: ask, type: llm, model: "demo:m", prompt: "Say {{ input.text }}", params: {temperature: 0}}
"""


def test_a_second_run_is_served_and_says_so(cli: CommandLine) -> None:
    cli.write("ask.yaml", ASK)
    common = ("run", "ask.yaml", "--input", '{"text": "hi"}')
    first, second = cli.json(*common), cli.json(*common)
    assert (second["status"], second["output"]) == ("succeeded", first["output"])
    assert (first["cache"], second["cache"]["source_run_id"]) == (None, first["id"])
    assert cli.json(*common, "--cache", "never")["cache"] is None
    assert "from the cache" in cli.run("runs", "show", second["id"], "-o", "table").stdout


@pytest.mark.parametrize("bad", ["sometimes", ""])
def test_what_is_no_use_of_the_cache_is_refused(cli: CommandLine, bad: str) -> None:
    cli.write("ask.yaml", ASK)
    assert cli.run("run", "ask.yaml", "--cache", bad).returncode == 2
    assert not cli.data_dir.exists()
