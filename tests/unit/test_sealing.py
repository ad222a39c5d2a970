"""A sealed value opens at its place, under its key, and nowhere else."""

import base64
import os
import stat
from pathlib import Path

import msgspec
import pytest

from runwell.model.errors import InvalidInput, SealBroken
from runwell.model.secret_key import SecretKey
from runwell.settings import Settings, read_settings
from runwell.storage.sealing import KEY_FILE, KeyRing, Place, Sealer

PLACE = Place("secret", "org_1", "prj_1", "sec_1", ("https://a.example", "https://b.example"))
OLD, NEW = SecretKey(bytes(range(32))), SecretKey(bytes(range(1, 33)))


def sealer(tmp_path: Path, current: SecretKey | None = OLD, *previous: SecretKey) -> Sealer:
    return Sealer(KeyRing(tmp_path, current, previous))


def test_a_value_opens_where_it_was_sealed(tmp_path: Path) -> None:
    sealed = sealer(tmp_path).seal(PLACE, b"topsecret")
    assert b"topsecret" not in sealed
    assert sealer(tmp_path).open(PLACE, sealed) == b"topsecret"
    assert sealer(tmp_path).seal(PLACE, b"topsecret") != sealed
    turned = msgspec.structs.replace(PLACE, origins=PLACE.origins[::-1])
    assert sealer(tmp_path).open(turned, sealed) == b"topsecret"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "connection"},
        {"org_id": "org_2"},
        {"project_id": "prj_2"},
        {"row_id": "sec_2"},
        {"origins": ("https://a.example",)},
        {"origins": (*PLACE.origins, "https://evil.example")},
        {"org_id": "org_1prj", "project_id": "_1"},
    ],
)
def test_it_opens_nowhere_else(tmp_path: Path, change: dict[str, object]) -> None:
    sealed = sealer(tmp_path).seal(PLACE, b"topsecret")
    with pytest.raises(SealBroken, match="moved or changed"):
        sealer(tmp_path).open(msgspec.structs.replace(PLACE, **change), sealed)


@pytest.mark.parametrize("place", [0, 1, 9, 21, -1])
def test_a_changed_byte_is_seen(tmp_path: Path, place: int) -> None:
    sealed = bytearray(sealer(tmp_path).seal(PLACE, b"topsecret"))
    sealed[place] ^= 1
    for broken in (bytes(sealed), b"", b"\x01", bytes(sealed[:20])):
        with pytest.raises(SealBroken) as caught:
            sealer(tmp_path).open(PLACE, broken)
        assert caught.value.__cause__ is caught.value.__context__ is None


def test_another_key_is_told_as_such(tmp_path: Path) -> None:
    sealed = sealer(tmp_path, OLD).seal(PLACE, b"topsecret")
    with pytest.raises(SealBroken, match="a key that this server does not have") as caught:
        sealer(tmp_path, NEW).open(PLACE, sealed)
    assert "RUNWELL_SECRET_KEY_PREVIOUS" in (caught.value.hint or "")
    assert "topsecret" not in str(caught.value)
    assert not any(text in str(caught.value) for text in (OLD.text, NEW.text))


def test_a_key_before_still_opens_and_seals_no_more(tmp_path: Path) -> None:
    both = sealer(tmp_path, NEW, OLD)
    assert both.open(PLACE, sealer(tmp_path, OLD).seal(PLACE, b"topsecret")) == b"topsecret"
    assert sealer(tmp_path, NEW).open(PLACE, both.seal(PLACE, b"topsecret")) == b"topsecret"


def test_the_key_file_is_made_at_first_need_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "data"
    with pytest.raises(SealBroken):
        sealer(place, None).open(PLACE, sealer(tmp_path, OLD).seal(PLACE, b"x"))
    assert not place.exists()
    sealed = sealer(place, None).seal(PLACE, b"topsecret")
    assert stat.S_IMODE((place / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in place.iterdir()] == [KEY_FILE]
    assert sealer(place, None).open(PLACE, sealed) == b"topsecret"
    moved = SecretKey.read((place / KEY_FILE).read_text(), "a test")
    assert sealer(tmp_path, NEW, moved).open(PLACE, sealed) == b"topsecret"


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    sealer(tmp_path, None).seal(PLACE, b"x")
    os.chmod(tmp_path / KEY_FILE, 0o640)
    with pytest.raises(InvalidInput, match="others may read") as caught:
        sealer(tmp_path, None).seal(PLACE, b"x")
    assert "chmod 600" in str(caught.value)


def test_a_key_file_that_holds_no_key_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch(0o600)
    with pytest.raises(InvalidInput, match="is no key"):
        sealer(tmp_path, None).seal(PLACE, b"x")
    assert (tmp_path / KEY_FILE).read_bytes() == b""


@pytest.mark.parametrize("text", ["short", base64.b64encode(b"x" * 31).decode(), "ü" * 44, "!" * 44])
@pytest.mark.parametrize("name", ["RUNWELL_SECRET_KEY", "RUNWELL_SECRET_KEY_PREVIOUS"])
def test_a_setting_that_is_no_key_is_named_and_not_told(name: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_settings(environ={name: text})
    assert name in str(caught.value)
    assert text not in str(caught.value)


def test_keys_of_the_settings_show_nowhere() -> None:
    settings = read_settings(environ={"RUNWELL_SECRET_KEY": OLD.text, "RUNWELL_SECRET_KEY_PREVIOUS": f" {NEW.text}, {OLD.text}"})
    assert settings.secret_key is not None
    assert settings.secret_key.content == OLD.content
    assert [key.content for key in settings.secret_key_previous] == [NEW.content, OLD.content]
    assert not any(text in repr(settings) for text in (OLD.text, NEW.text, repr(OLD.content)))
    assert read_settings(environ={}).secret_key is Settings(data_dir=Path()).secret_key is None
