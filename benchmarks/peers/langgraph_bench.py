"""LangGraph on SQLite: the same workload as Runwell's. Runs in its own environment, prints one JSON object.

Both of its SQLite savers are tried, and the better one counts for each measure. `durability="sync"`
keeps each step before the next begins, which is what Runwell promises too; LangGraph's default,
"async", keeps it while the next one runs and may lose it in a crash: its throughput is told in
`settings`, and does not count. The savers set WAL themselves; SQLite's default for `synchronous` is FULL.
"""

import asyncio
import itertools
import operator
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from benchmarks.measure import (
    Throughput,
    alone,
    alone_async,
    best_of,
    data_directory,
    in_tasks,
    in_threads,
    median_ms,
    median_ms_async,
    print_result,
)
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

Durability = Literal["sync", "async"]
LEVELS_OF_DEFAULT = (1, 16)


class State(TypedDict):
    done: Annotated[int, operator.add]


def step(state: State) -> dict[str, int]:
    return {"done": 1}


async def async_step(state: State) -> dict[str, int]:
    return {"done": 1}


def chain(length: int, saver: BaseCheckpointSaver[Any], node: Any) -> CompiledStateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    names = [f"step_{i}" for i in range(length)]
    for name in names:
        graph.add_node(name, node)
    for before, after in itertools.pairwise([START, *names, END]):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=saver)


def fan(width: int, saver: BaseCheckpointSaver[Any], node: Any) -> CompiledStateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    names = [f"step_{i}" for i in range(width)]
    for name in names:
        graph.add_node(name, node)
        graph.add_edge(START, name)
    graph.add_node("join", node)
    graph.add_edge(names, "join")
    graph.add_edge("join", END)
    return graph.compile(checkpointer=saver)


_threads = itertools.count()


def config() -> RunnableConfig:
    return {"configurable": {"thread_id": f"run-{next(_threads)}"}, "recursion_limit": 200}


def with_threads(directory: Path) -> dict[str, Any]:
    database = sqlite3.connect(directory / "threads.sqlite", check_same_thread=False)
    saver = SqliteSaver(database)
    three, hundred, wide = chain(3, saver, step), chain(100, saver, step), fan(100, saver, step)

    def run(graph: Any = three, durability: Durability = "sync") -> None:
        graph.invoke({"done": 0}, config(), durability=durability)

    found = {
        **alone(run),
        **in_threads(run),
        "chain100_ms": median_ms(lambda: run(hundred)),
        "fan100_ms": median_ms(lambda: run(wide)),
        "async_default": in_threads(lambda: run(durability="async"), LEVELS_OF_DEFAULT),
        "settings": "SqliteSaver, threads",
    }
    database.close()
    return found


async def with_tasks(directory: Path) -> dict[str, Any]:
    async with AsyncSqliteSaver.from_conn_string(str(directory / "tasks.sqlite")) as saver:
        three, hundred, wide = chain(3, saver, async_step), chain(100, saver, async_step), fan(100, saver, async_step)

        async def run(graph: Any = three, durability: Durability = "sync") -> None:
            await graph.ainvoke({"done": 0}, config(), durability=durability)

        return {
            **await alone_async(run),
            **await in_tasks(run),
            "chain100_ms": await median_ms_async(lambda: run(hundred)),
            "fan100_ms": await median_ms_async(lambda: run(wide)),
            "async_default": await in_tasks(lambda: run(durability="async"), LEVELS_OF_DEFAULT),
            "settings": "AsyncSqliteSaver, tasks",
        }


def main() -> None:
    with data_directory() as directory:
        sides = [with_threads(directory), asyncio.run(with_tasks(directory))]
    default: Throughput = max((side["async_default"] for side in sides), key=lambda found: found["runs_per_s"])
    best = best_of(sides)
    best["settings"] += f'; WAL, synchronous=FULL, durability="sync"; with its default "async": {default["runs_per_s"]} runs/s'
    print_result({"peer": "LangGraph", "version": version("langgraph"), **best})


if __name__ == "__main__":
    main()
