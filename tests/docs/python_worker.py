"""Runs the Python snippets of one page, one after another, in one namespace: a program, not a module.

Reads file names from stdin, a line each; answers each with a JSON string, the traceback or "".
What a snippet prints goes to stderr.
"""

import json
import os
import sys
import traceback
import types


def main() -> None:
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.path[0] = os.getcwd()
    page = sys.modules["__main__"] = types.ModuleType("__main__")
    for name in requests:
        answers.write(json.dumps(run(name.rstrip("\n"), page.__dict__)) + "\n")
        answers.flush()


def run(file: str, namespace: dict[str, object]) -> str:
    try:
        with open(file, encoding="utf-8") as source:
            exec(compile(source.read(), file, "exec"), namespace)
    except SystemExit as end:
        return "" if end.code in (None, 0) else f"exit code {end.code}"
    except BaseException:
        return traceback.format_exc()
    finally:
        sys.stdout.flush()
    return ""


main()
