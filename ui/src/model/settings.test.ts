import { expect, test } from "vitest";

import { keptFor, readWhole, ruleFault } from "./settings";

test("a whole number, nothing, or what is wrong", () => {
  expect(readWhole("1,200")).toEqual({ value: 1200 });
  expect(readWhole("  ")).toEqual({ value: null });
  for (const wrong of ["0", "-3", "1.5", "many", "1000001"]) expect(readWhole(wrong).fault).toContain("from 1 to 1,000,000");
});

test("a rule needs something to be about, and days or none", () => {
  expect(ruleFault({ workflow: null, statuses: [], days: "3" })).toContain("Choose");
  expect(ruleFault({ workflow: "a", statuses: [], days: "" })).toBeNull();
  expect(ruleFault({ workflow: null, statuses: ["failed"], days: "x" })).toContain("36,500");
});

test("how long, in words", () => {
  expect([keptFor(null), keptFor(1), keptFor(1000)]).toEqual(["for ever", "1 day", "1,000 days"]);
});
