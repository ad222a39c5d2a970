import { expect, it } from "vitest";

import { isEmpty, isSelected, NONE, select, shareOf, sizeOf, type Selection } from "./selection";

it("selects some", () => {
  const two = select(NONE, ["a", "b"], true);
  expect(isSelected(two, "a")).toBe(true);
  expect(sizeOf(two, undefined)).toBe(2);
  expect(isEmpty(select(two, ["a", "b"], false))).toBe(true);
});

it("selects all that match, but these", () => {
  const all: Selection = { kind: "all", except: new Set() };
  const but = select(all, ["a"], false);
  expect(isSelected(but, "a")).toBe(false);
  expect(isSelected(but, "anything")).toBe(true);
  expect(sizeOf(but, 1_000)).toBe(999);
  expect(sizeOf(but, undefined)).toBeNull();
  expect(sizeOf(select(but, ["a"], true), 1_000)).toBe(1_000);
});

it("knows what the box in the table's head shows", () => {
  expect(shareOf(NONE, ["a"])).toBe("none");
  expect(shareOf(select(NONE, ["a"], true), ["a", "b"])).toBe("some");
  expect(shareOf({ kind: "all", except: new Set() }, ["a", "b"])).toBe("all");
});
