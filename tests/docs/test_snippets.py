"""Every snippet of the README and of docs/ does what it says."""

import importlib.util
import time
from pathlib import Path

import pytest
from tests.docs.markdown import ROOT, fences, pages
from tests.docs.snippets import Page, is_run

CLI = importlib.util.find_spec("runwell.cli.main")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets_run(page: Path, tmp_path: Path) -> None:
    if CLI is None and any(is_run(fence) for fence in fences(page)):
        pytest.skip("this tree has no command line yet")
    assert Page(page, tmp_path, examples=ROOT / "examples").run() == []


def test_the_readme_has_a_sample_that_runs() -> None:
    readme = ROOT / "README.md"
    if CLI is None and not readme.read_text(encoding="utf-8"):
        pytest.skip("the README is written once there is something to run")
    assert any(is_run(fence) for fence in fences(readme))


def report(tmp_path: Path, text: str, timeout_s: float = 20) -> str:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    return "\n".join(Page(page, home, examples=tmp_path / "samples", timeout_s=timeout_s).run())


BROKEN = {
    "python": ("# A page\n\n```python\nx = 1\nassert x == 2\n```\n", "page.md:4: Traceback", "line 5"),
    "bash": ("```bash\nfalse\ntrue\n```\n", "page.md:2: exit code 1", ""),
    "pipe": ("```sh\nfalse | cat\n```\n", "page.md:2: exit code 1", ""),
    "unset": ("```bash\necho $NOT_SET\n```\n", "page.md:2: exit code", "NOT_SET"),
    "console": ("```console\n$ echo on\non\n$ grep nothing /dev/null\n```\n", "page.md:2: exit code 1", "on"),
    "yaml": ("```yaml\na: [\n```\n", "page.md:2: not YAML", ""),
    "exit": ("```python\nimport os\nos._exit(0)\n```\n", "page.md:2: the interpreter ended", ""),
    "language": ("```pyhton\n1\n```\n", "page.md:2: unknown language 'pyhton'", ""),
    "reason": ("<!-- no-run: -->\n```bash\nfalse\n```\n", "page.md:3: no-run without a reason", ""),
    "list": ("1. First\n\n   ```bash\n   false\n   ```\n", "page.md:4: exit code 1", ""),
    "later": ("```bash\ntrue\n```\n```python\nx = 1\n```\n```python\ny\n```\n", "page.md:8: Traceback", "NameError"),
}


@pytest.mark.parametrize("planted", BROKEN)
def test_a_broken_snippet_is_reported(tmp_path: Path, planted: str) -> None:
    text, start, detail = BROKEN[planted]
    said = report(tmp_path, text)
    assert said.startswith(start)
    assert detail in said


@pytest.mark.skipif(CLI is None, reason="this tree has no command line yet")
def test_a_broken_workflow_is_reported(tmp_path: Path) -> None:
    good = "```yaml\nname: good\nsteps:\n  - {id: a, type: transform, value: 1}\n```\n"
    assert report(tmp_path, good + "```yaml\nname: bad\nsteps:\n  - {id: a, type: transfrom, value: 1}\n```\n").startswith(
        "page.md:7: exit"
    )


def test_snippets_that_hang_are_ended(tmp_path: Path) -> None:
    assert report(tmp_path, "```bash\nsleep 60\n```\n", timeout_s=0.2) == "page.md:2: took longer than 0.2 s"


def test_python_that_hangs_is_ended(tmp_path: Path) -> None:
    assert "took longer than 0.2 s" in report(tmp_path, "```python\nimport time; time.sleep(60)\n```\n", timeout_s=0.2)


SHARED = """
```yaml title="data/greeting.yaml"
greeting: hello
```

```bash
export WHO=world
mkdir inner && cd inner && cat ../examples/sample.txt
```

```python
import sys
from dataclasses import dataclass
from pathlib import Path

@dataclass
class Greeting:
    text: str

assert __name__ == "__main__" and not Path("inner/made").exists()
greeting = Greeting(Path("data/greeting.yaml").read_text().split()[1])
```

```console
$ test "$WHO" = world && \\
> touch made
some output that is not run
> nor is this
$ ls
made
```

```python
assert Path("inner/made").exists() and greeting.text == "hello"
assert sys.stdin.read() == ""
```

```json
{"shown": "only"}
```

<!-- no-run: it would need a network -->
```bash
false
```
"""


def test_snippets_share_files_variables_and_interpreter(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/sample.txt").write_text("a sample")
    assert report(tmp_path, SHARED) == ""


def test_nothing_of_the_caller_is_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert report(tmp_path, '```python\nimport os\nassert "OPENAI_API_KEY" not in os.environ\n```\n') == ""


def test_background_processes_end_with_the_page(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert report(tmp_path, f"```bash\nsleep 60 &\necho $! > {pid}\n```\n") == ""
    proc = Path("/proc") / pid.read_text().strip() / "stat"
    deadline = time.monotonic() + 10
    while proc.exists() and proc.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
