"""What every run store promises of the fields that its runs have. A test class inherits this as it does `RunStoreContract`."""

from tests.contract.run_samples import OURS, START, THEIRS, full, record
from tests.contract.run_store_contract import ALL, Opened, run

from runwell.ports.run_store import RunsAsked
from runwell.search.parser import parse
from runwell.search.paths import segment


class RunStoreFieldsContract:
    def test_fields_that_runs_have(self, opened: Opened) -> None:
        async def main() -> None:
            given = [
                record(1, input={"lang": "de", "n": 1, "ok": True, "items": [{"name": "a"}], "at": "2026-01-02"}, metadata={"env": "prod"}),
                record(2, input={"lang": "en", "n": 2.5}, output={"long": "x" * 100}),
                record(3, input={"lang": "de"}),
                record(-9_000, input={"long_ago": 1}),
            ]
            async with opened() as store:
                await store.keep(given, 1)
                found = {field.name: field for field in await store.fields(ALL, START)}
            types = {name: field.types for name, field in found.items()}
            assert (
                types.items()
                >= {
                    "input.lang": ("string",),
                    "input.ok": ("boolean",),
                    "input.items": ("array_length",),
                    "input.items[].name": ("string",),
                    "output.long": ("string",),
                    "metadata.env": ("string",),
                }.items()
            )
            assert "number" in types["input.n"]
            assert found["input.lang"].values == ("de", "en")
            assert "input.long_ago" not in found

        run(main())

    def test_names_can_be_asked_about_whatever_the_keys(self, opened: Opened) -> None:
        async def main() -> None:
            keys = ["", "a b", "a.b", '"', "\\", "=", "!x", "[]", "\n", "é", "length"]
            async with opened() as store:
                await store.keep([record(1, input=dict.fromkeys(keys, "v"))], 1)
                found = {field.name for field in await store.fields(RunsAsked(scope=OURS), START)}
                for name in (f"input.{segment(key)}" for key in keys):
                    assert name in found
                    assert (await store.counts(RunsAsked(scope=OURS, query=parse(f"{name}:v", START)))).count == 1, name

        run(main())

    def test_values_of_numbers_find_the_runs_that_they_are_of(self, opened: Opened) -> None:
        async def main() -> None:
            numbers = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53, 123456789.123456789, -2.0, 1e16, 1e-7]
            async with opened() as store:
                await store.keep([record(at, input={"n": number}) for at, number in enumerate(numbers)], 1)
                found = {field.name: field for field in await store.fields(RunsAsked(scope=OURS), START)}
                for value in found["input.n"].values:
                    asked = RunsAsked(scope=OURS, query=parse(f"input.n:={value}", START))
                    assert (await store.counts(asked)).count == 1, value
            assert {float(value) for value in found["input.n"].values} == set(numbers)
            assert {"-2", "0.1"} & set(found["input.n"].values) == {"-2"}

        run(main())

    def test_a_place_has_every_type_that_was_seen_there(self, opened: Opened) -> None:
        async def main() -> None:
            values = [True, "true", "x", 2, 2.5, ["a"], {"length": 3}, "", None]
            async with opened() as store:
                await store.keep([record(at, input={"mixed": value, "ok": False}, output=["y"]) for at, value in enumerate(values)], 1)
                found = {field.name: field for field in await store.fields(RunsAsked(scope=OURS), START)}
            assert {"array_length", "boolean", "string"} <= set(found["input.mixed"].types)
            assert {"number", "integer"} & set(found["input.mixed"].types)
            assert {"true", "x", "2", "2.5"} == set(found["input.mixed"].values)
            assert (found["input.ok"].types, found["input.ok"].values) == (("boolean",), ("false",))
            assert found["input.mixed.length"].types == ("integer",)
            assert "3" in found["input.mixed.length"].values
            assert (found["output"].types, found["output[]"].values) == (("array_length",), ("y",))

        run(main())

    def test_values_of_all_types_are_suggested_by_how_often_they_are(self, opened: Opened) -> None:
        async def main() -> None:
            values = [*(f"text {n}" for n in range(9)), *[7] * 3, *["often"] * 2]
            async with opened() as store:
                await store.keep([record(at, input={"mixed": value}) for at, value in enumerate(values)], 1)
                found = {field.name: field for field in await store.fields(RunsAsked(scope=OURS), START)}
            assert found["input.mixed"].values[:2] == ("7", "often")

        run(main())

    def test_what_has_few_values_is_suggested(self, opened: Opened) -> None:
        async def main() -> None:
            given = [
                full(tags=("beta", "vip"), created_at=START + 1, version=12),
                record(2, workflow_slug="refunds", tags=("beta",), environment="staging"),
                record(3, THEIRS, workflow_slug="theirs", tags=("theirs",)),
                record(-9_000, workflow_slug="long-ago"),
            ]
            async with opened() as store:
                await store.keep(given, 1)
                found = {field.name: field for field in await store.fields(RunsAsked(scope=OURS), START)}
            values = {name: set(field.values) for name, field in found.items() if not name.startswith(("input", "output", "metadata"))}
            assert values == {
                "workflow": {"triage", "refunds"},
                "version": {"3", "12"},
                "model": {"gpt-5-mini", "gpt-5"},
                "provider": {"openai"},
                "trigger": {"schedule", "api"},
                "environment": {"testing", "staging"},
                "tag": {"beta", "vip"},
                "step_type": {"llm", "http"},
                "failed_step": {"refund"},
                "failure_code": {"HTTP_FAILED"},
                "step.classify.status": {"succeeded"},
                "step.refund.status": {"failed"},
            }
            assert found["tag"].values[0] == "beta"
            assert found["version"].types == ("integer",)

        run(main())
