"""No link between the project's own pages and files leads nowhere."""

from pathlib import Path

import pytest
from tests.docs.links import dead_links, markdown_files
from tests.docs.markdown import ROOT


def test_links_lead_somewhere() -> None:
    files = markdown_files(ROOT)
    assert ROOT / "README.md" in files
    assert dead_links(ROOT, files) == []


OTHER = """# The other page

## Twice

## Twice

## `runwell run` & *more*: it's

<a id="by-hand"></a>
"""


@pytest.mark.parametrize(
    "link",
    [
        "[a](other.md)",
        "[a](./other.md#twice-1)",
        "[a](other.md#runwell-run--more-its)",
        "[a](other.md#by-hand)",
        "[a](/docs/other.md)",
        "[a](../docs)",
        "[a](#here)",
        "[a](https://example.org/nowhere#x)",
        "[a](mailto:a@example.org)",
        "![a](pic%20ture.png)",
        "`[a](code.md)`",
        "```text\n[a](code.md)\n```",
    ],
)
def test_a_live_link_is_no_problem(tmp_path: Path, link: str) -> None:
    assert report(tmp_path, link) == []


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](gone.md)", "'gone.md' does not exist"),
        ("![a](gone.png)", "'gone.png' does not exist"),
        ("[a][b]\n\n[b]: gone.md", "'gone.md' does not exist"),
        ("| a |\n|---|\n| [a](gone.md) |", "'gone.md' does not exist"),
        ('<img src="gone.png">', "'gone.png' does not exist"),
        ('text <a href="gone.md">a</a>', "'gone.md' does not exist"),
        ("[a](other.md#thrice)", "'other.md#thrice': no heading #thrice there"),
        ("[a](other.md#twice-2)", "'other.md#twice-2': no heading #twice-2 there"),
        ("[a](#there)", "'#there': no heading #there there"),
        ("[a](../../x.md)", "'../../x.md' leaves the repository"),
    ],
)
def test_a_dead_link_is_reported(tmp_path: Path, link: str, problem: str) -> None:
    (line,) = report(tmp_path, link)
    assert line.startswith("docs/page.md:")
    assert line.endswith(problem)


def report(root: Path, link: str) -> list[str]:
    docs = root / "docs"
    docs.mkdir()
    (docs / "pic ture.png").touch()
    (docs / "other.md").write_text(OTHER)
    page = docs / "page.md"
    page.write_text(f"# Here\n\n{link}\n")
    return dead_links(root, [page])
