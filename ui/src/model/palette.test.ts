import { expect, it } from "vitest";

import { fit, fitting, pastedId } from "./palette";

const HEX = "0195dd7a00007000a000000000000001";

it.each([
  [`run_${HEX}`, { kind: "run", id: `run_${HEX}` }],
  [`  https://runs.example/base/runs/run_${HEX}?tab=graph`, { kind: "run", id: `run_${HEX}` }],
  ["0195dd7a-0000-7000-a000-000000000001", { kind: "run", id: "0195dd7a-0000-7000-a000-000000000001" }],
  [HEX.slice(0, 24), { kind: "run", id: HEX.slice(0, 24) }],
  [`evt_${HEX}_3`, { kind: "run", id: `run_${HEX}` }],
  [`wf_${HEX}`, { kind: "workflow", id: `wf_${HEX}` }],
  ["refund", null],
])("finds the id in %s", (text, pasted) => {
  expect(pastedId(text)).toEqual(pasted);
});

it("ranks what begins with the words before what holds their letters", () => {
  expect(fit("Support triage", "sup")).toBe(0);
  expect(fit("Support triage", "tri")).toBe(1);
  expect(fit("Support triage", "port")).toBe(2);
  expect(fit("Support triage", "sptg")).toBe(3);
  expect(fit("Support triage", "xyz")).toBeNull();
  const offers = ["triage", "a trip", "Tree"].map((label) => ({ id: label, group: "Pages" as const, label }));
  expect(fitting(offers, "tri").map((offer) => offer.label)).toEqual(["triage", "a trip"]);
});
