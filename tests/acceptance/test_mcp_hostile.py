"""Hostile MCP servers, as real processes: one fails its call and nothing else, and takes no memory of ours."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests import hostile_mcp
from tests.contract.samples import run

from runwell.adapters.secrets import EnvironmentSecrets
from runwell.adapters.tools.commands import McpCommand
from runwell.adapters.tools.mcp_tools import McpTools
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE

MEGABYTE = 1_048_576
PATIENCE_S = 30.0


def command(mode: str, **env: str) -> McpCommand:
    return McpCommand(command=sys.executable, args=("-I", "-S", str(Path(hostile_mcp.__file__)), mode), env=env)


@asynccontextmanager
async def tools_of(**commands: McpCommand) -> AsyncIterator[McpTools]:
    tools = McpTools(EnvironmentSecrets(), commands)
    try:
        yield tools
    finally:
        await asyncio.wait_for(tools.aclose(), PATIENCE_S)


def with_server(mode: str, main: Callable[[McpTools], Awaitable[None]], **env: str) -> None:
    async def guarded() -> None:
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        async with tools_of(bad=command(mode, **env), good=command("good")) as tools:
            await asyncio.wait_for(main(tools), PATIENCE_S)
        assert unseen == []

    run(guarded())


async def call(tools: McpTools, server: str = "bad", timeout_s: float = 20.0) -> Any:
    return (await tools.call(DEFAULT_SCOPE, f"mcp:{server}/work", {}, idempotency_key="k", timeout_s=timeout_s)).result


async def refusal(tools: McpTools, timeout_s: float = 20.0) -> StepError:
    with pytest.raises(StepError) as caught:
        await call(tools, timeout_s=timeout_s)
    assert caught.value.code == "MCP_TOOL_FAILED"
    assert len(caught.value.message) <= 2_000
    return caught.value


def memory() -> int:
    """Return the most memory that this process ever used, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


FAILURES = [
    ("garbage", "protocol", False),
    ("no number", "protocol", False),
    ("deep", "protocol", False),
    ("long banner", "protocol", False),
    ("long line", "too_large", False),
    ("long answer", "too_large", False),
    ("flood", "protocol", False),
    ("crash", "connection", True),
    ("closes", "connection", True),
    ("wrong shape", "protocol", False),
    ("error", "server_error", False),
    ("dies at once", "connection", True),
]


@pytest.mark.parametrize(("mode", "reason", "retryable"), FAILURES)
def test_it_fails_its_call_and_nothing_else(mode: str, reason: str, retryable: bool) -> None:
    async def main(tools: McpTools) -> None:
        assert await call(tools, "good") == "done"
        before = memory()
        failing = asyncio.ensure_future(refusal(tools))
        turns = 0
        while not failing.done():
            turns += 1
            began = time.monotonic()
            assert await call(tools, "good") == "done"
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.05)
        error = await failing
        assert (error.details or {})["reason"] == reason, error.message
        assert error.retryable is retryable
        assert memory() - before < 60 * MEGABYTE

    with_server(mode, main)


@pytest.mark.parametrize("mode", ["banner", "another's answer", "slow pattern", "huge number"])
def test_what_does_no_harm_is_borne(mode: str) -> None:
    async def main(tools: McpTools) -> None:
        assert await call(tools) in ("done", {"x": "a" * 40 + "!"}, {"x": 10**400})

    with_server(mode, main)


@pytest.mark.parametrize("mode", ["one line", "one line and its answer"])
def test_a_line_that_is_no_message_ends_the_session_at_once(tmp_path: Path, mode: str) -> None:
    pids = tmp_path / "pids"

    async def main(tools: McpTools) -> None:
        began = time.monotonic()
        error = await refusal(tools)
        assert time.monotonic() - began < 10
        assert error.details == {"reason": "protocol", "line": "}{garbage"}
        await gone([int(pids.read_text())])

    with_server(mode, main, PIDS=str(pids))


def test_who_greets_and_says_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwell.adapters.tools.process_link.BANNER_S", 0.3)

    async def main(tools: McpTools) -> None:
        error = await refusal(tools)
        assert error.details == {"reason": "protocol", "line": "Listening ..."}

    with_server("banner only", main)


def test_a_server_that_hangs_is_waited_for_no_longer_than_asked_and_then_given_up() -> None:
    async def main(tools: McpTools) -> None:
        for _ in range(3):
            began = time.monotonic()
            error = await refusal(tools, 0.8)
            assert ((error.details or {})["reason"], error.retryable) == ("timeout", True)
            assert time.monotonic() - began < 3

    with_server("hang", main)


def test_a_server_that_never_says_hello_fails_in_time() -> None:
    async def main(tools: McpTools) -> None:
        assert ((await refusal(tools, 0.5)).details or {})["reason"] == "timeout"

    with_server("silent", main)


@pytest.mark.parametrize("mode", ["endless list", "long list"])
def test_a_list_of_tools_has_an_end(mode: str) -> None:
    async def main(tools: McpTools) -> None:
        with pytest.raises(StepError, match="tools") as caught:
            await tools.list(DEFAULT_SCOPE, ["mcp:bad/*"])
        assert (caught.value.details or {})["reason"] == "too_large"

    with_server(mode, main)


def test_tools_that_nobody_could_use_are_left_out() -> None:
    async def main(tools: McpTools) -> None:
        assert [info.name for info in await tools.list(DEFAULT_SCOPE, ["mcp:bad/*"])] == ["mcp:bad/work"]

    with_server("bad tools", main)


def test_what_a_server_asks_of_us_is_refused() -> None:
    async def main(tools: McpTools) -> None:
        assert "Sampling not supported" in await call(tools)

    with_server("asks", main)


def test_what_crashed_is_started_again_and_pauses_grow(tmp_path: Path) -> None:
    async def once(tools: McpTools) -> None:
        assert (await refusal(tools)).retryable
        assert await call(tools) == "done"

    async def always(tools: McpTools) -> None:
        waits = [(await refusal(tools)).retry_after_s for _ in range(4)]
        assert waits[:2] == [None, None], "the first time it is started again at once"
        assert waits[2] is not None
        assert 0 < waits[2] <= 0.5
        await asyncio.sleep(waits[2])
        assert (await refusal(tools)).retry_after_s is None
        pause = (await refusal(tools)).retry_after_s
        assert pause is not None
        assert 0.5 < pause <= 1.0

    with_server("crash once", once, ONCE=str(tmp_path / "once"))
    with_server("dies at once", always)


def test_what_it_says_when_it_dies_is_told_without_its_credentials() -> None:
    async def main(tools: McpTools) -> None:
        error = await refusal(tools)
        assert error.details == {"reason": "connection", "exit_code": 3, "stderr": "no configuration; the token is ***"}

    with_server("dies at once", main, TOKEN="a-long-credential")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while any(map(alive, pids)):  # noqa: ASYNC110 - other processes have no events
            await asyncio.sleep(0.02)


def test_the_whole_group_ends_with_the_session(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    async def main(tools: McpTools) -> None:
        assert await call(tools) == "done"
        assert all(map(alive, map(int, pids.read_text().split())))

    with_server("stays", main, PIDS=str(pids))
    run(gone([int(pid) for pid in pids.read_text().split()]))


OWNER = """
import asyncio, sys
from tests.acceptance.test_mcp_hostile import call, command, tools_of

async def main():
    async with tools_of(bad=command("stays", PIDS=sys.argv[1])) as tools:
        await call(tools)
        print("called", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_the_whole_group_ends_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    async def main() -> None:
        owner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OWNER, str(tmp_path / "pids"), cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
        )
        assert owner.stdout is not None
        assert await asyncio.wait_for(owner.stdout.readline(), PATIENCE_S) == b"called\n"
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(map(alive, pids))
        os.kill(owner.pid, 9)
        await owner.wait()
        await gone(pids)

    run(main())
