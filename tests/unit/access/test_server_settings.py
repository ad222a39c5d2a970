"""Where the server's settings are from, and that nothing secret is among them."""

from pathlib import Path

from runwell.settings import SHOWN, read_settings, shown_settings


def test_each_tells_its_variable_and_whether_it_was_set() -> None:
    environ = {"RUNWELL_MAX_RUNNING": "12", "RUNWELL_HTTP_ALLOW": "10.0.0.0/8, 10.1.0.0/16"}
    told = {one.name: one for one in shown_settings(read_settings(Path("/x"), environ), environ)}
    assert (told["max_running"].value, told["max_running"].source, told["max_running"].variable) == (
        "12",
        "environment",
        "RUNWELL_MAX_RUNNING",
    )
    assert (told["http_allow"].value, told["grace_s"].value, told["grace_s"].source) == ("10.0.0.0/8, 10.1.0.0/16", "30", "default")
    assert (told["base_path"].value, told["share_model_keys"].value) == (None, "false")


def test_nothing_secret_and_no_place_is_told() -> None:
    assert not {name for name in SHOWN if any(word in name for word in ("secret", "key_", "url", "dir", "client", "commands"))}
