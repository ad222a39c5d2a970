import { expect, it } from "vitest";

import { newerThan, updated } from "./run-rows";

const row = (id: string, status = "running") => ({ id, created_at: `2026-01-01T00:00:0${id}Z`, status });

it("changes rows in place and moves none", () => {
  const shown = [row("3"), row("2"), row("1")];
  const now = updated(shown, [row("1", "failed"), row("9")]);
  expect(now.map(({ id, status }) => [id, status])).toEqual([
    ["3", "running"],
    ["2", "running"],
    ["1", "failed"],
  ]);
  expect(now[0]).toBe(shown[0]);
});

it("is the very same list when nothing changed", () => {
  const shown = [row("2"), row("1")];
  expect(updated(shown, [row("2")])).toBe(shown);
});

it("counts what is new, and nothing that has come back from further down", () => {
  expect(newerThan([row("3"), row("2")], [row("5"), row("4"), row("3"), row("1")])).toBe(2);
  expect(newerThan([], [row("1")])).toBe(1);
});
