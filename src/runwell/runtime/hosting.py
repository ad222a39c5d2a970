"""What a process may say about how it hosts runs."""

from typing import TypedDict

from runwell.ports.probe import Probe
from runwell.runtime.cache_keys import Marks
from runwell.runtime.project_limits import ProjectLimits
from runwell.runtime.project_redaction import ProjectRedaction


class Hosting(TypedDict, total=False):
    """How a process hosts runs; what is left out is as `Runtime` says."""

    probe: Probe
    max_running: int
    max_resident: int
    limits: ProjectLimits
    redaction: ProjectRedaction
    marks: Marks
