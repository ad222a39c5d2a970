"""What a person sees while a run goes on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from runwell.cli.needs import Family
from runwell.cli.rendering import live_tree
from runwell.model.events import Event
from runwell.model.text_delta import Delta

_KEPT_CHARACTERS: Final = 2_000


class Display(Protocol):
    is_live: bool
    """Whether it wants to be shown how the runs stand, again and again."""

    def show(self, found: Family) -> None:
        """Show how the runs stand."""
        ...

    def hear(self, item: Event | Delta) -> None:
        """Take note of what a model writes."""
        ...

    def say(self, text: str) -> None:
        """Tell the person something."""
        ...

    def suspend(self) -> None:
        """Leave the screen to a question, until `show` is called again."""
        ...


class Lines:
    """Shows nothing but what is said, for logs and pipes."""

    is_live = False

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, found: Family) -> None: ...

    def hear(self, item: Event | Delta) -> None: ...

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def suspend(self) -> None: ...


class LiveTree:
    """The run's steps, drawn anew in place. What is left on the screen when it is suspended stays."""

    is_live = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._speaker: tuple[str, str] | None = None
        self._said = ""

    @contextmanager
    def drawn(self) -> Iterator["LiveTree"]:
        """Draw for as long as the context lasts; then the drawing is gone."""
        try:
            yield self
        finally:
            if self._live is not None:
                self._live.stop()

    def show(self, found: Family) -> None:
        picture = live_tree(self._console, found.states[0], found.children, int(time.time() * 1000), self._said)
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
            self._live.start()
        self._live.update(picture, refresh=True)

    def hear(self, item: Event | Delta) -> None:
        speaker = (item.run_id, item.step_id or "")
        if isinstance(item, Delta):
            before = self._said if speaker == self._speaker else ""
            self._speaker, self._said = speaker, (before + item.text)[-_KEPT_CHARACTERS:]
        elif speaker == self._speaker and item.type.startswith("step_"):
            self._speaker, self._said = None, ""

    def say(self, text: str) -> None:
        self._console.print(Text(text, "bold"))

    def suspend(self) -> None:
        if self._live is not None:
            self._live.transient = False
            self._live.stop()
            self._live = None
