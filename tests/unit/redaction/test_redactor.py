"""What is taken out of data, and what is left alone."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from runwell.adapters.linear_patterns import linear_pattern
from runwell.model.errors import ErrorInfo, InvalidInput
from runwell.model.event_redaction import CONTENT, RedactedEvents
from runwell.model.events import EVENT_TYPES, EventData, GenerationCompleted, RunCreated, StepFailed
from runwell.model.raw_body import REDACTED, RawBody, withheld
from runwell.model.redaction import Kind, PatternRule, Redaction
from runwell.model.redactor import Redactor
from runwell.model.sensitive_text import KINDS


def redactor(*paths: str, kinds: tuple[Kind, ...] = (), **patterns: str) -> Redactor:
    named = tuple(PatternRule(name=name, pattern=pattern) for name, pattern in patterns.items())
    return Redactor(Redaction(paths=paths, kinds=kinds, patterns=named), linear_pattern)


ALL = redactor("*.password", "input.card.number", kinds=tuple(KINDS), customer=r"K-\d{8}")


@pytest.mark.parametrize(
    ("path", "root", "value", "kept"),
    [
        ("input.card.number", "input", {"card": {"number": 1, "name": "x"}}, {"card": {"number": "[redacted:number]", "name": "x"}}),
        ("input.card.number", "output", {"card": {"number": 1}}, {"card": {"number": 1}}),
        ("input.card.number", "input", {"a": {"card": {"number": 1}}}, {"a": {"card": {"number": 1}}}),
        ("input.Card", "input", {"cARD": [1, {"x": 2}]}, {"cARD": "[redacted:card]"}),
        ("output.*.iban", "output", {"a": {"iban": "x"}, "iban": "y"}, {"a": {"iban": "[redacted:iban]"}, "iban": "y"}),
        ("output.*.iban", "output", [{"iban": "x"}], [{"iban": "[redacted:iban]"}]),
        ("input.people[].name", "input", {"people": [{"name": "x"}, {"age": 2}]}, {"people": [{"name": "[redacted:name]"}, {"age": 2}]}),
        ("*.password", "metadata", {"password": "x"}, {"password": "[redacted:password]"}),
        ("*.password", "input", [[{"a": [{"Password": {"x": 1}}]}]], [[{"a": [{"Password": "[redacted:password]"}]}]]),
        ("*.a.b", "input", {"a": {"a": {"b": 1}}}, {"a": {"a": {"b": "[redacted:b]"}}}),
        ('input."card.number"', "input", {"card.number": 1}, {"card.number": "[redacted:card_number]"}),
        ("*.password", "input", {"password": None}, {"password": None}),
        ("*.password", "input", {"password": False}, {"password": "[redacted:password]"}),
        ("*.password", "input", "password", "password"),
    ],
)
def test_values_at_paths(path: str, root: Any, value: Any, kept: Any) -> None:
    assert redactor(path).data(value, root) == kept
    assert redactor(path).data(kept, root) == kept


def test_text_that_is_json_is_looked_into() -> None:
    rules = redactor("*.password", "output.iban")
    assert json.loads(rules.data('{"user": {"password": "hunter2"}}')) == {"user": {"password": "[redacted:password]"}}
    assert json.loads(rules.data('\n{"iban": "x"}', "output")) == {"iban": "[redacted:iban]"}
    inner = json.dumps({"a": json.dumps({"password": "hunter2"})})
    assert "hunter2" not in rules.data({"body": inner})["body"]
    for same in ('{"a":  1}', '{"password"', "[1, 2"):
        assert rules.data(same) is same


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("email", "write to Ann.Lee+x@mail.example.com.", "write to [redacted:email]."),
        ("email", "<jörg@exämple.de>,a@b.io", "<[redacted:email]>,[redacted:email]"),
        ("email", "a@b, @home, x@y.1", "a@b, @home, x@y.1"),
        ("credit_card", "4111 1111 1111 1111", "[redacted:credit_card]"),
        ("credit_card", "no. 12 4111-1111-1111-1111 35!", "no. 12 [redacted:credit_card] 35!"),
        ("credit_card", "378282246310005 and 5555555555554444", "[redacted:credit_card] and [redacted:credit_card]"),
        ("credit_card", "4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("credit_card", "1792000000000", "1792000000000"),
        ("credit_card", "x4111111111111111y", "x[redacted:credit_card]y"),
        ("iban", "DE89 3704 0044 0532 0130 00 please", "[redacted:iban] please"),
        ("iban", "gb29nwbk60161331926819", "[redacted:iban]"),
        ("iban", "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
        ("us_ssn", "078-05-1120, 078 05 1120", "[redacted:us_ssn], [redacted:us_ssn]"),
        ("us_ssn", "000-05-1120 666-05-1120 2026-05-1120", "000-05-1120 666-05-1120 2026-05-1120"),
        ("phone", "call +49 (0)30 1234-5678 or 555-867-5309", "call [redacted:phone] or [redacted:phone]"),
        ("phone", "(555) 867-5309", "[redacted:phone]"),
        ("phone", "2026-11-21 12:30:45, 1+1234567, v1.234.567.8901", "2026-11-21 12:30:45, 1+1234567, v1.234.567.8901"),
    ],
)
def test_kinds(kind: Kind, text: str, kept: str) -> None:
    rules = redactor(kinds=(kind,))
    assert rules.text(text) == kept
    assert rules.text(kept) == kept


def test_numbers_and_keys_are_looked_at_too() -> None:
    value = {"4111111111111111": 1, "n": 4111111111111111, "f": 4111111111111111.0, "few": 41, "a@b.io": 1, "c@d.io": 2}
    assert ALL.data(value) == {
        "[redacted:credit_card]": 1,
        "n": "[redacted:credit_card]",
        "f": "[redacted:credit_card]",
        "few": 41,
        "[redacted:email]": 1,
        "[redacted:email]'": 2,
    }


def test_patterns_are_replaced_and_never_within_a_mark() -> None:
    rules = redactor(word=r"[a-z]+", back=r"\d")
    assert rules.text("ab 1") == "[redacted:word] [redacted:back]"
    assert rules.text(rules.text("ab 1")) == "[redacted:word] [redacted:back]"
    assert rules.text("[redacted:none]") == "[[redacted:word]:[redacted:word]]"
    assert ALL.text("customer K-12345678.") == "customer [redacted:customer]."


@pytest.mark.parametrize("pattern", ["a*", "", "(", "(?=x)y", r"(a)\1", "x" * 501, "^", "\ud800"])
def test_patterns_that_cannot_be_followed(pattern: str) -> None:
    with pytest.raises(InvalidInput):
        redactor(p=pattern)


@pytest.mark.parametrize("path", ["", "input", "*", "nowhere.a", "input.*", "*.*", "input..a", "input.", 'input."a', "input.a]", "a" * 9])
def test_paths_that_cannot_be_followed(path: str) -> None:
    with pytest.raises(InvalidInput):
        redactor(path)


def test_nothing_takes_long() -> None:
    rules = redactor("*.a", kinds=tuple(KINDS), evil=r"(a+)+$|(x|xx)+y")
    began = time.perf_counter()
    for piece in ("a", "1", "1 ", "DE89 ", "a@", "@a.", "+1 ", "x", "1-", "a.", "[redacted:email]", '{"a":'):
        rules.text(piece * (100_000 // len(piece)) + "!")
    assert time.perf_counter() - began < 10


def test_what_is_clean_is_the_very_same() -> None:
    value = {"a": [1, 2.5, None, True, "text"], "b": {"c": "d"}}
    assert ALL.data(value, "input") is value
    deep: Any = "4111111111111111"
    for _ in range(100):
        deep = [deep]
    assert "4111" not in json.dumps(ALL.data(deep))


JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | some.text()
    | some.sampled_from(["a@b.io", "K-12345678"]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text() | some.just("password"), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_doing_it_twice_does_what_doing_it_once_does(value: Any) -> None:
    once = ALL.data(value, "input")
    assert ALL.data(once, "input") == once
    assert "a@b.io" not in json.dumps(once, ensure_ascii=False)


# Events

NOT_CONTENT = {
    "RunCreated": {
        *("org_id", "project_id", "workflow_id", "workflow_slug", "workflow_name", "version", "version_hash", "kind", "trigger"),
        *("environment", "source_run_id", "parent_run_id", "parent_step_id", "root_run_id", "depth"),
        *("use_cache", "cache_key"),
    },
    "TaskCreated": {"task_id", "task_type", "assignees", "expires_at", "result_schema"},
    "TaskCompleted": {"task_id", "approved", "by", "expired"},
    "GenerationCompleted": {
        *("provider", "model", "response_model", "ok", "usage", "latency_ms", "first_token_ms", "finish_reason"),
        *("error_class", "model_index", "key", "price_snapshot"),
    },
    "StepStarted": {"step_type", "deadline"},
    "StepCompleted": {"skipped", "reason", "caused_by", "reused_from", "cache", "kept"},
    "StepFailed": {"handled", "caused_by"},
    "StepRetrying": {"retry_at", "reason", "suspect"},
    "StepWaiting": {"waiting_for", "wake_at", "message", "task_id", "child_run_id", "key", "workflow", "version"},
    "MessageReceived": {"name", "message_id"},
    "Log": {"level", "stream"},
    "SpanRecorded": {"trace_id", "span_id", "parent_span_id", "kind", "step_type", "start", "end", "scope"},
    "CommentAdded": {"comment_id"},
    "RunReviewed": {"review", "score", "by_end_user"},
    "RunEvaluated": {"evaluation_run_id", "evaluator_id", "evaluator", "workflow_id", "version", "turn", "score", "review"},
    "RunFailed": {"failed_step"},
    "RunLimitExceeded": {"which", "failed_step"},
    "RunInternalError": {"failed_step"},
    "RunDraining": {"reason", "until", "failed_step"},
    "RunWaiting": {"waiting_for", "steps"},
    "RunStopRequested": {"mode", "drain_timeout_s"},
    "RunServedFromCache": {"source_run_id", "saved_nanos", "saved_ms"},
    "StepCancelled": {"caused_by"},
    "StepStopped": {"code"},
    "StepResumed": {"by", "key"},
    "ToolCalled": {"tool", "call_id"},
    "TurnStarted": {"turn", "node"},
    "TurnEnded": {"turn", "node", "path", "again", "ended"},
    "ToolReturned": {"tool", "call_id"},
}


@pytest.mark.parametrize("kind", EVENT_TYPES.values())
def test_of_each_field_of_an_event_it_is_known_whether_it_is_content(kind: type[EventData]) -> None:
    fields = {field.name for field in msgspec.structs.fields(kind)}
    content = set(CONTENT.get(kind, {}))
    rest = NOT_CONTENT.get(kind.__name__, set())
    assert content | rest == fields, "say in event_redaction.CONTENT or here what a new field holds"
    assert not content & rest


def test_events_without_what_must_go() -> None:
    rules = RedactedEvents(ALL)
    names: dict[str, Any] = {
        "org_id": "org",
        "project_id": "p",
        "workflow_id": "w",
        "workflow_slug": "s",
        "workflow_name": "a@b.io",
        "version_hash": "h",
    }
    created = RunCreated(**names, version=1, input={"card": {"number": "x"}}, metadata={"m": "a@b.io"}, tags=("a@b.io", "b"))
    kept = rules.event(created)
    assert (kept.input, kept.metadata) == ({"card": {"number": "[redacted:number]"}}, {"m": "[redacted:email]"})
    assert (kept.tags, kept.workflow_name) == (("[redacted:email]", "b"), "a@b.io")
    error = ErrorInfo(code="HTTP_FAILED", message="for a@b.io", step_id="s", details={"body": '{"password": "x"}'})
    failed = rules.event(StepFailed(error=error, result={"password": "x"}))
    assert failed.error.message == "for [redacted:email]"
    assert failed.error.details == {"body": '{"password":"[redacted:password]"}'}
    assert failed.result == {"password": "[redacted:password]"}
    clean = StepFailed(error=ErrorInfo(code="X", message="y"))
    assert rules.event(clean) is clean


def test_raw_bodies_of_a_model_call() -> None:
    rules = RedactedEvents(redactor("output.iban", kinds=("email",)))
    request = body('{"messages": [{"content": "write to a@b.io"}]}')
    answer = body('{"choices": [{"message": {"content": "{\\"iban\\": \\"DE1\\"}"}}]}')
    stream = body('data: {"delta": "a@"}\n\ndata: {"delta": "b.io"}\n')

    told = rules.event(call(raw_request=request, raw_response=answer, response={"iban": "DE1"}))
    assert told.raw_request == replace(request, text=request.text.replace("a@b.io", "[redacted:email]"))
    assert told.raw_response == withheld(answer, REDACTED)
    told = rules.event(call(raw_response=stream, response="a@b.io"))
    assert told.raw_response == withheld(stream, REDACTED)
    told = rules.event(call(raw_response=stream, tool_calls=[{"name": "send", "args": {"to": "a@b.io"}}]))
    assert told.raw_response == withheld(stream, REDACTED)
    told = rules.event(call(raw_response=body('{"x": "a'), response="clean"))
    assert told.raw_response == withheld(body('{"x": "a'), REDACTED), "paths cannot be followed in it"
    clean = call(raw_request=body('{"a": "b"}'), raw_response=body('{"a": "b"}'), response="clean")
    assert rules.event(clean) is clean


def body(text: str) -> RawBody:
    return RawBody(text=text, bytes=len(text))


def call(**said: Any) -> GenerationCompleted:
    return GenerationCompleted(provider="openai", model="gpt-5-mini", **said)
