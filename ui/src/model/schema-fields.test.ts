import { expect, test } from "vitest";

import { fieldsOf, parsedJson, unwritten, usualForm, withField } from "./schema-fields";

const TICKET = {
  type: "object",
  required: ["ticket"],
  properties: {
    ticket: { type: "string", description: "What they wrote" },
    lang: { enum: ["en", "de"] },
    urgent: { type: "boolean" },
    customer: { type: "object", properties: { id: { type: "integer", title: "Number" } } },
    tags: { type: "array", items: { type: "string" } },
  },
};

test("each property is a field of its kind", () => {
  const fields = fieldsOf(TICKET) ?? [];
  expect(fields.map((field) => [field.name, field.kind, field.required])).toEqual([
    ["ticket", "text", true],
    ["lang", "choice", false],
    ["urgent", "boolean", false],
    ["customer", "group", false],
    ["tags", "json", false],
  ]);
  expect(fields[3]?.fields?.[0]).toMatchObject({ label: "Number", kind: "integer" });
});

test("a schema that refers to itself or names no fields is JSON", () => {
  expect(fieldsOf({ $ref: "#/x", properties: {} })).toBeNull();
  expect([usualForm(null), usualForm({ type: "string" }), usualForm({ type: "array" }), usualForm(TICKET)]).toEqual([
    "text",
    "text",
    "json",
    "form",
  ]);
});

test("an empty form is an empty object", () => {
  expect([unwritten(TICKET), unwritten(null)]).toEqual([{}, null]);
});

test("fields keep their order, and may be left out again", () => {
  expect(JSON.stringify(withField({ a: 1, b: 2 }, "a", 3))).toBe('{"a":3,"b":2}');
  expect(withField({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
  expect(withField("text", "a", 1)).toEqual({ a: 1 });
});

test("nothing written is null, what is wrong is told", () => {
  expect(parsedJson("  ")).toEqual({ value: null, fault: null });
  expect(parsedJson("{").fault).toContain("not JSON");
});
