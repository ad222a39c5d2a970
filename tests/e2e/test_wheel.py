"""A wheel that is built from a clean checkout has the console in it."""

import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.e2e.console import ROOT, need_node, ran


def clean_checkout(target: Path) -> Path:
    """Copy what git knows, as it lies here, without anything that was built."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    return target


@pytest.mark.slow
def test_a_wheel_has_the_console(tmp_path: Path) -> None:
    need_node()
    checkout = clean_checkout(tmp_path / "checkout")
    assert not (checkout / "src/runwell/console").exists()
    ran(["bash", "scripts/uv.sh", "build", "--wheel", "--quiet", "--out-dir", str(tmp_path / "dist")], checkout, 280)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "runwell/console/index.html" in names
    assert any(name.startswith("runwell/console/assets/") and name.endswith(".js") for name in names)
    assert not any(name.startswith(("ui/", "runwell/console/.")) for name in names)
