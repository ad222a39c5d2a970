"""The server: the embedded runtime and the HTTP interface over it, in one process."""

from runwell.api.parts import Parts
from runwell.bootstrap import App
from runwell.query.following import Streams
from runwell.runtime.hosted import HostedRuns


def parts_for(app: App) -> Parts:
    """Return what the HTTP interface is made of. A server that stops closes `streams` first: it waits for its responses."""
    streams = Streams(app.runtime.feed, app.journal)
    return Parts(runs=HostedRuns(app.runtime), journal=app.journal, definitions=app.definitions, streams=streams)
