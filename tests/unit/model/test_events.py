"""Events as JSON: the journal's record, and the form that everybody outside sees."""

import msgspec

from runwell.model.events import Event, Log, decode_event, encode_event, event_json

EVENT = Event(3, "run_0195", "log", 1_792_000_000_000, "a", 1, None, Log(message="hello"))


def test_the_outer_form_is_the_record_with_an_id() -> None:
    told = msgspec.json.decode(event_json(EVENT))
    assert list(told) == ["seq", "id", "run_id", "type", "ts", "step_id", "attempt", "actor", "data", "v"]
    assert told.pop("id") == EVENT.id == "evt_0195_3"
    assert told == msgspec.json.decode(encode_event(EVENT))


def test_the_outer_form_reads_as_the_event() -> None:
    assert decode_event(event_json(EVENT)) == EVENT
