"""The OpenAPI document that is committed: `python -m scripts.openapi` writes docs/reference/openapi.json anew.

A change that breaks callers is not written unless `--breaking` says that it is meant.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from scripts.openapi_changes import breaking_changes

from runwell.api.application import create_app, openapi_document
from runwell.testing.parts import parts_without_server

SNAPSHOT: Final = Path(__file__).parent.parent / "docs" / "reference" / "openapi.json"


def current() -> dict[str, Any]:
    """Return the document of this code."""
    document: dict[str, Any] = json.loads(json.dumps(openapi_document(create_app(parts_without_server()))))
    return document


def text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(args: list[str]) -> int:
    document = current()
    broken = breaking_changes(json.loads(SNAPSHOT.read_text()), document) if SNAPSHOT.exists() else []
    if broken and "--breaking" not in args:
        print("These changes break callers; pass --breaking if they are meant:", *broken, sep="\n  ")
        return 1
    SNAPSHOT.write_text(text(document))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
