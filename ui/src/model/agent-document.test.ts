import { expect, test } from "vitest";

import { EMPTY_AGENT, readAgent, toolsOf, writeAgent } from "./agent-document";

const SUPPORT = {
  name: "Support",
  tags: ["kept"],
  tools: [{ type: "python", name: "find", description: "Find it.", input_schema: { type: "object" }, requires_approval: true }],
  steps: [
    {
      id: "ask",
      type: "agent",
      model: "demo:a",
      instructions: "Help.",
      tools: ["python:find", "mcp:files/read", "workflow:triage"],
      retry: 1,
    },
  ],
};

test("what is read is written again as it was", () => {
  expect(writeAgent(SUPPORT, readAgent(SUPPORT))).toEqual(SUPPORT);
});

test("what the form does not know stays, what is emptied goes", () => {
  const form = { ...readAgent(SUPPORT), fallbacks: ["demo:b"], instructions: "", rounds: 3, tools: [] };
  const written = writeAgent(SUPPORT, form);
  expect(written["tags"]).toEqual(["kept"]);
  expect(written["steps"]).toEqual([{ id: "ask", type: "agent", models: ["demo:a", "demo:b"], limits: { rounds: 3 }, retry: 1 }]);
  expect(readAgent(written)).toMatchObject({ model: "demo:a", fallbacks: ["demo:b"], rounds: 3 });
});

test("a new agent is one step", () => {
  expect(writeAgent(null, { ...EMPTY_AGENT, name: " New ", model: "demo:a" })).toEqual({
    name: "New",
    steps: [{ id: "agent", type: "agent", model: "demo:a" }],
  });
});

test("tools are told with what the document says of them", () => {
  expect(toolsOf(SUPPORT).map((tool) => [tool.name, tool.kind, tool.from, tool.requiresApproval])).toEqual([
    ["python:find", "declared", "python", true],
    ["mcp:files/read", "mcp", "files", false],
    ["workflow:triage", "workflow", "triage", false],
  ]);
});
