import { expect, it } from "vitest";

import { compact, money, percent, plural } from "./money";

it.each([
  ["0", "$0"],
  ["0.00001", "<$0.0001"],
  ["0.0042", "$0.0042"],
  ["0.128", "$0.128"],
  ["1.2", "$1.20"],
  ["12345.678", "$12,345.68"],
  [null, "$0"],
])("%s US dollars are %s", (usd, text) => {
  expect(money(usd)).toBe(text);
});

it("tells numbers in few characters", () => {
  expect(compact(999)).toBe("999");
  expect(compact(1234)).toBe("1.2k");
  expect(percent(0.9944)).toBe("99.4%");
  expect(plural(1, "run")).toBe("1 run");
  expect(plural(1200, "run")).toBe("1,200 runs");
});
