"""Running code that nobody vouches for."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a snippet may use."""

    time_s: float = 10.0
    sleep_s: float = 10.0
    memory_bytes: int = 128 * 1024 * 1024
    output_bytes: int = 1_048_576


class Sandbox(Protocol):
    async def run(self, code: str, inputs: Mapping[str, Any], limits: SandboxLimits, on_print: Callable[[str, str], None]) -> Any:
        """Run Python code with `inputs` as variables; return the last expression's value as JSON data.

        `on_print(stream, text)` gets what it prints, as it prints. Raises `StepError`
        `PYTHON_FAILED` (with the traceback in `details`), and `LimitExceeded` for memory and output.
        """
        ...

    async def aclose(self) -> None: ...
