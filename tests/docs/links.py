"""Finds links between the project's pages and files that lead nowhere."""

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.docs.markdown import anchors, links


def markdown_files(root: Path) -> list[Path]:
    """Return every page of the repository that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [root / name for name in sorted(listed.stdout.split("\0")) if name and (root / name).is_file()]


def dead_links(root: Path, files: list[Path]) -> list[str]:
    """Return `page:line: what is wrong` for each relative link whose file or anchor is missing. Others are not followed."""
    return [
        f"{page.relative_to(root)}:{link.line}: {problem}"
        for page in files
        for link in links(page)
        if (problem := _problem(root.resolve(), page, link.target))
    ]


def _problem(root: Path, page: Path, target: str) -> str | None:
    url = urlsplit(target)
    if url.scheme or url.netloc:
        return None
    path = unquote(url.path)
    file = page.resolve() if not path else (root / path[1:] if path.startswith("/") else page.parent / path).resolve()
    if not file.is_relative_to(root):
        return f"{target!r} leaves the repository"
    if not file.exists():
        return f"{target!r} does not exist"
    if url.fragment and file.suffix == ".md" and unquote(url.fragment) not in anchors(file):
        return f"{target!r}: no heading #{url.fragment} there"
    return None
