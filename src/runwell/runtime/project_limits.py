"""The limits of projects as the runtime asks for them: in memory, as they are now."""

from collections.abc import Callable, Mapping

from runwell.model.limits import NO_LIMITS, Limits


class ProjectLimits:
    """From project to limits."""

    def __init__(self) -> None:
        self._limits: dict[str, Limits] = {}
        self._watchers: list[Callable[[], None]] = []

    def of(self, project_id: str) -> Limits:
        return self._limits.get(project_id, NO_LIMITS)

    def load(self, limits: Mapping[str, Limits]) -> None:
        self._limits.update(limits)

    def set(self, project_id: str, limits: Limits) -> None:
        """Let these limits hold from now on."""
        self._limits[project_id] = limits
        self.tell()

    def tell(self) -> None:
        """Let whoever watches look again at what may begin."""
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each change, and when there is room again."""
        self._watchers.append(watcher)
