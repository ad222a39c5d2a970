import { expect, it } from "vitest";

import { editsOf, readJson } from "./json-text";

it("reads JSON or says what is wrong with it", () => {
  expect(readJson('{"a": 1}')).toEqual({ value: { a: 1 } });
  expect(readJson("{a: 1}")).toHaveProperty("fault");
  expect(readJson(" ")).toEqual({ fault: "This is empty: write JSON, as null" });
});

it("finds what was edited", () => {
  expect(editsOf({ a: 1, b: [1] }, { a: 2, b: [1], c: 3 })).toEqual({ a: 2, c: 3 });
  expect(editsOf({ a: 1 }, { a: 1 })).toBeNull();
  expect(editsOf(5, { a: 1 })).toEqual({ a: 1 });
  expect(editsOf({ a: 1 }, "x")).toBeNull();
});
