"""`runwell runs export`: files of a search, and going on with one that was broken off."""

import json

import pyarrow.parquet as pq
from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import FAILING, SUM


def test_runs_are_exported_and_an_export_is_resumed(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    cli.write("failing.yaml", FAILING)
    cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')
    cli.json("run", "failing.yaml", code=1)
    folder = cli.write("x.txt", "").parent
    told = cli.json("runs", "export", "--output", "all.jsonl")
    assert (told["runs"], told["files"]) == (2, ["all.jsonl"])
    whole = (folder / "all.jsonl").read_bytes()
    assert [json.loads(line)["workflow_slug"] for line in whole.splitlines()] == ["failing", "sum"]
    assert not (folder / "all.jsonl.export").exists()
    assert "there already" in cli.run("runs", "export", "--output", "all.jsonl").stderr

    note = {"query": "", "shape": {"format": "jsonl"}, "sizes": {"all.jsonl": 0}}
    (folder / "all.jsonl.export").write_text(json.dumps(note))
    (folder / "all.jsonl").write_bytes(whole[:100])  # a line that was cut
    assert cli.json("runs", "export", "--output", "all.jsonl", "--resume")["runs"] == 2
    assert (folder / "all.jsonl").read_bytes() == whole
    assert "nothing" not in cli.run("runs", "export", "--output", "all.jsonl", "--resume").stdout
    assert "no export" in cli.run("runs", "export", "--output", "none.jsonl", "--resume").stderr

    cli.json("runs", "export", "status:failed", "--format", "parquet", "--output", "some.parquet")
    assert pq.read_table(folder / "some.parquet").column("workflow").to_pylist() == ["failing"]
    assert sorted(file.name for file in folder.glob("some.*")) == ["some.parquet"]
    cli.json("runs", "export", "--format", "openai-finetune", "--split", "0.9", "--output", "chat.jsonl")
    assert sorted(file.name for file in folder.glob("chat.*")) == ["chat.train.jsonl", "chat.validation.jsonl"]
    assert "no field" in cli.run("runs", "export", "stauts:x", "--output", "wrong.jsonl").stderr
    assert list(folder.glob("wrong.*")) == []
    assert "is no format" in cli.run("runs", "export", "--format", "xlsx", "--output", "x").stderr
