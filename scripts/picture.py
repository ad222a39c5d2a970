"""Draws docs/images/run.svg, the README's picture: `python -m scripts.picture`. It is the real run of the demo's document."""

import asyncio
import io
import json
import re
import tempfile
from pathlib import Path

from rich.console import Console

from runwell.bootstrap import open_app
from runwell.cli.asking import show_question
from runwell.cli.carrying import no_run
from runwell.cli.demo import example_file
from runwell.cli.display import Lines
from runwell.cli.following import Follower
from runwell.cli.needs import Family, needs
from runwell.cli.publication import publish
from runwell.cli.rendering import live_tree
from runwell.cli.running import checked
from runwell.ports.runs import StartRequest
from runwell.settings import Settings

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "run.svg"
SHOWN_AFTER_MS = 4_000
"""How long the person in the picture has been thinking."""


async def draw(console: Console) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_app(Settings(data_dir=Path(folder)), mine=no_run) as app:
            version = await publish(checked(str(example_file())), app.publisher, app.definitions)
            run_id = await app.runtime.start(
                StartRequest(version=version, input=json.loads(example_file().with_suffix(".input.json").read_text()))
            )
            state = await Follower(app.runtime, run_id, Lines(console), None).follow()
    console.print(live_tree(console, state, {}, state.created_at + SHOWN_AFTER_MS, ""))
    show_question(console, needs(Family([state]))[0])
    console.print("[a]pprove, [r]eject, [e]dit, [l]ater: ", end="")


def main() -> None:
    console = Console(record=True, width=108, file=io.StringIO(), force_terminal=True, highlight=False, emoji=False, markup=False)
    asyncio.run(draw(console))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    drawn = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="runwell demo"), flags=re.DOTALL)  # no font from elsewhere
    PICTURE.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
