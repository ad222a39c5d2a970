"""Runs the snippets of a page as a reader would: top to bottom, in one directory, with `runwell` on PATH.

- `python` snippets share one interpreter.
- `bash`, `sh` and `console` snippets (of the last, what follows `$ `) share working directory and
  exported variables; any command that fails fails the snippet. Background processes end with the page.
- `yaml` must parse; a workflow (it starts with `name:` and has `steps:`) must pass `runwell validate`.
- A fence with `title="file"` is written to that file first, whatever its language.
- `<!-- with-server -->` on the page: a server without sign-in is there, at `RUNWELL_SERVER`.
- A fence is left out only by a comment before it that says why: `<!-- no-run: reason -->`.

The environment holds nothing of the caller's but PATH: no keys, an empty home.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import yaml
from tests.docs.markdown import Fence, fences

BIN: Final = Path(sys.prefix) / "bin"
WORKER: Final = Path(__file__).with_name("python_worker.py")
TIMEOUT_S: Final = 60.0

PYTHON: Final = frozenset({"python", "py"})
SHELL: Final = frozenset({"bash", "sh", "shell"})
CONSOLE: Final = frozenset({"console"})
YAML: Final = frozenset({"yaml", "yml"})
RUN: Final = PYTHON | SHELL | CONSOLE | YAML
SHOWN: Final = frozenset(
    {
        "",
        "text",
        "json",
        "jsonc",
        "ndjson",
        "mermaid",
        "toml",
        "sql",
        "http",
        "diff",
        "css",
        "html",
        "ts",
        "tsx",
        "ini",
        "dockerfile",
        "hcl",
    }
)
"""Languages that are only shown. One that is in no list is reported: a typing error would go unrun for ever."""

_WITH_SERVER: Final = "<!-- with-server -->"
_SHELL_FRAME = '. "$1"; . "$2"; { export -p; printf "cd %q\\n" "$PWD"; } > "$1"'


class SnippetFailed(Exception):
    """The snippet does not do what the page says it does."""


class Page:
    """One page's snippets with what they share: directory, interpreter, shell variables."""

    def __init__(self, page: Path, home: Path, *, examples: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._page, self._timeout_s = page, timeout_s
        self._work, self._behind = home / "work", home / "behind"
        self._work.mkdir()
        self._behind.mkdir()
        (home / "home").mkdir()
        if examples and examples.is_dir():
            shutil.copytree(examples, self._work / "examples")
        self._env = {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(home / "home"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "120",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._log = (self._behind / "output").open("w+b")
        self._variables = self._behind / "variables"
        self._variables.touch()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._python: subprocess.Popen[bytes] | None = None

    def run(self) -> list[str]:
        """Run all snippets; return `page:line: what went wrong` for the first that fails, as later ones build on it."""
        try:
            if _WITH_SERVER in self._page.read_text(encoding="utf-8"):
                self._env["RUNWELL_SERVER"] = self._serve()
            for fence in fences(self._page):
                try:
                    self._fence(fence)
                except SnippetFailed as failed:
                    return [f"{self._page.name}:{fence.line}: {failed}\n{self._output()}".rstrip()]
            return []
        finally:
            self._end()

    def _fence(self, fence: Fence) -> None:
        if fence.language not in RUN | SHOWN:
            raise SnippetFailed(f"unknown language {fence.language!r}: add it to the lists in {Path(__file__).name}, or correct it")
        if fence.no_run is not None:
            if not fence.no_run:
                raise SnippetFailed("no-run without a reason: say why this snippet is left out")
            return
        if fence.title:
            file = self._work / fence.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(fence.text, encoding="utf-8")
        if fence.language in PYTHON:
            self._run_python(fence)
        elif fence.language in SHELL:
            self._run_shell(fence, fence.text)
        elif fence.language in CONSOLE:
            self._run_shell(fence, commands(fence.text))
        elif fence.language in YAML:
            self._validate(fence)

    def _serve(self) -> str:
        """Start a server on a free port; return its address once it says that it is ready."""
        server = self._start([str(BIN / "runwell"), "serve", "--no-auth", "--port", "0"], pipes=True)
        assert server.stdout
        killer = threading.Timer(self._timeout_s, server.kill)
        killer.start()
        try:
            return server.stdout.readline().decode().split()[-1]
        finally:
            killer.cancel()

    def _run_python(self, fence: Fence) -> None:
        file = self._behind / f"{self._page.stem}-line-{fence.line}.py"
        file.write_text("\n" * (fence.line - 1) + fence.text, encoding="utf-8")  # tracebacks name the page's lines
        if self._python is None:
            self._python = self._start([str(BIN / "python"), str(WORKER)], pipes=True)
        assert self._python.stdin
        assert self._python.stdout
        killer = threading.Timer(self._timeout_s, self._python.kill)
        killer.start()
        try:
            with suppress(BrokenPipeError):
                self._python.stdin.write(f"{file}\n".encode())
                self._python.stdin.flush()
            answer = self._python.stdout.readline()
        finally:
            killer.cancel()
        if not answer:
            raise SnippetFailed(f"the interpreter ended or took longer than {self._timeout_s:g} s")
        if problem := json.loads(answer):
            raise SnippetFailed(problem)

    def _run_shell(self, fence: Fence, script: str) -> None:
        file = self._behind / f"line-{fence.line}.sh"
        file.write_text(script, encoding="utf-8")
        self._call(["bash", "-euo", "pipefail", "-c", _SHELL_FRAME, "snippet", str(self._variables), str(file)])

    def _validate(self, fence: Fence) -> None:
        try:
            yaml.safe_load(fence.text)
        except yaml.YAMLError as exc:
            raise SnippetFailed(f"not YAML: {exc}") from exc
        if is_workflow(fence):
            name = fence.title or f"{self._page.stem}-line-{fence.line}.yaml"
            (self._work / name).write_text(fence.text, encoding="utf-8")
            self._call([str(BIN / "runwell"), "validate", name])

    def _call(self, command: list[str]) -> None:
        process = self._start(command)
        try:
            code = process.wait(self._timeout_s)
        except subprocess.TimeoutExpired as exc:
            raise SnippetFailed(f"took longer than {self._timeout_s:g} s") from exc
        if code:
            raise SnippetFailed(f"exit code {code}")

    def _start(self, command: list[str], *, pipes: bool = False) -> subprocess.Popen[bytes]:
        stdin, stdout = (subprocess.PIPE, subprocess.PIPE) if pipes else (subprocess.DEVNULL, self._log)
        try:
            process = subprocess.Popen(
                command, cwd=self._work, env=self._env, stdin=stdin, stdout=stdout, stderr=self._log, start_new_session=True
            )
        except FileNotFoundError as exc:
            raise SnippetFailed(f"{command[0]!r} is not there") from exc
        self._processes.append(process)
        return process

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read()[-4_000:].decode(errors="replace")

    def _end(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the group outlives its leader while a background process runs
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(BrokenPipeError):
                        pipe.close()
        self._log.close()


def is_workflow(fence: Fence) -> bool:
    return fence.language in YAML and fence.text.startswith("name:") and "\nsteps:" in fence.text


def is_run(fence: Fence) -> bool:
    """Whether the fence must do what it says, rather than only be shown."""
    return fence.no_run is None and (is_workflow(fence) or fence.language in RUN - YAML)


def commands(console: str) -> str:
    """Return what is typed in a console session: lines after `$ `, and after `> ` those that go on with one."""
    typed, goes_on = [], False
    for line in console.splitlines():
        if line.startswith("$ ") or (goes_on and line.startswith("> ")):
            typed.append(line[2:])
            goes_on = True
        else:
            goes_on = False
    return "\n".join(typed) + "\n"
