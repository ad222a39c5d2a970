"""The server: the embedded runtime and the HTTP interface over it, in one process."""

from runwell.adapters.document_yaml import YamlText
from runwell.api.parts import Parts
from runwell.bootstrap import App
from runwell.runtime.hosted import HostedRuns
from runwell.storage.sql_workflows import SqlWorkflows


def parts_for(app: App) -> Parts:
    """Return what the HTTP interface is made of."""
    if app.sql is None:
        raise ValueError("a server needs an app whose tables are kept")
    return Parts(
        runs=HostedRuns(app.runtime),
        journal=app.journal,
        definitions=app.definitions,
        workflows=SqlWorkflows(app.sql),
        publishing=app.publisher,
        document_text=YamlText(),
    )
