import { describe, expect, test } from "vitest";

import { groupSeries, listBehind, outcomes, readFigureChoices, spanOf, stacked, writeFigureChoices } from "./figures";

const SPAN = "begun:>=2026-06-11T17:00:00.000Z begun:<2026-06-12T17:00:00.000Z";

describe("the list behind a number", () => {
  test("has the number's times and what else it says", () => {
    expect(listBehind(`${SPAN} status:failed`)).toEqual({
      q: "status:failed",
      from: "2026-06-11T17:00:00.000Z",
      to: "2026-06-12T17:00:00.000Z",
      workflow: undefined,
    });
    expect(listBehind(SPAN).q).toBeUndefined();
  });

  test("names the workflow where it is known", () => {
    expect(listBehind(`${SPAN} workflow:wf_1 duration:>=0s`, () => "triage")).toMatchObject({ q: "duration:>=0s", workflow: "triage" });
    expect(listBehind(`${SPAN} workflow:wf_1`)).toMatchObject({ q: "workflow:wf_1", workflow: undefined });
  });

  test("is of all time when the number is", () => {
    expect(listBehind("status:running")).toEqual({ q: "status:running", from: "1970-01-01", to: undefined, workflow: undefined });
  });
});

test("choices stand in the address, the usual ones do not", () => {
  expect(writeFigureChoices(readFigureChoices({}))).toEqual({});
  const values = { window: "30d", workflow: "triage", metric: "cost", by: "model", as: "table", per: "day", parted: "yes" };
  expect(writeFigureChoices(readFigureChoices(values))).toEqual(values);
  expect(readFigureChoices({ window: "9y", metric: "x", by: "y" })).toEqual(readFigureChoices({}));
});

test("a span of its own goes before the window", () => {
  expect(spanOf(readFigureChoices({ window: "24h" }))).toEqual({ window: "24h" });
  expect(spanOf(readFigureChoices({ window: "24h", from: "A", to: "B", workflow: "w" }))).toEqual({ from: "A", to: "B", workflow: "w" });
});

describe("series", () => {
  test("of outcomes are four at most, the empty ones left out", () => {
    const buckets: { statuses: Record<string, number> }[] = [
      { statuses: { succeeded: 3, failed: 1, timed_out: 1 } },
      { statuses: { waiting: 2 } },
    ];
    expect(outcomes(buckets).map(({ label, values }) => [label, values])).toEqual([
      ["Succeeded", [3, 0]],
      ["Failed", [2, 0]],
      ["Under way", [0, 2]],
    ]);
  });

  test("of groups are eight, the largest first, and the others are one", () => {
    const groups = Array.from({ length: 10 }, (_, n) => ({ label: `g${n}`, values: [n, n] }));
    const series = groupSeries(groups);
    expect(series.map(({ label }) => label)).toEqual(["g9", "g8", "g7", "g6", "g5", "g4", "g3", "Others"]);
    expect(series.at(-1)?.values).toEqual([3, 3]);
  });

  test("are stacked", () => {
    const at = (values: number[]) => ({ label: "", tone: "blue" as const, values });
    expect(stacked([at([1, 2]), at([3, 0])])).toEqual([
      [1, 2],
      [4, 2],
    ]);
  });
});
