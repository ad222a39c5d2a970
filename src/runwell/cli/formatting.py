"""Times and values as people read them."""

import unicodedata
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec

from runwell.model.statuses import RUN_LABELS, TERMINAL, RunStatus

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(ms: int | None) -> str:
    """Return `832 ms`, `12.4 s`, `2 min 5 s` or `1 d 3 h`: the two largest units; `-` for None."""
    if ms is None:
        return "-"
    if ms < 1_000:
        return f"{max(ms, 0)} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    seconds, parts = round(ms / 1000), list[str]()
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def moment(ms: int | None, zone: tzinfo | None = None) -> str:
    """Return `Jun 12, 2026, 3:23 AM` in the given zone, by default this machine's; `-` for None."""
    if ms is None:
        return "-"
    at = datetime.fromtimestamp(ms / 1000).astimezone(zone)
    return f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M} {at:%p}"


def clock_time(ms: int) -> str:
    """Return `03:23:05` in this machine's zone."""
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%H:%M:%S}"


def banner(status: RunStatus, started_at: int | None, duration_ms: int | None, zone: tzinfo | None = None) -> str:
    """Return the outcome in one line: `Run succeeded - Started: Jun 12, 2026, 3:23 AM, Took: 832 ms`."""
    parts = []
    if started_at is not None:
        parts.append(f"Started: {moment(started_at, zone)}")
    if duration_ms is not None:
        parts.append(f"Took: {duration(duration_ms)}" if status in TERMINAL else f"{duration(duration_ms)} so far")
    outcome = f"Run {RUN_LABELS[status].lower()}"
    return f"{outcome} - {', '.join(parts)}" if parts else outcome


def pretty_json(value: Any) -> str:
    """Return the value as indented JSON that steers no terminal."""
    return harmless_json(msgspec.json.format(msgspec.json.encode(value), indent=2))


def harmless_json(encoded: bytes) -> str:
    """Return the JSON, the same data, with all that could steer a terminal as `\\u` escapes."""
    text = encoded.decode()
    return text.translate({ord(c): _escape(c) for c in _steering(text)})


def printable(text: str) -> str:
    """Return the text with U+FFFD for all that could steer a terminal but line breaks and tabs.

    What models and documents say must neither move the cursor nor turn the order of what stands around it.
    """
    return text.translate(dict.fromkeys(map(ord, _steering(text)), "\ufffd"))


def _steering(text: str) -> set[str]:
    """Return the control, format (bidi among them) and separator characters in the text, but line breaks and tabs."""
    return {c for c in set(text) - {"\n", "\t"} if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}


def _escape(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def one_line(text: str, width: int | None = None) -> str:
    """Return the text on one line of at most `width` characters; the beginning stays."""
    flat = printable(" ".join(text.split()))
    return flat if width is None or len(flat) <= width else flat[: max(width - 1, 0)].rstrip() + "…"


def last_words(text: str, width: int) -> str:
    """Return the end of the text on one line of at most `width` characters."""
    flat = printable(" ".join(text.split()))
    return flat if len(flat) <= width else "…" + flat[-max(width - 1, 0) :].lstrip()
