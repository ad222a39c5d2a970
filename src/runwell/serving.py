"""The server: the embedded runtime and the HTTP interface over it, in one process."""

from runwell.api.parts import Parts
from runwell.bootstrap import App
from runwell.runtime.hosted import HostedRuns


def parts_for(app: App) -> Parts:
    """Return what the HTTP interface is made of."""
    return Parts(runs=HostedRuns(app.runtime), journal=app.journal, definitions=app.definitions)
