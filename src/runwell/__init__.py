"""Runwell runs AI workflows and agents durably, and keeps every run.

`Client` and `AsyncClient` reach a server. `tool`, `agent`, `workflow` and `step` write workflows in Python, which `local` opens a
place for. Each is loaded when it is first asked for: `import runwell` is quick.
"""

from typing import TYPE_CHECKING, Any

from runwell.model.version import __version__

if TYPE_CHECKING:
    from runwell.authoring import step
    from runwell.authoring.agent import agent
    from runwell.authoring.local import local
    from runwell.authoring.workflow import workflow
    from runwell.sdk.client import AsyncClient, Client
    from runwell.sdk.tool import ToolContext, tool, tool_context

__all__ = ["AsyncClient", "Client", "ToolContext", "__version__", "agent", "local", "step", "tool", "tool_context", "workflow"]


def __getattr__(name: str) -> Any:
    home: Any
    match name:
        case "AsyncClient" | "Client":
            from runwell.sdk import client as home
        case "ToolContext" | "tool" | "tool_context":
            from runwell.sdk import tool as home
        case "agent":
            from runwell.authoring import agent as home
        case "local":
            from runwell.authoring import local as home
        case "workflow":
            from runwell.authoring import workflow as home
        case "step":
            from runwell.authoring import step as home

            return home
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(home, name)
