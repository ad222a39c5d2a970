"""Markdown pages as the documentation's tests read them: code fences, links, headings."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]

_markdown = MarkdownIt("commonmark").enable("table")
_NO_RUN = re.compile(r"<!--\s*no-run:(?P<reason>.*?)-->\s*$", re.DOTALL)
_TITLE = re.compile(r'\btitle="([^"]+)"')
_TARGET = re.compile(r'<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"', re.IGNORECASE)
_NAMED = re.compile(r'<[a-z]+\b[^>]*?\b(?:id|name)="([^"]+)"', re.IGNORECASE)


class Fence(NamedTuple):
    """A fenced block. `line` is that of its first line of text; `no_run` the reason given for not running it."""

    line: int
    language: str
    text: str
    title: str | None
    no_run: str | None


class Link(NamedTuple):
    line: int
    target: str


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages whose snippets run: the README and all of docs/."""
    return [page for page in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if page.is_file()]


def fences(page: Path) -> list[Fence]:
    found: list[Fence] = []
    before: Token | None = None
    for token in _tokens(page):
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            title = _TITLE.search(rest)
            comment = _NO_RUN.search(before.content) if before and before.type == "html_block" else None
            line = token.map[0] + 2 if token.map else 0
            reason = comment["reason"].strip() if comment else None
            found.append(Fence(line, language.lower(), token.content, title[1] if title else None, reason))
        before = token
    return found


def links(page: Path) -> Iterator[Link]:
    """Yield every link and image of the page, those of raw HTML included; code is none."""
    for token in _tokens(page):
        line = token.map[0] + 1 if token.map else 0
        for part in (token, *(token.children or ())):
            if part.type in ("link_open", "image"):
                yield Link(line, str(part.attrGet("href") or part.attrGet("src") or ""))
            elif part.type in ("html_block", "html_inline"):
                yield from (Link(line, target) for target in _TARGET.findall(part.content))


def anchors(page: Path) -> set[str]:
    """Return what a `#fragment` may name: headings as GitHub turns them into ids, and ids set in HTML."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    tokens = _tokens(page)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            slug = _slug(following)
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                found.update(_NAMED.findall(part.content))
    return found


def _tokens(page: Path) -> list[Token]:
    return _markdown.parse(page.read_text(encoding="utf-8"))


def _slug(heading: Token) -> str:
    text = "".join(part.content for part in heading.children or () if part.type in ("text", "code_inline"))
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
