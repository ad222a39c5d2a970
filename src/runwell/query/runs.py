"""How a run stands."""

import msgspec

from runwell.model.errors import NotFound
from runwell.model.run_overview import RunOverview
from runwell.model.scope import Scope
from runwell.ports.runs import Runs

MAX_DEPTH = 20
"""Child runs nest no deeper than this when a failure's cause is looked for."""


async def run_overview(runs: Runs, scope: Scope, run_id: str) -> RunOverview:
    """Return how a run stands, its causes followed into the child runs that failed."""
    overview = await runs.overview(scope, run_id)
    causes = list(overview.causes)
    for _ in range(MAX_DEPTH):
        child_id = (causes[-1].error.details or {}).get("child_run_id") if causes else None
        if not isinstance(child_id, str):
            break
        try:
            inner = (await runs.overview(scope, child_id)).causes
        except NotFound:  # deleted meanwhile
            break
        if not inner:
            break
        causes += inner
    return msgspec.structs.replace(overview, causes=causes)
