import { expect, test } from "vitest";

import { draftsOf, editableOf, fieldsOf, keyOf, leavesOf, readEdit } from "./task-form";

const PROPOSED = { amount: 89, to: "Ada", urgent: false, notes: ["a"], address: { city: "Lyon" } };

test("without a schema all that was proposed may be changed, each as what it is", () => {
  const fields = fieldsOf(editableOf(PROPOSED, null), null);
  expect(fields.map((field) => [field.label, field.kind])).toEqual([
    ["amount", "number"],
    ["to", "text"],
    ["urgent", "truth"],
    ["notes", "json"],
    ["address / city", "text"],
  ]);
});

test("a schema says what may be changed: an agent's call has its arguments", () => {
  const args = { type: "object", required: ["amount"], properties: { amount: { type: "integer" }, why: { enum: ["late", "wet"] } } };
  const schema = { type: "object", properties: { args: { type: "object", allOf: [args] } } };
  const payload = { tool: "python:refund", args: { amount: 30 } };
  const value = editableOf(payload, schema);
  expect(value).toEqual({ args: { amount: 30 } });
  const fields = fieldsOf(value, schema);
  expect(fields.map((field) => [field.label, field.kind, field.required])).toEqual([
    ["args / amount", "number", true],
    ["args / why", "choice", false],
  ]);
  const drafts = { ...draftsOf(fields, value), [keyOf(fields[0]!)]: "12.5" };
  expect(readEdit(fields, drafts, value).faults).toEqual({ [keyOf(fields[0]!)]: "This must be a whole number." });
  expect(readEdit(fields, { ...drafts, [keyOf(fields[0]!)]: "12" }, value).result).toEqual({ args: { amount: 12 } });
});

test("what was not touched is no edit", () => {
  const fields = fieldsOf(PROPOSED, null);
  expect(readEdit(fields, draftsOf(fields, PROPOSED), PROPOSED)).toEqual({ result: null, faults: {} });
});

test("faults are told by field, and JSON is read", () => {
  const fields = fieldsOf(PROPOSED, null);
  const key = (label: string) => keyOf(fields.find((field) => field.label === label)!);
  const drafts = draftsOf(fields, PROPOSED);
  expect(readEdit(fields, { ...drafts, [key("notes")]: "[1" }, PROPOSED).faults).toEqual({ [key("notes")]: "This is not JSON." });
  expect(readEdit(fields, { ...drafts, [key("amount")]: "many" }, PROPOSED).faults).toEqual({ [key("amount")]: "This is no number." });
  const edit = readEdit(fields, { ...drafts, [key("notes")]: "[]", [key("urgent")]: true, [key("address / city")]: "Nice" }, PROPOSED);
  expect(edit.result).toEqual({ ...PROPOSED, notes: [], urgent: true, address: { city: "Nice" } });
});

test("a payload that is no object cannot be edited", () => {
  expect(editableOf("text", null)).toEqual({});
});

test("a small payload is told as its values, a large one or one with lists is not", () => {
  expect(leavesOf({ tool: "refund", args: { amount: 30, why: null } }, 8)).toEqual([
    ["tool", "refund"],
    ["args / amount", 30],
    ["args / why", null],
  ]);
  expect(leavesOf(PROPOSED, 8)).toBeNull();
  expect(leavesOf({ a: 1, b: 2 }, 1)).toBeNull();
  expect(leavesOf("text", 8)).toBeNull();
  expect(leavesOf({}, 8)).toBeNull();
});
