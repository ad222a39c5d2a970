/** An agent's document as a form: what the form does not know stays in the document as it is. */

import { isRecord } from "./schema-fields";

export interface AgentForm {
  name: string;
  description: string;
  model: string;
  /** Asked in this order when the model fails. */
  fallbacks: string[];
  instructions: string;
  params: Record<string, unknown>;
  tools: string[];
  rounds: number | null;
  tokens: number | null;
  cost_usd: number | null;
  timeout_s: number | null;
  input_schema: unknown;
  output_schema: unknown;
  /** The tools that the document itself declares. */
  declared: unknown;
}

type Json = Record<string, unknown>;

export const EMPTY_AGENT: AgentForm = {
  name: "",
  description: "",
  model: "",
  fallbacks: [],
  instructions: "",
  params: {},
  tools: [],
  rounds: null,
  tokens: null,
  cost_usd: null,
  timeout_s: null,
  input_schema: undefined,
  output_schema: undefined,
  declared: undefined,
};

function agentStep(document: Json): Json {
  const steps = Array.isArray(document["steps"]) ? document["steps"].filter(isRecord) : [];
  return steps.find((step) => step["type"] === "agent") ?? {};
}

export function readAgent(document: unknown): AgentForm {
  const of = isRecord(document) ? document : {};
  const step = agentStep(of);
  const limits = isRecord(step["limits"]) ? step["limits"] : {};
  const models = strings(step["models"]);
  return {
    name: text(of["name"]),
    description: text(of["description"]),
    model: text(step["model"]) || (models[0] ?? ""),
    fallbacks: step["model"] === undefined ? models.slice(1) : models,
    instructions: text(step["instructions"]),
    params: isRecord(step["params"]) ? step["params"] : {},
    tools: strings(step["tools"]),
    rounds: number(limits["rounds"]),
    tokens: number(limits["tokens"]),
    cost_usd: number(limits["cost_usd"]),
    timeout_s: number(step["timeout_s"]),
    input_schema: of["input_schema"] ?? undefined,
    output_schema: step["output_schema"] ?? undefined,
    declared: of["tools"] ?? undefined,
  };
}

/** Return the document with what the form says. What is empty is left out. */
export function writeAgent(document: unknown, form: AgentForm): Json {
  const of = isRecord(document) ? document : {};
  const old = agentStep(of);
  const limits = set(isRecord(old["limits"]) ? old["limits"] : {}, { rounds: form.rounds, tokens: form.tokens, cost_usd: form.cost_usd });
  const several = form.fallbacks.length > 0;
  const step = set(
    { id: "agent", type: "agent", ...old },
    {
      model: several ? null : form.model.trim(),
      models: several ? [form.model.trim(), ...form.fallbacks] : null,
      instructions: form.instructions,
      params: form.params,
      tools: form.tools,
      limits,
      timeout_s: form.timeout_s,
      output_schema: form.output_schema,
    },
  );
  const steps = Array.isArray(of["steps"]) && of["steps"].includes(old) ? of["steps"].map((each) => (each === old ? step : each)) : [step];
  return {
    ...set(of, {
      name: form.name.trim(),
      description: form.description.trim(),
      input_schema: form.input_schema,
      tools: form.declared,
    }),
    steps,
  };
}

/** Return the object with these fields; what is empty goes away. */
function set(of: Json, fields: Json): Json {
  const next = { ...of };
  for (const [name, value] of Object.entries(fields)) {
    if (isEmpty(value)) delete next[name];
    else next[name] = value;
  }
  return next;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

export interface AgentTool {
  /** As the step names it: `python:find_parcel`. */
  name: string;
  kind: "declared" | "mcp" | "workflow" | "unknown";
  description: string;
  input_schema: unknown;
  requiresApproval: boolean;
  /** Of `mcp`: the server. Of `workflow`: its slug. */
  from: string;
}

/** Return the tools that the agent is offered, with what the document says of them. */
export function toolsOf(document: unknown): AgentTool[] {
  const of = isRecord(document) ? document : {};
  const declared = Array.isArray(of["tools"]) ? of["tools"].filter(isRecord) : [];
  return strings(agentStep(of)["tools"]).map((name) => {
    const [type = "", rest = ""] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)];
    const told = declared.find((each) => each["type"] === type && each["name"] === rest);
    const kind = told ? "declared" : type === "mcp" || type === "workflow" ? type : "unknown";
    return {
      name,
      kind,
      description: text(told?.["description"]),
      input_schema: told?.["input_schema"] ?? null,
      requiresApproval: told?.["requires_approval"] === true,
      from: kind === "mcp" ? (rest.split("/")[0] ?? "") : kind === "workflow" ? rest : type,
    };
  });
}
