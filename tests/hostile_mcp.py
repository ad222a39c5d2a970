"""An MCP server that means no good: `python hostile_mcp.py MODE`. It is polite until it is asked for what MODE is about.

Standard library only, so that it starts at once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

OUT = sys.stdout.buffer
TOOL: dict[str, Any] = {"name": "work", "description": "Works.", "inputSchema": {"type": "object"}}


def say(**message: Any) -> None:
    OUT.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    OUT.flush()


def at_start(mode: str) -> None:
    if mode == "dies at once":
        sys.stderr.write(f"no configuration; the token is {os.environ.get('TOKEN')}\n")
        sys.exit(3)
    if mode in ("banner", "long banner", "banner only"):
        lines = [b"Listening ...", b"", b"{", b"[]", b"\xff\xfe"] * (10 if mode == "long banner" else 1)
        OUT.write(b"\n".join(lines) + b"\n")
        OUT.flush()
    if mode in ("silent", "banner only"):
        time.sleep(600)
    if mode == "stays":  # neither the end of its input nor a signal moves it or its child
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(600)"])
        with open(os.environ["PIDS"], "w") as file:
            file.write(f"{os.getpid()} {child.pid}")


def page(mode: str, cursor: str | None) -> dict[str, Any]:
    if mode == "endless list":
        return {"tools": [{**TOOL, "name": f"t{cursor or 0}"}], "nextCursor": str(int(cursor or 0) + 1)}
    if mode == "long list":
        return {"tools": [{**TOOL, "name": f"t{number}"} for number in range(5_000)]}
    if mode == "bad tools":
        bad = [{**TOOL, "name": "x" * 1_000}, {**TOOL, "name": "a\nb"}]
        return {"tools": [*bad, {**TOOL, "name": "large", "inputSchema": {"type": "object", "x": "y" * 100_000}}, TOOL]}
    return {"tools": [TOOL]}


def work(mode: str, request: dict[str, Any]) -> None:
    number = request["id"]
    answer = {"content": [{"type": "text", "text": "done"}]}
    match mode:
        case "garbage":
            for _ in range(2_000):
                OUT.write(os.urandom(40).hex().encode() + b"\xff\n")
        case "one line" | "one line and its answer":
            with open(os.environ["PIDS"], "w") as file:
                file.write(str(os.getpid()))
            OUT.write(b"}{garbage\n")
            if mode != "one line":
                say(id=number, result=answer)
        case "another's answer":
            say(id=999, result={})
            say(id=number, result=answer)
        case "long line":
            for _ in range(100):
                OUT.write(b"x" * 1_048_576)
            OUT.write(b"\n")
        case "long answer":
            say(id=number, result={"content": [{"type": "text", "text": "y" * 100_000_000}]})
        case "flood":
            for _ in range(200_000):
                say(method="notifications/message", params={"level": "info", "data": "again"})
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash once":
            if not os.path.exists(os.environ["ONCE"]):
                open(os.environ["ONCE"], "w").close()
                os.kill(os.getpid(), signal.SIGSEGV)
            say(id=number, result=answer)
        case "closes":
            os.close(1)
            time.sleep(600)
        case "hang":
            time.sleep(600)
        case "wrong shape":
            say(id=number, result={"content": "no list", "isError": 7})
        case "no number":
            OUT.write(b'{"jsonrpc": "2.0", "id": %d, "result": {"content": [], "structuredContent": {"x": NaN}}}\n' % number)
        case "huge number":
            OUT.write(b'{"jsonrpc": "2.0", "id": %d, "result": {"content": [], "structuredContent": {"x": 1%s}}}\n' % (number, b"0" * 400))
        case "deep":
            OUT.write(b'{"jsonrpc": "2.0", "id": %d, "result": {"content": [], "structuredContent": {"x": %s}}}\n'
                      % (number, b"[" * 100_000 + b"]" * 100_000))  # fmt: skip
        case "slow pattern":
            say(id=number, result={**answer, "structuredContent": {"x": "a" * 40 + "!"}})
        case "asks":
            say(id="mine", method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
            say(id=number, result={"content": [{"type": "text", "text": sys.stdin.readline()}]})
        case "error":
            say(id=number, error={"code": -32_050, "message": "z" * 1_000_000})
        case _:
            say(id=number, result=answer)
    OUT.flush()


def main(mode: str) -> None:
    at_start(mode)
    for line in sys.stdin:
        request = json.loads(line)
        match request.get("method"):
            case "initialize":
                version = request["params"]["protocolVersion"]
                say(
                    id=request["id"],
                    result={"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "h", "version": "1"}},
                )
            case "tools/list":
                say(id=request["id"], result=page(mode, (request.get("params") or {}).get("cursor")))
            case "tools/call":
                work(mode, request)
    if mode == "stays":
        time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
