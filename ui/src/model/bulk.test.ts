import { expect, it } from "vitest";

import { runBulk, type Tally } from "./bulk";

async function* pages(...all: number[][]) {
  for (const page of all) yield await Promise.resolve(page);
}

it("does it to each, counts what it leaves alone and what fails, and goes on", async () => {
  const done: number[] = [];
  const tallies: Tally[] = [];
  const last = await runBulk({
    items: pages([1, 2, 3], [4, 5]),
    applies: (item) => item !== 2,
    act: async (item) => {
      await Promise.resolve();
      if (item === 4) throw new Error("no");
      done.push(item);
    },
    of: 5,
    onTally: (tally) => tallies.push(tally),
    stopped: new AbortController().signal,
  });
  expect(done.sort()).toEqual([1, 3, 5]);
  expect(last).toEqual({ done: 3, skipped: 1, failed: 1, of: 5, firstFailure: "no" });
  expect(tallies.at(-1)).toEqual(last);
});

it("stops when it is told to", async () => {
  const stop = new AbortController();
  const last = await runBulk({
    items: pages([1, 2, 3, 4], [5]),
    applies: () => true,
    act: async () => stop.abort(),
    of: null,
    atOnce: 1,
    onTally: () => {},
    stopped: stop.signal,
  });
  expect(last.done).toBe(1);
});

it("tries again what was asked too quickly", async () => {
  let asked = 0;
  const last = await runBulk({
    items: pages([1]),
    applies: () => true,
    act: async () => {
      asked += 1;
      if (asked < 3) throw new Error("too many");
    },
    again: () => 1,
    of: 1,
    onTally: () => {},
    stopped: new AbortController().signal,
  });
  expect([asked, last.done, last.failed]).toEqual([3, 1, 0]);
});
