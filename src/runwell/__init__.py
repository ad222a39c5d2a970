"""Runwell runs AI workflows and agents durably, and keeps every run.

`Client` and `AsyncClient` reach a server; they are loaded when they are first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runwell.sdk.client import AsyncClient, Client

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in ("AsyncClient", "Client"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runwell.sdk import client  # noqa: PLC0415 - `import runwell` is quick

    return getattr(client, name)
