"""Feedback without an account: a token is good for one run, for a while, and for nothing else."""

import base64
from pathlib import Path
from typing import Any

import msgspec
from tests.acceptance.api_bench import Api, say, with_api

GOOD: dict[str, Any] = {"review": "positive", "score": 0.75, "comment": "It helped"}


async def token_for(api: Api, run_id: str, **body: Any) -> str:
    return str((await api.post(f"/v1/runs/{run_id}/feedback-token", body, status=201))["token"])


async def give(api: Api, token: str, said: dict[str, Any] | None = None) -> int:
    return (await api.send("POST", "/v1/feedback", who="nobody", json={"token": token, **(GOOD if said is None else said)})).status_code


def test_an_end_user_reviews_their_run_once_however_often_they_say_it(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, other = await api.finished(say()), await api.finished(say())
        token = await token_for(api, run_id, subject="customer 7")
        assert [await give(api, token), await give(api, token)] == [204, 204]
        run = await api.get(f"/v1/runs/{run_id}")
        assert (run["review"], run["score"], run["review_comment"]) == ("positive", 0.75, "It helped")
        reviews = [event for event in (await api.get(f"/v1/runs/{run_id}/events"))["data"] if event["type"] == "run_reviewed"]
        assert [(event["actor"], event["data"]["by_end_user"]) for event in reviews] == [("end-user:customer 7", True)]
        assert (await api.get(f"/v1/runs/{other}"))["review"] == ""
        [row] = (await api.get("/v1/runs", q="review:positive score:0.75"))["data"]
        assert (row["id"], row["review_comment"]) == (run_id, "It helped")
        marks = await api.send("PUT", f"/v1/runs/{run_id}/review", json={"review": "negative", "comment": "No, it did not"})
        assert marks.json()["review_comment"] == "No, it did not"
        assert await give(api, token, {"review": "positive"}) == 204
        assert (await api.get(f"/v1/runs/{run_id}"))["review"] == "negative", "a colleague's review goes before an end user's"

    with_api(tmp_path, main)


def test_a_token_that_was_changed_or_made_elsewhere_is_worth_nothing(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, other = await api.finished(say()), await api.finished(say())
        token = await token_for(api, run_id)
        raw = base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4))
        assert run_id.encode() in raw
        forged = raw[:40] + msgspec.msgpack.encode([*msgspec.msgpack.decode(raw[40:])[:2], other, *msgspec.msgpack.decode(raw[40:])[3:]])
        bits = [bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]]) for place in range(len(raw))]
        texts = ["rwf_" + base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in (forged, raw[:-1], raw[:39], b"", *bits[::7])]
        for text in (*texts, token[4:], token + "A", "rwf_é", "x", token.replace("rwf_", "rw_")):
            assert await give(api, text) == 401, text
        for key in (run_id, other):
            assert (await api.get(f"/v1/runs/{key}"))["review"] == ""
        headers = {"Authorization": f"Bearer {token}"}
        for path in ("/v1/runs", f"/v1/runs/{run_id}"):
            assert (await api.send("GET", path, who="nobody", headers=headers)).status_code == 401

    with_api(tmp_path, main)


def test_a_token_ends_with_its_time_and_with_its_run(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        short, long = await token_for(api, run_id, expires_in_s=60), await token_for(api, run_id)
        assert await give(api, short) == 204
        api.move_on(60_000)
        assert await give(api, short) == 401
        assert await give(api, long) == 204
        assert (await api.send("DELETE", "/v1/workflows/say")).status_code == 204
        assert await give(api, long) == 401
        for bad in ({"expires_in_s": 1}, {"expires_in_s": 10**9}, {"subject": "x" * 201}):
            await api.post(f"/v1/runs/{await api.finished(say('more'))}/feedback-token", bad, status=422)

    with_api(tmp_path, main)


def test_feedback_is_limited_and_only_who_may_run_gives_tokens_away(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        token = await token_for(api, run_id)
        answers = [await give(api, token, {"review": ("positive", "negative")[n % 2]}) for n in range(22)]
        assert (answers.count(204), answers[-1]) == (20, 429)
        other = await token_for(api, await api.finished(say()))
        assert await give(api, other) == 204, "another run has its own share"
        assert {await give(api, "rwf_guess") for _ in range(120)} >= {401, 429}
        await api.post(f"/v1/runs/{run_id}/feedback-token", {}, who="viewer", status=403)
        await api.post(f"/v1/runs/{run_id}/feedback-token", {}, who="next door", status=404)
        for bad in ({"review": "great"}, {"score": 1e300}, {"comment": "x" * 10_001}, {"run_id": run_id}):
            assert await give(api, token, bad) == 422

    with_api(tmp_path, main)
