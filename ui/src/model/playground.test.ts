import { expect, test } from "vitest";

import {
  best,
  cutOff,
  draftOf,
  isChanged,
  modelSteps,
  newVariant,
  paramsOf,
  sentOf,
  systemText,
  told,
  WAITING,
  withParam,
} from "./playground";

const LLM = { id: "classify", type: "llm", model: "demo:large", system: "You sort.", prompt: "{{ input }}", params: { temperature: 1 } };

test("steps that ask a model are found, in loops as well", () => {
  const loop = { id: "each", type: "foreach", steps: [{ id: "sum", type: "agent", models: ["a:b"], instructions: "Sum." }] };
  expect(
    modelSteps({ steps: [LLM, { id: "x", type: "transform" }, loop] }).map((step) => [step.id, step.model, step.instructions]),
  ).toEqual([
    ["classify", "demo:large", "You sort."],
    ["sum", "a:b", "Sum."],
  ]);
  expect(modelSteps(null)).toEqual([]);
});

test("only what was written is sent", () => {
  const draft = newVariant([]);
  expect(sentOf(draft, 1, "classify")).toEqual({ name: "Variant B", params: {} });
  expect(sentOf({ ...draft, model: " demo:small ", params: '{"temperature": 0}', version: 2 }, 0, "classify")).toEqual({
    name: "Variant A",
    version: 2,
    step: "classify",
    model: "demo:small",
    params: { temperature: 0 },
  });
  expect([isChanged(draft), isChanged({ ...draft, prompt: "x" })]).toEqual([false, true]);
});

test("parameters are an object of JSON, set one by one", () => {
  expect(paramsOf("[1]").fault).toContain("object");
  expect(paramsOf("{").fault).toContain("not JSON");
  expect(withParam("", "temperature", 0)).toBe('{"temperature":0}');
  expect(withParam('{"temperature":0}', "temperature", undefined)).toBe("");
  expect(withParam("{", "temperature", 1)).toBe("{");
});

test("a suggested variant becomes a draft with its own key", () => {
  expect(draftOf({ name: "version 3", version: 3 }, 7)).toMatchObject({ key: 7, version: 3, model: null });
});

test("instructions take the place of the first system message", () => {
  expect(
    systemText([
      { role: "user", content: "Hi" },
      { role: "system", content: "Sort." },
    ]),
  ).toBe("Sort.");
  expect(systemText([{ role: "system", content: [{ type: "text" }] }])).toBe("");
});

test("messages are folded into outcomes; those of others do not touch them", () => {
  let outcomes = told([WAITING, WAITING], [{ type: "delta", variant: 0, text: "Hel" }]);
  outcomes = told(outcomes, [{ type: "delta", variant: 0, text: "lo" }, { type: "heartbeat" }, { type: "delta", variant: 9, text: "?" }]);
  expect(outcomes).toEqual([{ kind: "writing", text: "Hello" }, WAITING]);
  outcomes = told(outcomes, [
    { type: "done", variant: 0, output: { a: 1 }, cost_usd: "0.2", latency_ms: 5, usage: { output_tokens: 4 } },
    { type: "failed", variant: 1, error: { code: "NO", message: "no key" } },
  ]);
  expect(outcomes[0]).toMatchObject({ kind: "done", text: '{\n  "a": 1\n}', output_tokens: 4 });
  expect(outcomes[1]).toMatchObject({ kind: "failed", code: "NO" });
  expect(cutOff([WAITING])[0]?.kind).toBe("ended");
});

test("the quickest and the cheapest are told only where it differs", () => {
  const done = (ms: number, usd: string) => told([WAITING], [{ type: "done", variant: 0, output: "", cost_usd: usd, latency_ms: ms }])[0]!;
  expect(best([done(5, "0.1"), done(3, "0.1")])).toEqual({ quickest: 1, cheapest: null });
  expect(best([done(5, "0.1")])).toEqual({ quickest: null, cheapest: null });
});
