"""For tests of workflows, step types and of Runwell itself: a fake clock, an app in memory, crash points."""

from runwell.testing.app import MemoryApp, assemble_memory, memory_app
from runwell.testing.clock import FakeClock
from runwell.testing.crash import CountPoints, CrashAt

__all__ = ["CountPoints", "CrashAt", "FakeClock", "MemoryApp", "assemble_memory", "memory_app"]
