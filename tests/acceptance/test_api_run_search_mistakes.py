"""Searches that cannot be read, and filters that make no sense: refused with their place and a cure."""

from pathlib import Path
from typing import Any

from tests.acceptance.api_bench import Api, with_api
from tests.acceptance.test_api_run_search import ask, found


def test_a_bad_search_is_refused_with_its_place(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        for query, place, word in [
            ("refund stauts:failed", 7, "stauts"),
            ("status:done", 7, "done"),
            ('tag:x "open', 6, "quot"),
            ("(status:failed", 0, ""),
            ("started:>soon", 9, "soon"),
            ('input.n:>"5"', 9, "has no order"),
            ("input.n:5..1", 11, "ends before it begins"),
            ("review:postive", 7, "review is never"),
            ("late kind:agnet", 10, "kind is never"),
            ("step.x.foo:failed", 0, "step.x.foo"),
        ]:
            for answer, pointer in (
                (await ask(api, "/v1/runs", {"q": query}, 422), "/query/q"),
                (await ask(api, "/v1/runs/export", {"q": query}, 422), "/query/q"),
                (await api.post("/v1/runs/search", {"query": query}, status=422), "/query"),
            ):
                [problem] = answer["errors"]
                assert (answer["code"], problem["pointer"], problem.get("position")) == ("INVALID_QUERY", pointer, place), answer
                assert word in problem["message"].lower()
                assert problem["hint"]
        for params in (
            {"from": "soon"}, {"to": ""}, {"metadata": "x"}, {"metadata": ":x"}, {"archived": "maybe"}, {"status": "done"}, {"tag": ""},
            {"min_duration_ms": -1}, {"min_cost_usd": "NaN"}, {"limit": 0}, {"limit": 201}, {"q": "a\0b"}, {"q": "x" * 4_097},
            {"sort": "cost"},
        ):  # fmt: skip
            await ask(api, "/v1/runs", params, 422)
        refused: list[tuple[dict[str, Any], str, str]] = [
            ({"status": "faild"}, "/status", "did you mean failed?"),
            ({"metadata": "x"}, "/metadata", "key:value"),
            ({"metadata": '"x:y'}, "/metadata", "key:value"),
            ({"from": "soon"}, "/from", "-7d"),
            ({"from": "-1d", "to": "-2d"}, "/to", "turn them round"),
            ({"min_duration_ms": 2, "max_duration_ms": 1}, "/max_duration_ms", "turn them round"),
            ({"min_cost_usd": 0.2, "max_cost_usd": "0.1"}, "/max_cost_usd", "turn them round"),
        ]
        for params, pointer, word in refused:
            [problem] = (await ask(api, "/v1/runs", params, 422))["errors"]
            assert (problem["pointer"], word in problem["hint"]) == (f"/query{pointer}", True), problem
        [problem] = (await api.post("/v1/runs/search", {"status": ["faild"]}, status=422))["errors"]
        assert (problem["pointer"], problem["hint"]) == ("/status", "did you mean failed?")
        assert await found(api, q="é" * 4_096) == []

    with_api(tmp_path, main)


def test_a_bad_condition_is_refused_with_its_place(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        for name, operator, values, place, word in [
            ("stauts", "is", ["x"], "/field_queries/0/field_name", "stauts"),
            ("input.n", "is empty", [1], "/field_queries/0/values", "takes no values"),
            ("input.n", "greater than", ["5"], "/field_queries/0/values/0", "has no order"),
            ("review", "is", ["good"], "/field_queries/0/values/0", "review is never 'good'"),
            ("input.n", "is", [], "/field_queries/0/values", "needs values"),
            ("input.n", "is", [1, None], "/field_queries/0/values/1", "no value"),
            ("input.n", "is", [{"a": [1]}], "/field_queries/0/values/0", "no value"),
        ]:
            told = await api.post(
                "/v1/runs/search", {"field_queries": [{"field_name": name, "operator": operator, "values": values}]}, status=422
            )
            [problem] = told["errors"]
            assert (problem["pointer"], word in problem["message"], bool(problem["hint"])) == (place, True, True), told
        endless = b'{"field_queries": [{"field_name": "input.n", "operator": "is", "values": [1e400]}]}'
        answer = await api.send("POST", "/v1/runs/search", content=endless, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422

    with_api(tmp_path, main)
