"""Whole records, one JSON object a line. `runwell.query.exports.json_lines.read_record` reads them again."""

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.run_record import RunRecord

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RunRecord)


class JsonLines:
    media_type = "application/x-ndjson"
    extension = "jsonl"

    def begin(self) -> bytes:
        return b""

    def add(self, record: RunRecord) -> bytes:
        return _encoder.encode(record) + b"\n"

    def end(self) -> bytes:
        return b""


def read_record(line: bytes) -> RunRecord:
    """Return the record of a line. Raises `InvalidInput`."""
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as exc:
        raise InvalidInput(f"this is no exported run: {exc}", hint="is the server's Runwell as new as this one?") from exc
