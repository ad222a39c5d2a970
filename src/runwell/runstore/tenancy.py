"""Whose runs: the one condition without which nothing of the store is read."""

from runwell.model.scope import Scope


def within(scope: Scope) -> tuple[str, dict[str, str]]:
    """Return the condition that a row is of this project, and the values it names."""
    condition = "org_id = {scope_org:String} AND project_id = {scope_project:String}"
    return condition, {"scope_org": scope.org_id, "scope_project": scope.project_id}
