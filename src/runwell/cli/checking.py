"""How documents that a person brings are checked: whole, and against what can be reached from here."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runwell.adapters.models.connections import Connections
from runwell.adapters.tools.reach import Reach
from runwell.engine.plan import Plan
from runwell.runtime.publisher import Publisher
from runwell.sdk.function_set import installed_functions
from runwell.settings import read_tool_modules
from runwell.steps.reach import unreachable
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions


def document_check(environ: Mapping[str, str] = os.environ) -> Callable[[Any], Plan]:
    """Return the check: from a document to its plan. It raises `InvalidDocument` with every problem and keeps nothing."""
    functions = installed_functions(read_tool_modules(environ))
    reach = partial(unreachable, names=Reach(Connections(environ), functions=functions))
    return partial(Publisher(MemoryDefinitions(), step_types()).compile, reach=reach)
