import { describe, expect, it } from "vitest";

import { asQuery, choose, filtersOf, hasFilters, periodLabel, quoted, readChoices, withoutFilters, writeChoices } from "./run-choices";
import { readSearch, writeSearch } from "./search-values";

const address = "?q=refund&status=failed&status=timed_out&from=-30d&columns=flow,status,input.ticket.lang&rows=100";

describe("choices", () => {
  it("come back from the address as they were", () => {
    expect(writeSearch(writeChoices(readChoices(readSearch(address))))).toBe(address);
  });

  it("leave what is usual out of the address", () => {
    expect(writeSearch(writeChoices(readChoices({})))).toBe("");
    expect(writeSearch(writeChoices(readChoices(readSearch("?rows=50&archived=false&rows=7"))))).toBe("");
  });

  it("begin at the first page when the list becomes another", () => {
    const second = { ...readChoices({}), cursor: "x" };
    expect(choose(second, { status: ["failed"] }).cursor).toBeUndefined();
    expect(choose(second, { columns: ["flow"] }).cursor).toBe("x");
  });

  it("tell the API only what was chosen", () => {
    expect(filtersOf(readChoices({}))).toEqual({});
    expect(filtersOf(readChoices(readSearch(address)))).toEqual({ q: "refund", status: ["failed", "timed_out"], from: "-30d" });
    expect(hasFilters(withoutFilters(readChoices(readSearch(address))))).toBe(false);
  });

  it("are one text for a saved view", () => {
    const choices = { ...readChoices(readSearch(address)), archived: "only" as const, tag: ["two words"] };
    expect(asQuery(choices)).toBe('refund status:failed,timed_out tag:"two words" begun:>=-30d archived:true');
    expect(asQuery({ ...readChoices({}), q: "a OR b", status: ["failed"] })).toBe("(a OR b) status:failed");
  });
});

it.each([
  ["failed", "failed"],
  ["two words", '"two words"'],
  ["empty", '"empty"'],
  ['a"b', '"a\\"b"'],
  ["", '""'],
])("the value %j is written %s", (value, text) => {
  expect(quoted(value)).toBe(text);
});

it("says the period in words", () => {
  expect(periodLabel({}, "UTC")).toBe("Last 7 days");
  expect(periodLabel({ from: "1970-01-01" }, "UTC")).toBe("All time");
  expect(periodLabel({ from: "2026-11-01T00:00:00Z", to: "2026-11-21T00:00:00Z" }, "UTC")).toBe("Nov 1, 2026 to Nov 20, 2026");
  expect(periodLabel({ from: "2026-11-01T12:30:00Z" }, "UTC")).toBe("Since Nov 1, 2026, 12:30");
});
