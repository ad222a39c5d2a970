"""What projects do not want to be kept, as the runtime asks for it: in memory, as it is now."""

from collections.abc import Mapping

from runwell.ports.redaction import EventRedactor


class ProjectRedaction:
    """`Redactions`: from project to rules."""

    def __init__(self) -> None:
        self._rules: dict[str, EventRedactor] = {}

    def of(self, project_id: str) -> EventRedactor | None:
        return self._rules.get(project_id)

    def load(self, rules: Mapping[str, EventRedactor]) -> None:
        self._rules.update(rules)

    def set(self, project_id: str, rules: EventRedactor | None) -> None:
        """Let these rules hold from now on."""
        if rules is None:
            self._rules.pop(project_id, None)
        else:
            self._rules[project_id] = rules
