"""Secrets of the environment are found by name; a missing one says which variable to set."""

import asyncio

import pytest

from runwell.adapters.secrets import EnvironmentSecrets
from runwell.model.errors import StepError


def test_the_variable_is_the_name_in_capitals_with_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWELL_SECRET_PAY_KEY", "s3cret")
    assert asyncio.run(EnvironmentSecrets().reveal("org_1", "pay-key", "https://pay.example")) == "s3cret"


@pytest.mark.parametrize("environ", [{}, {"RUNWELL_SECRET_PAY_KEY": ""}, {"PAY_KEY": "x"}])
def test_a_missing_secret_names_the_variable(environ: dict[str, str]) -> None:
    with pytest.raises(StepError, match="RUNWELL_SECRET_PAY_KEY") as raised:
        asyncio.run(EnvironmentSecrets(environ).reveal("org_1", "pay-key"))
    assert (raised.value.code, raised.value.retryable) == ("SECRET_MISSING", False)
