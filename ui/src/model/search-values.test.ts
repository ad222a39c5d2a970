import { expect, it } from "vitest";

import { firstOf, listOf, readSearch, writeSearch } from "./search-values";

it("comes back as it was written", () => {
  const values = { q: 'status:failed "a & b" input.x:>1', status: ["failed", "timed_out"], from: "-7d" };
  expect(readSearch(writeSearch(values))).toEqual(values);
});

it("leaves out what is empty, and stays readable", () => {
  expect(writeSearch({ q: "", status: [], from: undefined })).toBe("");
  expect(writeSearch({ q: "status:failed" })).toBe("?q=status:failed");
});

it("takes one value as a list and a list as one value", () => {
  expect(listOf("a")).toEqual(["a"]);
  expect(listOf(undefined)).toEqual([]);
  expect(firstOf(["a", "b"])).toBe("a");
});
