"""What a cursor of runs or events had seen last. A cursor can be forged, so it is believed nothing."""

import re
from typing import Final

from runwell.query.cursors import Cursor, gone

MAX_SEQ: Final = 2**31 - 1
"""No event's number is higher: what a column of PostgreSQL holds."""

RUN_ID: Final = re.compile("run_[0-9a-f]{32}")


def seen_run(cursor: Cursor) -> str:
    """Return the run's id. Raises `InvalidInput`."""
    place = cursor.place[0] if cursor.place else None
    if not isinstance(place, str) or not RUN_ID.fullmatch(place):
        raise gone()
    return place


def seen_seq(cursor: Cursor) -> int:
    """Return the event's number, or how many of something were seen. Raises `InvalidInput`."""
    place = cursor.place[-1] if cursor.place else None
    if not isinstance(place, int) or not 0 <= place <= MAX_SEQ:
        raise gone()
    return place
