"""The console's own checks: strict types, format, the model's unit tests; and that its types are of the committed API."""

import re

import pytest
from scripts import console as building
from tests.e2e.console import ROOT, UI, need_node, ran


@pytest.fixture(autouse=True)
def _built() -> None:
    need_node()
    building.build(ROOT)


@pytest.mark.slow
def test_types_format_and_unit_tests() -> None:
    ran(["npm", "run", "--silent", "check"], UI, 250)


def test_the_types_are_those_of_the_committed_api() -> None:
    made = ran(["npx", "openapi-typescript", "../docs/reference/openapi.json"], UI, 100)
    assert made.strip() == (UI / "src/api/schema.d.ts").read_text().strip(), "run `npm run schema` in ui/"


def test_the_shell_is_small() -> None:
    """What every page loads: the scripts and styles that the page names, as they are sent."""
    console = ROOT / "src" / "runwell" / "console"
    named = re.findall(r'(?:src|href)="\./(assets/[^"]+\.(?:js|css))"', (console / "index.html").read_text())
    assert named
    size = sum((console / f"{name}.gz").stat().st_size for name in named)
    assert size <= 250_000, f"{size} bytes of {named}"


def test_the_model_knows_nothing_of_react() -> None:
    wrong = re.compile(r'from "(react|@mantine|@tanstack|@xyflow|(\.\./)+(app|api|components|features)/)')
    assert [path.name for path in (UI / "src" / "model").rglob("*.ts") if wrong.search(path.read_text())] == []


def test_nothing_is_put_into_the_page_as_markup() -> None:
    wrong = re.compile(r"dangerouslySetInnerHTML|innerHTML|outerHTML")
    assert [path.name for path in (UI / "src").rglob("*.ts*") if wrong.search(path.read_text())] == []
