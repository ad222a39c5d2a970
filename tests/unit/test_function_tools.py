"""Registered functions: called as tools, told apart from those of servers, found in modules."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from tests.scripted_tools import ScriptedTools

from runwell.adapters.models.connections import Connections
from runwell.adapters.tools.functions import WithFunctions
from runwell.adapters.tools.reach import Reach
from runwell.bootstrap import reach_within
from runwell.model.errors import InvalidDocument, InvalidInput, StepError
from runwell.model.ids import new_id
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.runtime.publisher import Publisher
from runwell.sdk.function_set import FunctionSet, installed_functions
from runwell.sdk.tool import Tool, tool, tool_context
from runwell.settings import Settings
from runwell.steps.reach import unreachable
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions
from runwell.testing import memory_app

TENANT = Scope(new_id("org"), new_id("prj"))


class Parcel(BaseModel):
    number: int


@tool
def find(number: int) -> Parcel:
    """Find a parcel."""
    return Parcel(number=number)


@tool
async def later(text: str) -> str:
    context = tool_context()
    context.log(f"waits for {text}")
    await asyncio.sleep(0)
    return f"{text} {context.idempotency_key}"


@tool
def loud() -> None:
    tool_context().log("from a thread")


@tool
def broken(number: int) -> None:
    raise LookupError(f"there is no parcel {number}")


@tool
def leaves() -> None:
    raise SystemExit(3)


@tool
def odd() -> object:
    return {"x": float("nan")}


@tool
def strange() -> object:
    return object()


TOOLS: list[Tool[..., Any]] = [find, later, loud, broken, leaves, odd, strange]


async def call(name: str, args: dict[str, Any], scope: Scope = DEFAULT_SCOPE, **more: Any) -> Any:
    tools = WithFunctions(ScriptedTools(), FunctionSet(TOOLS))
    return (await tools.call(scope, name, args, idempotency_key="k", **more)).result


def test_sync_and_async_functions_return_json() -> None:
    lines: list[str] = []
    assert asyncio.run(call("python:find", {"number": 7})) == {"number": 7}
    assert asyncio.run(call("python:later", {"text": "it"}, on_log=lines.append)) == "it k"

    async def main() -> None:
        await call("python:loud", {}, on_log=lines.append)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert lines == ["waits for it", "from a thread"]
    assert asyncio.run(later("it")) != asyncio.run(later("it")), "called by Python, each call has a key of its own"


@pytest.mark.parametrize(
    ("name", "args", "code", "reason", "words"),
    [
        ("broken", {"number": 3}, "PYTHON_FAILED", "raised", "python:broken raised LookupError: there is no parcel 3"),
        ("leaves", {}, "PYTHON_FAILED", "raised", "SystemExit"),
        ("odd", {}, "PYTHON_FAILED", "result", "nan"),
        ("strange", {}, "PYTHON_FAILED", "result", "cannot be kept as JSON"),
        ("find", {"number": "x"}, "TOOL_FAILED", "invalid_args", "/number"),
        ("nobody", {}, "TOOL_FAILED", "unknown_tool", "RUNWELL_TOOL_MODULES"),
    ],
)
def test_a_call_that_fails_says_why(name: str, args: dict[str, Any], code: str, reason: str, words: str) -> None:
    with pytest.raises(StepError) as caught:
        asyncio.run(call(f"python:{name}", args))
    assert (caught.value.code, (caught.value.details or {})["reason"]) == (code, reason)
    assert words in caught.value.message


def test_functions_are_the_default_organizations() -> None:
    with pytest.raises(StepError, match="no function is registered as 'python:find'"):
        asyncio.run(call("python:find", {"number": 7}, TENANT))


def test_a_function_that_never_returns_ends_its_call_and_nothing_else() -> None:
    go_on = threading.Event()

    @tool
    def stuck() -> None:
        go_on.wait(30)

    @tool
    async def stuck_too() -> None:
        await asyncio.sleep(30)

    async def main() -> None:
        tools = WithFunctions(ScriptedTools(), FunctionSet([stuck, stuck_too, find]))
        for name in ("python:stuck", "python:stuck_too"):
            with pytest.raises(StepError, match=r"did not return within 0\.05 s") as caught:
                await tools.call(DEFAULT_SCOPE, name, {}, idempotency_key="k", timeout_s=0.05)
            assert caught.value.retryable
        assert (await tools.call(DEFAULT_SCOPE, "python:find", {"number": 1}, idempotency_key="k")).result == {"number": 1}

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 10
    go_on.set()


def test_what_is_no_function_is_left_to_the_others() -> None:
    async def main() -> None:
        others = ScriptedTools(lambda args: "found")
        tools = WithFunctions(others, FunctionSet([find]))
        assert (await tools.call(DEFAULT_SCOPE, "mcp:desk/find", {}, idempotency_key="k")).result == "found"
        infos = await tools.list(DEFAULT_SCOPE, ["python:find"])
        assert [(info.name, info.description, info.unsafe) for info in infos] == [("python:find", "Find a parcel.", True)]

    asyncio.run(main())


CALL = {"id": "call", "type": "tool", "tool": "python:find", "args": {"number": "{{ input.number }}"}}


def document(**terms: Any) -> dict[str, Any]:
    return {"name": "t", "tools": [{"type": "python", "name": "find", **terms}], "steps": [CALL]}


def test_a_step_calls_a_function_and_records_it() -> None:
    async def main() -> None:
        async with memory_app(tools=WithFunctions(ScriptedTools(), FunctionSet([find]))) as app:
            run_id = await app.start(document(), {"number": 7})
            assert (await app.run_to_end(run_id)).output == {"number": 7}
            assert [event.type for event in await app.journal.read(run_id)].count("tool_called") == 1
            run = await app.run_to_end(await app.start(document(input_schema={"type": "object", "maxProperties": 0}), {"number": 7}))
            assert run.error is not None
            assert (run.error.code, (run.error.details or {})["reason"]) == ("TOOL_FAILED", "invalid_args")

    asyncio.run(main())


def test_a_document_names_only_what_is_registered() -> None:
    @tool(requires_approval=True)
    def refund(amount: float) -> str:
        return ""

    reach = Reach(Connections({}), functions=FunctionSet([find, refund]))
    publisher = Publisher(MemoryDefinitions(), step_types())

    def problem(doc: dict[str, Any]) -> tuple[str, str, str]:
        with pytest.raises(InvalidDocument) as caught:
            publisher.compile(doc, lambda spec: unreachable(spec, reach))
        [found] = caught.value.problems
        return found.code, found.pointer, found.hint or ""

    publisher.compile(document(), lambda spec: unreachable(spec, reach))
    agent = {"id": "a", "type": "agent", "model": "demo:x", "tools": ["python:refund"]}
    typo = {"name": "t", "tools": [{"type": "python", "name": "fnd"}], "steps": [{**CALL, "tool": "python:fnd"}]}
    bold = {"name": "t", "tools": [{"type": "python", "name": "refund"}], "steps": [agent]}
    assert problem(typo)[:2] == ("unknown_tool", "/tools/0/name")
    assert "did you mean 'find'?" in problem(typo)[2]
    assert problem(bold) == ("needs_approval", "/tools/0/name", "write requires_approval: true")
    code, pointer, cure = problem({"name": "t", "steps": [CALL]})
    assert (code, pointer) == ("unknown_tool", "/steps/0/tool")
    assert "a registered function needs type and name only" in cure


def test_a_tenants_documents_name_no_function(tmp_path: Path) -> None:
    async def types(scope: Scope) -> dict[str, str]:
        return {}

    async def codes(scope: Scope) -> list[str]:
        vault: Any = SimpleNamespace(connections=SimpleNamespace(types=types))
        reach = await reach_within(Settings(data_dir=tmp_path), vault, FunctionSet([find]), scope)
        try:
            Publisher(MemoryDefinitions(), step_types()).compile(document(), reach)
        except InvalidDocument as exc:
            return [problem.code for problem in exc.problems]
        return []

    assert asyncio.run(codes(DEFAULT_SCOPE)) == []
    assert asyncio.run(codes(TENANT)) == ["unknown_tool"]


MODULE = """
from runwell import tool

@tool
def find(number: int) -> int:
    return number

@tool(name="look")
def search(text: str) -> str:
    return text
"""


def test_modules_are_named_by_file_or_by_dotted_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text(MODULE)
    (tmp_path / "parcel_tools_of_a_test.py").write_text(MODULE.replace('"look"', '"peek"').replace("def find", "def fetch"))
    monkeypatch.syspath_prepend(str(tmp_path))
    found = installed_functions([str(tmp_path / "json.py"), "parcel_tools_of_a_test"])
    assert found.names() == ["fetch", "find", "look", "peek"]
    assert installed_functions([str(tmp_path / "json.py")]).names() == ["find", "look"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "has no tools"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_module_that_is_of_no_use_ends_the_start(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tools.py"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        installed_functions([str(file)])
    assert words in caught.value.message


def test_two_functions_cannot_have_one_name(tmp_path: Path) -> None:
    files = [tmp_path / "tools.py", tmp_path / "others.py"]
    for file in files:
        file.write_text(MODULE)
    with pytest.raises(InvalidInput, match="two functions are called 'python:find'"):
        installed_functions([str(file) for file in files])


def test_an_entry_point_brings_tools_along(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "parcels"

        def __init__(self, value: Any) -> None:
            self.load: Callable[[], Any] = lambda: value

    monkeypatch.setattr("runwell.sdk.function_set.entry_points", lambda group: [Entry(find)] if group == "runwell.tools" else [])
    assert installed_functions().names() == ["find"]
    monkeypatch.setattr("runwell.sdk.function_set.entry_points", lambda group: [Entry(3)])
    with pytest.raises(InvalidInput, match="the entry point 'parcels' has no tools"):
        installed_functions()
