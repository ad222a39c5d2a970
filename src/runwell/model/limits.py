"""How much a project may have going on at once."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """None: no limit beyond the server's own. A limit that is lowered ends nothing: it holds for what begins later.

    max_running: runs that work at the same time; the excess is queued. Runs that wait for a person, a message or time do not count.
    max_queued: runs that may be queued; a start beyond is refused. Child runs are queued all the same.
    """

    max_running: int | None = None
    max_queued: int | None = None


NO_LIMITS = Limits()
