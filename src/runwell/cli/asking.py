"""Asking people what a run waits for."""

import getpass
from typing import Any, Final, Protocol

import msgspec
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from runwell.cli.complaints import complain
from runwell.cli.formatting import harmless_json, one_line, pretty_json, printable
from runwell.cli.keyboard import Keyboard
from runwell.cli.needs import Need
from runwell.cli.values import read_json, read_object
from runwell.model.commands import Command, CompleteTask, SendMessage
from runwell.model.errors import InvalidInput


class Asker(Protocol):
    async def answer(self, need: Need) -> Command | None:
        """Return what to do about it; None: nothing now. Cancelling it takes the question back."""
        ...

    def end_line(self) -> None:
        """End the line of an open question, so that what is said next begins one of its own."""
        ...


def who() -> str:
    """Return who gives commands here: the name of this user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "cli"


_LATER: Final = "Left for later: the run goes on waiting."


class TerminalAsker:
    """Asks on this process's terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._keyboard = Keyboard()

    def end_line(self) -> None:
        self._keyboard.end_line()

    async def answer(self, need: Need) -> Command | None:
        self._keyboard.discard()
        if need.kind == "message":
            return await self._message(need)
        return await self._decision(need) if need.kind == "approval" else None

    async def _message(self, need: Need) -> Command | None:
        self._console.print(Rule(f"Waiting for the message {need.message!r}", style="yellow", align="left"))
        while text := await self._keyboard.ask("JSON to send, or @file (Enter: not now): "):
            try:
                return SendMessage(actor=who(), name=need.message, body=read_json(text, "the message"))
            except InvalidInput as exc:
                complain(exc)
        self._console.print(_LATER)
        return None

    async def _decision(self, need: Need) -> Command | None:
        show_question(self._console, need)
        while True:
            choice = await self._keyboard.ask("[a]pprove, [r]eject, [e]dit, [l]ater: ")
            match "later" if choice is None else choice.lower():
                case "a" | "approve":
                    return await self._decided(need, approved=True)
                case "r" | "reject":
                    return await self._decided(need, approved=False)
                case "e" | "edit":
                    edits = await self._edits(need)
                    if edits is not None:
                        return await self._decided(need, approved=True, result=edits)
                case "l" | "later":
                    self._console.print(_LATER)
                    return None
                case other:
                    said = f"{one_line(other, 40)!r} is none of these." if other else "Nothing was chosen."
                    self._console.print(f"{said} Type a, r, e or l, then Enter.", style="yellow")

    async def _edits(self, need: Need) -> dict[str, Any] | None:
        """Return the fields to set in the result; None when there are none after all."""
        question = f"What to approve instead, as {_sample_edit(need.editable)} or @file (Enter: back): "
        while text := await self._keyboard.ask(question):
            try:
                return read_object(text, "the edit")
            except InvalidInput as exc:
                complain(exc)
        return None

    async def _decided(self, need: Need, *, approved: bool, result: dict[str, Any] | None = None) -> Command:
        comment = await self._keyboard.ask("Comment (Enter: none): ")
        return CompleteTask(actor=who(), task_id=need.task_id, approved=approved, result=result, comment=comment or None)


def _sample_edit(payload: Any) -> str:
    """Return an edit as one types it: of the first field of what is proposed, where that is short."""
    if isinstance(payload, dict) and payload:
        name, value = next(iter(payload.items()))
        sample = harmless_json(msgspec.json.encode({name: value}))
        if len(sample) <= 40:
            return sample
    return '{"field": "value"}'


def show_question(console: Console, need: Need) -> None:
    """Print what is to be decided."""
    console.print(Rule(Text(one_line(need.title, 200), "bold yellow"), style="yellow", align="left"))
    if need.description:
        console.print(printable(need.description), soft_wrap=True)
    if need.payload is not None:
        console.print(printable(need.payload) if isinstance(need.payload, str) else pretty_json(need.payload), soft_wrap=True)
