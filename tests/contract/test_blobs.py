"""Payloads in a directory."""

import threading
from pathlib import Path

import pytest

from runwell.model.errors import InvalidInput, JournalUnavailable, NotFound
from runwell.storage.blobs import DirectoryBlobs


def files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


@pytest.mark.parametrize("content", [b"", b"\x00", b"x" * 1_000_000])
def test_round_trip(tmp_path: Path, content: bytes) -> None:
    blobs = DirectoryBlobs(tmp_path / "deep" / "blobs")
    assert blobs.get(blobs.put(content)) == content


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    refs = {DirectoryBlobs(tmp_path).put(b"same") for _ in range(3)}
    assert refs == {"sha256:0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"}
    assert [str(file.relative_to(tmp_path)) for file in files(tmp_path)] == [
        "09/" + "67115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"
    ]


def test_threads_may_put_the_same_bytes_at_once(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    threads = [threading.Thread(target=blobs.put, args=(b"same" * 50_000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 1


def test_what_is_missing_or_no_reference(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    with pytest.raises(NotFound, match="missing"):
        blobs.get("sha256:" + "0" * 64)
    for bad in ("", "sha256:", "sha256:" + "0" * 63, "sha256:../../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "0" * 64 + "\n"):
        with pytest.raises(InvalidInput):
            blobs.get(bad)


def test_damage_is_found_at_reading_and_mended_by_putting_again(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    ref = blobs.put(b"whole")
    (file,) = files(tmp_path)
    file.write_bytes(b"who")
    with pytest.raises(JournalUnavailable, match="damaged"):
        blobs.get(ref)
    assert DirectoryBlobs(tmp_path).put(b"whole") == ref
    assert blobs.get(ref) == b"whole"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        DirectoryBlobs(tmp_path).put(b"x")
    assert files(tmp_path) == []
