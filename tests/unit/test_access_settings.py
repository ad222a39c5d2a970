"""Settings of sign-in."""

import pytest

from runwell.model.errors import InvalidInput
from runwell.settings import read_settings

OIDC = {"RUNWELL_OIDC_ISSUER": "https://id.example.com", "RUNWELL_OIDC_CLIENT_ID": "runwell", "RUNWELL_OIDC_CLIENT_SECRET": "hush-hush"}


def test_the_client_secret_does_not_show() -> None:
    settings = read_settings(
        environ={**OIDC, "RUNWELL_OIDC_DEFAULT_ROLE": "viewer", "RUNWELL_ALLOWED_ORIGINS": "https://A.example, http://b:8080"}
    )
    assert settings.oidc_client_secret == "hush-hush"
    assert "hush-hush" not in repr(settings)
    assert (settings.oidc_default_role, settings.allowed_origins) == ("viewer", ("https://a.example", "http://b:8080"))


@pytest.mark.parametrize(
    "wrong",
    [
        {**OIDC, "RUNWELL_OIDC_CLIENT_ID": ""},
        {name: value for name, value in OIDC.items() if name != "RUNWELL_OIDC_CLIENT_SECRET"},
        {"RUNWELL_OIDC_DEFAULT_ROLE": "owner"},
        {"RUNWELL_ALLOWED_ORIGINS": "runs.example.com"},
        {"RUNWELL_ALLOWED_ORIGINS": "https://runs.example.com/"},
    ],
)
def test_half_a_setting_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read_settings(environ=wrong)
