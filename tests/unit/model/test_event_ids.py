"""An event's id and its record."""

import msgspec

from runwell.model.events import Event, Log, decode_event, encode_event

EVENT = Event(12, "run_" + "ab" * 16, "log", 1_792_000_000_000, None, None, None, Log(message="hello"))


def test_an_events_id_is_its_place() -> None:
    assert EVENT.id == f"evt_{'ab' * 16}_12"
    assert decode_event(encode_event(EVENT)).id == EVENT.id


def test_the_record_holds_no_id() -> None:
    assert set(msgspec.json.decode(encode_event(EVENT))) == {"seq", "run_id", "type", "ts", "step_id", "attempt", "actor", "data", "v"}
