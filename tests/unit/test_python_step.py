"""The python step: limits, lines as log events, and what is checked before a run."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.step_context import FakeContext

from runwell.adapters.sandbox import MontySandbox
from runwell.model.errors import LimitExceeded, StepError
from runwell.model.events import Log
from runwell.ports.sandbox import SandboxLimits
from runwell.ports.steps import AttemptLimits
from runwell.steps.python import STEP, PythonStep, run_python


class ScriptedSandbox:
    """Prints what the test gives, then returns or raises."""

    def __init__(self, printed: list[tuple[str, str]] | None = None, outcome: Any = None) -> None:
        self._printed, self._outcome = printed or [], outcome
        self.limits = SandboxLimits()
        self.ran: tuple[str, Mapping[str, Any]] | None = None

    async def run(self, code: str, inputs: Mapping[str, Any], limits: SandboxLimits, on_print: Callable[[str, str], None]) -> Any:
        self.ran, self.limits = (code, inputs), limits
        for stream, text in self._printed:
            on_print(stream, text)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def aclose(self) -> None:
        pass


def spec(code: str = "1", **fields: Any) -> PythonStep:
    return PythonStep.model_validate({"id": "py", "type": "python", "code": code, **fields})


def test_code_and_rendered_inputs_reach_the_sandbox() -> None:
    sandbox = ScriptedSandbox(outcome=42)
    ctx = FakeContext(spec("a + {{ b }}", inputs={"a": "{{ input.a }}"}), input={"inputs": {"a": 41}}, sandbox=sandbox)
    assert asyncio.run(run_python(ctx)) == 42
    assert sandbox.ran == ("a + {{ b }}", {"a": 41})


@pytest.mark.parametrize(
    ("fields", "limits", "expected"),
    [
        ({}, AttemptLimits(), SandboxLimits(time_s=10, sleep_s=10, memory_bytes=128 << 20, output_bytes=1_048_576)),
        (
            {"timeout_s": 3},
            AttemptLimits(memory_mb=64, log_bytes=10),
            SandboxLimits(time_s=3, sleep_s=3, memory_bytes=64 << 20, output_bytes=10),
        ),
    ],
)
def test_limits(fields: dict[str, Any], limits: AttemptLimits, expected: SandboxLimits) -> None:
    sandbox = ScriptedSandbox()
    asyncio.run(run_python(FakeContext(spec(**fields), limits=limits, sandbox=sandbox)))
    assert sandbox.limits == expected


def test_each_printed_line_is_a_log_event() -> None:
    printed = [("stdout", "a\nb"), ("stderr", "x"), ("stdout", "c\n\nd"), ("stderr", "y\n")]
    ctx = FakeContext(spec(), sandbox=ScriptedSandbox(printed))
    asyncio.run(run_python(ctx))
    assert [(log.stream, log.message) for log in ctx.events if isinstance(log, Log)] == [
        ("stdout", "a"),
        ("stdout", "bc"),
        ("stdout", ""),
        ("stderr", "xy"),
        ("stdout", "d"),
    ]


def test_lines_before_a_failure_are_kept() -> None:
    ctx = FakeContext(spec(), sandbox=ScriptedSandbox([("stdout", "half")], StepError("PYTHON_FAILED", "x")))
    with pytest.raises(StepError):
        asyncio.run(run_python(ctx))
    assert ctx.events == [Log(message="half", stream="stdout")]


def test_with_the_real_sandbox() -> None:
    async def main() -> None:
        sandbox = MontySandbox()
        try:
            ctx = FakeContext(spec("print('seen', n)\nn + 1"), input={"inputs": {"n": 1}}, sandbox=sandbox)
            assert await run_python(ctx) == 2
            assert ctx.events == [Log(message="seen 1", stream="stdout")]
            greedy = FakeContext(spec("'a' * 10**9"), input={"inputs": {}}, limits=AttemptLimits(memory_mb=8), sandbox=sandbox)
            with pytest.raises(LimitExceeded, match="8 MB"):
                await run_python(greedy)
        finally:
            await sandbox.aclose()

    asyncio.run(main())


def test_a_syntax_error_is_a_problem_with_its_line() -> None:
    assert STEP.problems(spec("x = 1\nawait x\nr'\\d'")) == []
    [(pointer, message, hint)] = STEP.problems(spec("x = 1\ndef f(:\n    pass"))
    assert pointer == "/code"
    assert message.startswith("line 2 of the code: ")
    assert hint


@pytest.mark.parametrize("code", ["x\0", "(" * 10_000, "-" * 100_000 + "1"])
def test_code_that_the_parser_gives_up_on_is_a_problem(code: str) -> None:
    assert [pointer for pointer, _, _ in STEP.problems(spec(code))] == ["/code"]


def test_an_input_must_be_able_to_be_a_variable() -> None:
    problems = STEP.problems(spec(inputs={"ok": 1, "not-ok": 2, "class": 3, "a/b": 4}))
    assert [pointer for pointer, _, _ in problems] == ["/inputs/not-ok", "/inputs/class", "/inputs/a~1b"]
