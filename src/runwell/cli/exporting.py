"""`runwell runs export`: what a search finds, into a file.

Beside the file lies another while it is made, `FILE.export`: how far it is. `--resume` goes on from there; without it the export begins
anew. A Parquet file is of use only when it is whole, so its runs are gathered as JSON lines first.
"""

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from runwell.bootstrap import open_projection
from runwell.cli.console import print_json, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.model.errors import InvalidInput
from runwell.model.run_search import RunFilters
from runwell.model.scope import DEFAULT_SCOPE
from runwell.query.exports.fine_tuning import FineTuning, conversation_mark
from runwell.query.exports.formats import FORMATS, Shape, named, writer_for
from runwell.query.exports.json_lines import read_record
from runwell.query.exports.writer import CHUNK_BYTES, Writer
from runwell.query.run_export import ExportAsked, RunExporter
from runwell.query.run_search import RunIndex
from runwell.sdk.client import AsyncClient

PART: Final = 1_000
"""Runs between two notes of how far it is."""

_LINES: Final = Shape()


class ExportWanted(msgspec.Struct, frozen=True, kw_only=True):
    query: str
    shape: Shape
    output: Path
    resume: bool = False


def wanted(query: str, output: Path, format: str, columns: Sequence[str], split: float | None, *, resume: bool) -> ExportWanted:
    """Return what is wanted. Raises `InvalidInput` for a format that there is not."""
    found = next((name for name in FORMATS if name == format), None)
    if found is None:
        raise InvalidInput(f"{format!r} is no format", hint=f"use {', '.join(FORMATS)}")
    return ExportWanted(query=query, shape=Shape(format=found, columns=named(columns), split=split), output=output, resume=resume)


class Progress(msgspec.Struct, kw_only=True):
    """How far an export is: `sizes` of its files, and where it goes on; `cursor` None at its beginning."""

    query: str
    shape: Shape
    cursor: str | None = None
    sizes: dict[str, int] = {}
    runs: int = 0


class Source(Protocol):
    async def part(self, query: str, cursor: str | None) -> tuple[bytes, str | None]:
        """Return the next runs as JSON lines, and where to go on; None at the end."""
        ...


class _Local:
    def __init__(self, exporter: RunExporter) -> None:
        self._exporter = exporter

    async def part(self, query: str, cursor: str | None) -> tuple[bytes, str | None]:
        asked = ExportAsked(filters=RunFilters(q=query), shape=_LINES, cursor=cursor, now=int(time.time() * 1000))
        return await self._exporter.part(asked, PART)


class _Remote:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def part(self, query: str, cursor: str | None) -> tuple[bytes, str | None]:
        found = await self._client.runs.export(q=query, limit=PART, cursor=cursor)
        return found.content, found.next_cursor


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[Source]:
    if options.server is not None:
        async with AsyncClient(options.server, options.api_key()) as client:
            yield _Remote(client)
        return
    async with open_projection(options.settings()) as projector:
        await projector.complete()
        yield _Local(RunExporter(RunIndex(projector.store, projector), None, DEFAULT_SCOPE))


async def export_runs(options: Options, wanted: ExportWanted, output: Format) -> Exit:
    writer_for(wanted.shape)
    progress = _progress(wanted)
    seen = _seen(_files(wanted)) if wanted.shape.format == "openai-finetune" else set[int]()
    async with _open(options) as source:
        while True:
            try:
                content, following = await source.part(progress.query, progress.cursor)
            except InvalidInput:
                if not wanted.resume and progress.cursor is None:
                    _forget(wanted)
                raise
            _add(wanted, progress, content, seen)
            if following is None:
                break
            progress.cursor = following
            _note(wanted, progress)
    files = _finish(wanted, progress)
    if output is Format.JSON:
        print_json({"runs": progress.runs, "files": [str(file) for file in files]})
    else:
        stdout().print(f"{progress.runs} runs: {', '.join(map(str, files))}", soft_wrap=True, markup=False, highlight=False)
    return Exit.SUCCEEDED


def _progress(wanted: ExportWanted) -> Progress:
    """Return how far the export is; its files are cut to that. Raises `InvalidInput` when there is nothing to resume."""
    note = _note_of(wanted)
    if not wanted.resume:
        if wanted.output.exists():
            raise InvalidInput(f"{str(wanted.output)!r} is there already", hint="give another --output, or remove it")
        progress = Progress(query=wanted.query, shape=wanted.shape)
        for file in _files(wanted):
            file.write_bytes(b"" if _gathered(wanted) else writer_for(wanted.shape).begin())
            progress.sizes[file.name] = file.stat().st_size
        _note(wanted, progress)
        return progress
    try:
        progress = msgspec.json.decode(note.read_bytes(), type=Progress)
    except (OSError, msgspec.MsgspecError) as exc:
        raise InvalidInput(f"there is no export into {str(wanted.output)!r} to go on with", hint="leave --resume out") from exc
    if (progress.query, progress.shape) != (wanted.query, wanted.shape):
        raise InvalidInput(
            "the export that was begun is of another search or format", hint="give what was given then, or leave --resume out"
        )
    for file in _files(wanted):
        os.truncate(file, progress.sizes[file.name])
    return progress


def _gathered(wanted: ExportWanted) -> bool:
    return wanted.shape.format == "parquet"


def _forget(wanted: ExportWanted) -> None:
    """Remove what was begun for a search that there is not."""
    for file in (*_files(wanted), _note_of(wanted)):
        file.unlink(missing_ok=True)


def _files(wanted: ExportWanted) -> list[Path]:
    """Return the files that grow."""
    if _gathered(wanted):
        return [wanted.output.with_name(f"{wanted.output.name}.runs")]
    if wanted.shape.split is None:
        return [wanted.output]
    return [wanted.output.with_name(f"{wanted.output.stem}.{side}{wanted.output.suffix}") for side in ("train", "validation")]


def _add(wanted: ExportWanted, progress: Progress, content: bytes, seen: set[int]) -> None:
    """Append the part's runs to the files. `seen`: the conversations that these have, by their marks."""
    lines = content.splitlines()
    files = _files(wanted)
    if wanted.shape.format == "openai-finetune":
        tuning = FineTuning(wanted.shape.split, seen=seen)
        sides = [(side, line) for text in lines for side, line in tuning.lines(read_record(text))]
        pieces = [
            b"".join(line for side, line in sides if index == (side == "validation" and len(files) > 1)) for index in range(len(files))
        ]
    elif _gathered(wanted):
        pieces = [content]
    else:
        writer = writer_for(wanted.shape)
        pieces = [b"".join(writer.add(read_record(line)) for line in lines)]
    for file, piece in zip(files, pieces, strict=True):
        with file.open("ab") as out:
            out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        progress.sizes[file.name] = file.stat().st_size
    progress.runs += len(lines)


def _seen(files: list[Path]) -> set[int]:
    """Return the conversations that the files have."""
    return {conversation_mark(_messages(line)) for file in files for line in file.open("rb")}


def _messages(line: bytes) -> Any:
    return msgspec.json.decode(line)["messages"]


def _note_of(wanted: ExportWanted) -> Path:
    return wanted.output.with_name(f"{wanted.output.name}.export")


def _note(wanted: ExportWanted, progress: Progress) -> None:
    note = _note_of(wanted)
    fresh = note.with_name(f"{note.name}.new")
    fresh.write_bytes(msgspec.json.encode(progress))
    fresh.replace(note)


def _finish(wanted: ExportWanted, progress: Progress) -> list[Path]:
    """Make the file whole and return the files."""
    files = _files(wanted)
    if _gathered(wanted):
        _convert(files[0], wanted.output, writer_for(wanted.shape))
        files[0].unlink()
        files = [wanted.output]
    _note_of(wanted).unlink(missing_ok=True)
    return files


def _convert(lines: Path, output: Path, writer: Writer) -> None:
    with lines.open("rb") as given, output.open("wb", CHUNK_BYTES) as out:
        out.write(writer.begin())
        for line in given:
            out.write(writer.add(read_record(line)))
        out.write(writer.end())
