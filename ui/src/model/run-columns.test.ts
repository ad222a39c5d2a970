import { expect, it } from "vitest";

import { columnsOf, isField, moved, USUAL_COLUMNS, withColumn } from "./run-columns";

it("shows the usual columns unless others are asked for", () => {
  expect(columnsOf([]).map((column) => column.label)).toEqual([
    "Flow",
    "Status",
    "Started",
    "Duration",
    "Failed step",
    "Trigger",
    "Cost",
    "Tokens",
  ]);
});

it("takes fields of inputs and outputs for columns, and leaves out what it does not know", () => {
  expect(columnsOf(["flow", "input.ticket.lang", "output.items[].name", "nonsense", "flow"]).map((column) => column.id)).toEqual([
    "flow",
    "input.ticket.lang",
    "output.items[].name",
  ]);
  expect(isField("inputs")).toBe(false);
});

it("adds, removes and moves columns; the usual ones are nothing special", () => {
  expect(withColumn([], "tags", true)).toEqual([...USUAL_COLUMNS, "tags"]);
  expect(withColumn([...USUAL_COLUMNS, "tags"], "tags", false)).toEqual([]);
  expect(moved(["flow", "status"], "status", -1)).toEqual(["status", "flow"]);
  expect(moved(["flow", "status"], "flow", -1)).toEqual(["flow", "status"]);
});
