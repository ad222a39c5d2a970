"""`runwell keys`: a first key without a browser."""

import signal
from pathlib import Path

from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import DELAY
from tests.unit.access.server import ok, opened, run, signed_in


def test_a_key_made_here_opens_the_server(cli: CommandLine, tmp_path: Path) -> None:
    made = cli.json("keys", "create", "ci", "--scope", "workflow:run", "--scope", "workflow:read", "--expires-in-days", "30")
    assert (made["name"], made["scopes"], made["created_by"]) == ("ci", ["workflow:read", "workflow:run"], "local")
    table = cli.run("keys", "create", "second", "--scope", "admin", "-o", "table")
    assert table.stdout.startswith("rw_")
    assert "not shown again" in table.stderr

    async def main() -> None:
        async with opened(cli.data_dir) as server:
            for key in (made["key"], table.stdout.strip()):
                assert ok(await server.client(key=key).get("/v1/session"))["project"]["slug"] == "default"

    run(main())
    kept = b"".join(path.read_bytes() for path in cli.data_dir.rglob("*") if path.is_file())
    assert made["key"].split("_", 2)[2].encode() not in kept


def test_keys_are_listed_and_revoked(cli: CommandLine) -> None:
    made = cli.json("keys", "create", "ci", "--scope", "admin")
    listed = cli.json("keys", "list")
    assert [key["id"] for key in listed] == [made["id"]]
    assert "key" not in listed[0]
    assert cli.json("keys", "revoke", made["id"])["revoked_at"] is not None
    assert "revoked" in cli.run("keys", "list", "-o", "table").stdout
    assert cli.run("keys", "revoke", "key_" + "0" * 20).returncode == 2


def test_what_is_asked_must_make_sense(cli: CommandLine) -> None:
    for args, complaint in (
        (("k",), "at least one scope"),
        (("k", "--scope", "organization"), "'organization' is no scope of a key"),
        (("k", "--scope", "admin", "--project", "x"), "there is no project 'x'"),
        ((" ", "--scope", "admin"), "the name is"),
    ):
        refused = cli.run("keys", "create", *args)
        assert (refused.returncode, complaint in refused.stderr, refused.stdout) == (2, True, ""), refused.stderr


def test_while_a_process_owns_the_directory_the_way_is_its_interface(cli: CommandLine) -> None:
    cli.write("delay.yaml", DELAY)
    owner = cli.start("run", "delay.yaml", "--input", '{"seconds": 3600}')
    try:
        cli.wait_for_event("step_waiting")
        refused = cli.run("keys", "create", "k", "--scope", "admin")
        assert refused.returncode == 2
        assert "/v1/api-keys" in refused.stderr
    finally:
        owner.send_signal(signal.SIGTERM)
        owner.communicate(timeout=30)


def test_on_a_server_no_key_is_made_here(cli: CommandLine) -> None:
    refused = cli.run("keys", "create", "k", "--scope", "admin", "--server", "http://127.0.0.1:1")
    assert (refused.returncode, "not on the server" in refused.stderr) == (2, True), refused.stderr
    assert not list(cli.data_dir.rglob("*.db"))


def test_a_second_organization_has_its_own_admin_and_sees_nothing_of_the_first(cli: CommandLine) -> None:
    made = cli.json("organizations", "create", "Acme", "--admin", "Zoe@acme.example")
    assert [one["name"] for one in cli.json("organizations", "list")] == ["Default", "Acme"]
    for args, complaint in (
        (("B", "--admin", "zoe@acme.example"), "has an account already"),
        (("B", "--admin", "zoe"), "no e-mail address"),
        ((" ", "--admin", "b@b.example"), "the name is"),
    ):
        refused = cli.run("organizations", "create", *args)
        assert (refused.returncode, complaint in refused.stderr, refused.stdout) == (2, True, ""), refused.stderr
    assert len(cli.json("organizations", "list")) == 2

    async def main() -> None:
        async with opened(cli.data_dir) as server:
            browser = server.client()
            token = made["link"].partition("token=")[2]
            session = signed_in(browser, await browser.post("/v1/password", json={"token": token, "password": "a long password"}))
            assert (session["organization"]["id"], session["project"]["slug"]) == (made["id"], "default")
            assert [one["id"] for one in ok(await browser.get("/v1/projects"))["data"]] == [made["project"]["id"]]
            assert [one["email"] for one in ok(await browser.get("/v1/users"))["data"]] == ["zoe@acme.example"]

    run(main())
