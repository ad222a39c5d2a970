"""Workflow documents as YAML that people like to read, the same text for the same data."""

from typing import Any, Final

import yaml

from runwell.adapters.documents import read_leniently
from runwell.model.documents import Document

_FIRST: Final = ("name", "id", "type", "description", "kind", "depends_on", "when", "input_schema")
_LAST: Final = ("steps", "output", "limits", "concurrency", "on_failure", "tags")
"""Where well-known fields stand; others between them, by name."""


class YamlText:
    """`DocumentText` in YAML."""

    def read(self, text: str) -> Document:
        return read_leniently(text)

    def write(self, document: Any) -> str:
        text: str = yaml.dump(_ordered(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000)
        return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return {key: _ordered(value[key]) for key in sorted(value, key=_place)} if isinstance(value, dict) else value


def _place(key: str) -> tuple[int, int, str]:
    if key in _FIRST:
        return 0, _FIRST.index(key), key
    return (2, _LAST.index(key), key) if key in _LAST else (1, 0, key)
