"""For tests of workflows, step types and of Runwell itself: a fake clock, an app in memory, crash points, models by script.

The replies that a `ScriptedServer` gives are in `runwell.testing.scripted_replies`.
"""

from runwell.testing.app import MemoryApp, assemble_memory, memory_app
from runwell.testing.clock import FakeClock
from runwell.testing.crash import CountPoints, CrashAt
from runwell.testing.memory_run_store import MemoryRunStore
from runwell.testing.scripted_model import ScriptedModels, call
from runwell.testing.scripted_server import ScriptedServer

__all__ = [
    "CountPoints",
    "CrashAt",
    "FakeClock",
    "MemoryApp",
    "MemoryRunStore",
    "ScriptedModels",
    "ScriptedServer",
    "assemble_memory",
    "call",
    "memory_app",
]
