"""Secrets of the environment are found by name; a missing one says which variable to set."""

import asyncio

import pytest

from runwell.adapters.secrets import EnvironmentSecrets
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE, Scope


def test_the_variable_is_the_name_in_capitals_with_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWELL_SECRET_PAY_KEY", "s3cret")
    assert asyncio.run(EnvironmentSecrets().reveal(DEFAULT_SCOPE, "pay-key")).value == "s3cret"


@pytest.mark.parametrize("environ", [{}, {"RUNWELL_SECRET_PAY_KEY": ""}, {"PAY_KEY": "x"}])
def test_a_missing_secret_names_the_variable(environ: dict[str, str]) -> None:
    with pytest.raises(StepError, match="RUNWELL_SECRET_PAY_KEY") as raised:
        asyncio.run(EnvironmentSecrets(environ).reveal(DEFAULT_SCOPE, "pay-key"))
    assert (raised.value.code, raised.value.retryable) == ("SECRET_MISSING", False)


def test_no_other_organization_reaches_the_operators_variables() -> None:
    secrets = EnvironmentSecrets({"RUNWELL_SECRET_PAY_KEY": "s3cret"})
    with pytest.raises(StepError) as caught:
        asyncio.run(secrets.reveal(Scope("org_1", "prj_1"), "pay-key"))
    assert caught.value.code == "SECRET_MISSING"
    assert "RUNWELL_SECRET" not in caught.value.message


@pytest.mark.parametrize("name", ["key", "KEY", "Key_Previous", "key-previous"])
def test_the_key_that_seals_all_others_is_no_secret_of_a_document(name: str) -> None:
    environ = {"RUNWELL_SECRET_KEY": "the key", "RUNWELL_SECRET_KEY_PREVIOUS": "the key"}
    with pytest.raises(StepError, match="choose another name"):
        asyncio.run(EnvironmentSecrets(environ).reveal(DEFAULT_SCOPE, name))
