"""Secrets from the environment of this process."""

import os
from collections.abc import Mapping
from typing import Final

from runwell.model.errors import StepError

PREFIX: Final = "RUNWELL_SECRET_"


class EnvironmentSecrets:
    """The secret `pay-key` is the variable `RUNWELL_SECRET_PAY_KEY`. All organizations share them."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    async def reveal(self, org_id: str, name: str, url: str | None = None) -> str:
        variable = variable_of(name)
        value = self._environ.get(variable)
        if not value:
            raise StepError("SECRET_MISSING", f"the secret {name!r} is not set; set the environment variable {variable} of the server")
        return value


def variable_of(name: str) -> str:
    """Return the environment variable that holds the secret."""
    return PREFIX + name.upper().replace("-", "_")
