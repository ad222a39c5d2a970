import { describe, expect, it } from "vitest";

import { accepted, offsetOf, suggestions, writingAt, type SearchField } from "./search-completion";

const FIELDS: SearchField[] = [
  { name: "status", types: ["string"], aliases: ["state"], values: ["failed", "succeeded", "Memory Limit"] },
  { name: "started", types: ["date"], description: "When it started" },
  { name: "input.<path>", types: ["any"] },
  { name: "input.ticket.lang", types: ["string"], values: ["de", "en"] },
];

const at = (marked: string) => {
  const caret = marked.indexOf("|");
  const text = marked.replace("|", "");
  const writing = writingAt(text, caret);
  return { text, writing, names: writing ? suggestions(writing, FIELDS).map((each) => each.text) : [] };
};

describe("completion", () => {
  it.each([
    ["|", ["status", "started", "input.ticket.lang"]],
    ["sta|", ["status", "started"]],
    ["refund -sta|", ["status", "started"]],
    ["(sta|", ["status", "started"]],
    ["stat|e", ["status"]],
    ["lang|", ["input.ticket.lang"]],
    ["status:|", ["failed", "succeeded", "Memory Limit"]],
    ["-state:fa|", ["failed"]],
    ["status:failed,su|", ["succeeded"]],
    ["input.ticket.lang:d|", ["de"]],
    ["started:|", [">-1h", ">-24h", ">-7d", "today", "yesterday"]],
    ['"order is |', []],
    ["unknown:x|", []],
  ])("at %s offers %j", (marked, names) => {
    expect(at(marked).names).toEqual(names);
  });

  it("writes the choice in place of what was typed", () => {
    const { text, writing } = at("refund stat|");
    const chosen = accepted(text, writing!, suggestions(writing!, FIELDS)[0]!);
    expect(chosen).toEqual({ text: "refund status:", caret: 14 });
  });

  it("puts quotes where they are needed, and a space behind a value", () => {
    const { text, writing } = at("status:Mem| late");
    expect(accepted(text, writing!, suggestions(writing!, FIELDS)[0]!)).toEqual({ text: 'status:"Memory Limit" late', caret: 21 });
    const last = at("status:fa|");
    expect(accepted(last.text, last.writing!, suggestions(last.writing!, FIELDS)[0]!).text).toBe("status:failed ");
  });
});

it("counts characters as the server does", () => {
  expect(offsetOf("😀 stauts:x", 2)).toBe(3);
  expect(offsetOf("abc", 9)).toBe(3);
});
