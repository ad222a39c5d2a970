"""Runs, and turns of conversations, that are evaluated by themselves: as they succeed, as they end.

Each attachment remembers up to which position of the journal its workflow's runs were looked at; what succeeds behind that is
found there, whether this process saw it happen or not. The id of the evaluation run comes of the run and the evaluator, so that a
run that is looked at twice is evaluated once.
"""

import asyncio
from typing import Final

import structlog

from runwell.engine.waits import child_run_id
from runwell.model.errors import RunwellError
from runwell.model.evaluation import EvaluationAsked, Occasion, Turn, is_sampled
from runwell.model.events import Event, TurnEnded, TurnStarted
from runwell.model.run import SET_APART
from runwell.model.text_delta import Delta
from runwell.ports.evaluations import Evaluators, Watched
from runwell.ports.feed import Feed
from runwell.ports.journal import EventFilter, JournalReader, Kept
from runwell.runtime.evaluating import Evaluating

PAGE: Final = 500
REST_S: Final = 0.1
"""What succeeds within so long is looked at together."""

RETRY_S: Final = 5.0

_ENDS: Final[dict[Occasion, str]] = {"run": "run_succeeded", "turn": "turn_ended"}

_log = structlog.get_logger("runwell.evaluation")


class AutomaticEvaluation:
    """`load` what is attached at the start, and whenever that changed; `close` at the end."""

    def __init__(self, journal: JournalReader, evaluators: Evaluators, evaluating: Evaluating, feed: Feed) -> None:
        self._journal, self._evaluators, self._evaluating, self._feed = journal, evaluators, evaluating, feed
        self._following: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._rates: dict[tuple[str, str], float] = {}

    async def load(self) -> None:
        """Raises `JournalUnavailable`."""
        watched = {(one.workflow_id, one.evaluator_id): one for one in await self._evaluators.watched()}
        self._rates = {key: one.sample_rate for key, one in watched.items()}
        for key in self._following.keys() - watched.keys():
            self._following.pop(key).cancel()
        for key in watched.keys() - self._following.keys():
            self._following[key] = asyncio.get_running_loop().create_task(self._follow(watched[key]), name=f"evaluating {key}")

    async def close(self) -> None:
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, one: Watched) -> None:
        woken, position = asyncio.Event(), one.position

        def hear(item: Kept | Delta) -> None:
            if isinstance(item, Kept) and item.event.type == _ENDS[one.on]:
                woken.set()

        unlisten = self._feed.listen(hear, one.workflow_id)
        try:
            while True:
                woken.clear()
                try:
                    position = await self._look(one, position)
                except RunwellError as exc:
                    _log.warning("automatic_evaluation_behind", workflow_id=one.workflow_id, error=exc.message)
                    await asyncio.sleep(RETRY_S)
                    continue
                await woken.wait()
                await asyncio.sleep(REST_S)
        finally:
            unlisten()

    async def _look(self, one: Watched, position: int) -> int:
        """Ask for the evaluation of what succeeded behind the position; return up to where that is done."""
        while page := await self._journal.tail(position, workflow_id=one.workflow_id, limit=PAGE):
            for kept in page:
                if kept.event.type == _ENDS[one.on]:
                    await self._consider(one, kept.event)
            position = page[-1].position
            await self._evaluators.looked_at(one, position)
        return position

    async def _consider(self, one: Watched, end: Event) -> None:
        rate = self._rates.get((one.workflow_id, one.evaluator_id), 0.0)
        if one.on == "turn" and not (end.of(TurnEnded).path or end.of(TurnEnded).output):
            return  # it brought variables, and nobody said anything
        row = await self._journal.row(end.run_id) if is_sampled(one.evaluator_id, end.run_id, rate) else None
        if row is None or row.environment in SET_APART:
            return
        turn = await self._turn(end) if one.on == "turn" else None
        about = f"evaluation/{one.evaluator_id}" + ("" if turn is None else f"/{end.step_id}/{turn.number}")
        made = child_run_id(end.run_id, about, end.ts)
        asked = EvaluationAsked(evaluation_run_id=made, scope=one.scope, run_id=end.run_id, evaluator_id=one.evaluator_id, turn=turn)
        await self._evaluating.evaluate(asked)

    async def _turn(self, end: Event) -> Turn:
        """Return what was said in the turn that ended: by the person, and to them."""
        said = end.of(TurnEnded)
        wanted = EventFilter(types=("turn_started",), step_id=end.step_id)
        [begun] = await self._journal.events(end.run_id, wanted, limit=1, before=end.seq)
        text = "\n\n".join(one["text"] for one in said.output)
        return Turn(number=said.turn, input=begun.of(TurnStarted).message, output=text)
