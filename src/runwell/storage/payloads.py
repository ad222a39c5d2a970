"""Large parts of a journal record, kept outside of it.

A record is an event's JSON. When it is over 64 KiB, the largest fields of its `data` move into the
payload store, the largest first, until what is left fits. The envelope names them:

    {"seq": 3, ..., "data": {}, "refs": {"result": {"payload_ref": "sha256:...", "bytes": 91234}}}

The mark stands in the envelope, never inside `data`: a user's value that looks like a reference is
a value, and no value of a user can make us read a payload.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from runwell.model.errors import InvalidInput

RECORD_LIMIT: Final = 65_536
"""Bytes of a record's JSON above which parts of it move out."""

NOTHING: Final[frozenset[str]] = frozenset()

_MARK: Final = '"refs":{'  # as a key at any depth: within a JSON string its quotes would be escaped
_Fields = dict[str, msgspec.Raw]
_fields = msgspec.json.Decoder(_Fields)


class _Ref(msgspec.Struct, frozen=True):
    payload_ref: str
    bytes: int


_refs = msgspec.json.Decoder(dict[str, _Ref])


def externalize(record: str, put: Callable[[bytes], str]) -> str:
    """Return the record with its large fields put away, at most `RECORD_LIMIT` bytes unless its envelope alone is more."""
    if len(record) * 4 <= RECORD_LIMIT or len(record.encode()) <= RECORD_LIMIT:
        return record
    fields = _fields.decode(record)
    data = _fields.decode(fields["data"])
    refs: dict[str, _Ref] = {}
    size = len(record.encode())
    for name in sorted(data, key=lambda field: len(bytes(data[field])), reverse=True):
        if size <= RECORD_LIMIT:
            break
        content = bytes(data.pop(name))
        refs[name] = _Ref(put(content), len(content))
        size = len(_joined(fields, data, refs))
    return _joined(fields, data, refs).decode()


def is_cut(record: str) -> bool:
    """Return whether parts of the record may be elsewhere; certainly not when False."""
    return _MARK in record


def hydrate(record: str, get: Callable[[str], bytes], without: frozenset[str] = NOTHING) -> str | bytes:
    """Return the record as it was before `externalize`; parts of it that are elsewhere and in `without` are left out.

    Raises what `get` raises, and `InvalidInput` for a damaged record.
    """
    if not is_cut(record):
        return record
    try:
        fields = _fields.decode(record)
        if "refs" not in fields:
            return record
        refs = _refs.decode(fields.pop("refs"))
        data = _fields.decode(fields["data"])
    except (msgspec.MsgspecError, KeyError) as exc:
        raise InvalidInput(f"damaged journal record: {exc}") from exc
    for name, ref in refs.items():
        if name in without:
            continue
        data[name] = msgspec.Raw(get(ref.payload_ref))
    return msgspec.json.encode({**fields, "data": data})


def _joined(fields: _Fields, data: _Fields, refs: dict[str, _Ref]) -> bytes:
    return msgspec.json.encode({**fields, "data": data, "refs": refs})
