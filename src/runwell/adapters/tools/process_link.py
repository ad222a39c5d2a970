"""An MCP server as a process of ours: messages as lines over its standard streams.

The library's own transport keeps a line of any length and logs what it cannot read; this one does neither: who writes
what is no message fails. The process and all that it starts are one group, which ends with the session, with the process
itself, and with us (see `reaper`).
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from runwell.adapters.tools import reaper
from runwell.adapters.tools.commands import McpCommand
from runwell.adapters.tools.failures import failed
from runwell.model.errors import StepError

MOST_BYTES: Final = 10_485_760
"""Of one message."""
MOST_MESSAGES: Final = 10_000
"""That a server may send between two of our requests."""
MOST_BANNER: Final = 20
"""Lines that are no messages, before the session is agreed on. Many servers greet whoever starts them; later none may."""
BANNER_S: Final = 10.0
"""How long the server may take from the first of these lines until it answers."""
SHOWN_LINE: Final = 200
KEPT_ERRORS: Final = 2_048
CHUNK: Final = 65_536
LEAVES_S: Final = 2.0
"""How long the server may take to end by itself once its input is closed."""
ENDED_S: Final = reaper.GRACE_S + 1.0
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LOGNAME", "TMPDIR", "TZ", "USER")
"""What a server gets of our environment: no setting, secret or key of ours."""

Incoming = SessionMessage | Exception


class ProcessLink:
    """One process. `ended` is called once it says nothing more; `failure` tells why, if it was not asked to end."""

    def __init__(self, command: McpCommand, ended: Callable[[], None]) -> None:
        self._command, self._ended = command, ended
        self._messages = self._banner = 0
        self._answered = False
        self._patience: asyncio.TimerHandle | None = None
        self._errors = b""
        self._stopping = False
        self._wrong: StepError | None = None
        self.process: asyncio.subprocess.Process | None = None

    @property
    def failure(self) -> StepError | None:
        return self._wrong

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Any, Any]]:
        """Run the process; yield what the library reads and writes. Raises `StepError` when it cannot be started."""
        process, lifeline = await self._start()
        to_session, read = anyio.create_memory_object_stream[Incoming](0)
        write, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, process, to_session)
            tasks.start_soon(self._write, process, from_session, to_session)
            tasks.start_soon(self._keep_errors, process)
            try:
                yield read, write
            finally:
                self._stopping = True
                self._wait_no_longer()
                with anyio.CancelScope(shield=True):
                    await _stop(process, lifeline)
                tasks.cancel_scope.cancel()
                for stream in (read, write, to_session, from_session):
                    stream.close()

    async def _start(self) -> tuple[asyncio.subprocess.Process, int]:
        env = {key: os.environ[key] for key in INHERITED if key in os.environ} | self._command.env
        program = shutil.which(self._command.command, path=env.get("PATH"))
        if program is None:
            raise failed("unavailable", f"the program {self._command.command!r} of this server is not installed here; ask the operator")
        ours, lifeline = os.pipe()
        try:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(reaper.__file__)), str(ours), program, *self._command.args),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=env,
                cwd=self._command.cwd,
                start_new_session=True,
                pass_fds=(ours,),
                limit=CHUNK,
            )
        except OSError as exc:
            os.close(lifeline)
            raise failed("unavailable", f"the server could not be started: {exc.strerror}") from exc
        except BaseException:
            os.close(lifeline)
            raise
        finally:
            os.close(ours)
        return self.process, lifeline

    async def _read(self, process: asyncio.subprocess.Process, out: "MemoryObjectSendStream[Incoming]") -> None:
        assert process.stdout is not None
        line = bytearray()
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError):
            while self._wrong is None and (chunk := await process.stdout.read(CHUNK)):
                *ends, rest = chunk.split(b"\n")
                for end in ends:
                    await self._take(bytes(line) + end, out)
                    line.clear()
                line += rest
                if len(line) > MOST_BYTES:
                    self._wrong = failed("too_large", f"the server sent a message of more than {MOST_BYTES} bytes")
                await asyncio.sleep(0)  # what is there already is read without a pause, and others want their turn
        await self._over(process)
        out.close()
        self._ended()

    async def _take(self, line: bytes, out: "MemoryObjectSendStream[Incoming]") -> None:
        if not line.strip() or self._wrong is not None:
            return
        try:
            message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            self._take_garbage(line)
            return
        if isinstance(message, types.JSONRPCResponse):
            self._answered = True
            self._wait_no_longer()
        self._messages += 1
        if self._messages > MOST_MESSAGES:
            self._wrong = failed("protocol", f"the server sent more than {MOST_MESSAGES} messages that nobody asked for")
            return
        await out.send(SessionMessage(message))

    def _take_garbage(self, line: bytes) -> None:
        """Bear a line that is no message as a greeting, or else find fault with it: the answer that it should be never comes."""
        self._banner += 1
        shown = line[:SHOWN_LINE].decode("utf-8", "replace")
        wrong = failed("protocol", "the server wrote a line that is no message of the protocol", line=shown)
        if self._answered or self._banner > MOST_BANNER:
            self._wrong = wrong
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(BANNER_S, self._lose_patience, wrong)

    def _lose_patience(self, wrong: StepError) -> None:
        if self._wrong is None and not self._stopping:
            self._wrong = wrong
            self._ended()

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    async def _over(self, process: asyncio.subprocess.Process) -> None:
        """Find out why nothing more comes, unless it is known."""
        if self._stopping or self._wrong is not None:
            return
        await exited(process, LEAVES_S)
        said = self._errors.decode("utf-8", "replace").strip()
        code = process.returncode
        how = "closed its output" if code is None else f"ended with exit code {code}"
        if not self._stopping:
            self._wrong = failed("connection", f"the server {how}", exit_code=code, stderr=said)

    async def _write(
        self,
        process: asyncio.subprocess.Process,
        source: "MemoryObjectReceiveStream[SessionMessage]",
        out: "MemoryObjectSendStream[Incoming]",
    ) -> None:
        assert process.stdin is not None
        try:
            async for sent in source:
                self._messages = 0
                process.stdin.write(sent.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await process.stdin.drain()
        except (OSError, anyio.ClosedResourceError):
            out.close()

    async def _keep_errors(self, process: asyncio.subprocess.Process) -> None:
        """Keep the end of what the server says beside the protocol, for when it fails."""
        assert process.stderr is not None
        while chunk := await process.stderr.read(CHUNK):
            self._errors = (self._errors + chunk)[-KEPT_ERRORS:]
            await asyncio.sleep(0)


async def _stop(process: asyncio.subprocess.Process, lifeline: int) -> None:
    """Close the server's input, wait, then end its group. Every wait is bounded."""
    try:
        if process.stdin is not None:
            process.stdin.close()
        left = await exited(process, LEAVES_S)
    finally:
        os.close(lifeline)
    if not left:
        await exited(process, ENDED_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await exited(process, ENDED_S)
    transport = getattr(process, "_transport", None)  # else it stays open while somebody holds a pipe
    if transport is not None:
        with suppress(PermissionError):
            transport.close()


async def exited(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Return whether the process ends in time. `process.wait` would also wait for whoever else holds its pipes."""
    until = anyio.current_time() + seconds
    while process.returncode is None and anyio.current_time() < until:  # noqa: ASYNC110 - there is no event for this alone
        await asyncio.sleep(0.01)
    return process.returncode is not None
