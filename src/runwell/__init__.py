"""Runwell runs AI workflows and agents durably, and keeps every run.

`Client` and `AsyncClient` reach a server. `tool`, `agent`, `workflow` and `step` write workflows in Python. Each is loaded when it
is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from runwell.authoring import step
    from runwell.authoring.agent import agent
    from runwell.authoring.local import local
    from runwell.authoring.workflow import workflow
    from runwell.sdk.client import AsyncClient, Client
    from runwell.sdk.tool import ToolContext, tool

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "ToolContext", "__version__", "agent", "local", "step", "tool", "workflow"]

_HOMES: Final = {
    "AsyncClient": "runwell.sdk.client",
    "Client": "runwell.sdk.client",
    "ToolContext": "runwell.sdk.tool",
    "agent": "runwell.authoring.agent",
    "local": "runwell.authoring.local",
    "tool": "runwell.sdk.tool",
    "workflow": "runwell.authoring.workflow",
}


def __getattr__(name: str) -> Any:
    if name == "step":
        return importlib.import_module("runwell.authoring.step")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
