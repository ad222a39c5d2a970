"""A program of a user: a workflow written in Python, run over a data directory. It may be killed.

`python sdk_orders.py DATA_DIR KEY`: each call of a tool is a line of the file ORDERS_LOG; the second tool hangs while there is a file
of that name with the suffix `.hang`.
"""

import os
import sys
import time
from pathlib import Path

from runwell import tool, tool_context, workflow

LOG = Path(os.environ.get("ORDERS_LOG", os.devnull))


@tool
def reserve(what: str) -> dict[str, str]:
    """Put something aside."""
    _note("reserve", what)
    return {"what": what}


@tool
def pay(what: str) -> str:
    """Pay for it."""
    _note("pay", what)
    while LOG.with_suffix(".hang").exists():
        time.sleep(0.02)
    return f"paid for {what}"


def _note(name: str, what: str) -> None:
    with LOG.open("a") as log:
        log.write(f"{name} {what} {tool_context().idempotency_key}\n")


@workflow
def order(what: str) -> object:
    """Order something."""
    reserved = reserve(what=what)
    return {"paid": pay(what=reserved["what"])}


if __name__ == "__main__":
    run = order.run({"what": "a pen"}, data_dir=sys.argv[1], key=sys.argv[2])
    print(run.id, run.status, run.output["paid"])
