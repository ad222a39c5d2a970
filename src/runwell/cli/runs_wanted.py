"""Which runs a list on the command line is to hold."""

import msgspec

from runwell.model.run_search import RunFilters


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a person wants to see, and how many at most. `count`: also how many there are in all."""

    filters: RunFilters
    limit: int
    count: bool = False
