import { expect, test } from "vitest";

import { unifiedLines, wordDiff } from "./text-diff";

test("words that differ are told, the rest is the same", () => {
  expect(wordDiff("Refund the parcel.", "Return the parcel now.")).toEqual([
    { kind: "removed", text: "Refund" },
    { kind: "added", text: "Return" },
    { kind: "same", text: " the parcel" },
    { kind: "added", text: " now" },
    { kind: "same", text: "." },
  ]);
  expect(wordDiff("same", "same")).toEqual([{ kind: "same", text: "same" }]);
  expect(wordDiff("", "")).toEqual([]);
});

test("both sides come back whole, whatever the texts", () => {
  for (const [a, b] of [
    ["a b c d", "b x d e"],
    ["x".repeat(9), ""],
    ["ä ö\n\n1", "ö ä\n2"],
  ] as const) {
    const parts = wordDiff(a, b);
    const side = (left: string) => parts.filter((part) => part.kind !== left).map((part) => part.text);
    expect(side("added").join("")).toBe(a);
    expect(side("removed").join("")).toBe(b);
  }
});

test("very long texts are told as a whole rather than word by word", () => {
  const long = (word: string) => Array.from({ length: 3_000 }, (_, n) => `${word}${n}`).join(" ");
  expect(wordDiff(long("a"), long("b")).length).toBeLessThan(4);
});

test("a unified diff is lines with their kinds", () => {
  expect(unifiedLines("--- 1\n+++ 2\n@@ -1 +1 @@\n a\n-b\n+c\n").map((line) => line.kind)).toEqual(["place", "same", "removed", "added"]);
});
