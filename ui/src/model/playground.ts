/** What is tried in the playground: variants as they are written, what of them is sent, and what comes of them. */

import { isRecord } from "./schema-fields";

export const MOST_VARIANTS = 8;

/** A variant as it is written. Null means: as it is in the version. */
export interface VariantDraft {
  key: number;
  name: string;
  version: number | null;
  model: string | null;
  instructions: string | null;
  prompt: string | null;
  /** JSON, over the version's own; a parameter that is null is left out. */
  params: string;
}

/** A step that asks a model, as the document has it. */
export interface ModelStep {
  id: string;
  type: "llm" | "agent";
  model: string;
  instructions: string;
  prompt: string;
  params: Record<string, unknown>;
}

/** Return the steps of the document, and of its loops, that ask a model. */
export function modelSteps(document: unknown): ModelStep[] {
  if (!isRecord(document) || !Array.isArray(document["steps"])) return [];
  return document["steps"].filter(isRecord).flatMap((step) => {
    const inner = modelSteps(isRecord(step["body"]) ? step["body"] : step);
    return (step["type"] === "llm" || step["type"] === "agent") && step["agent"] === undefined ? [modelStep(step)] : inner;
  });
}

function modelStep(step: Record<string, unknown>): ModelStep {
  const text = (name: string) => (typeof step[name] === "string" ? step[name] : "");
  const models = Array.isArray(step["models"]) ? step["models"] : [];
  return {
    id: text("id"),
    type: step["type"] as "llm" | "agent",
    model: text("model") || (typeof models[0] === "string" ? models[0] : ""),
    instructions: step["type"] === "agent" ? text("instructions") : text("system"),
    prompt: text("prompt"),
    params: isRecord(step["params"]) ? step["params"] : {},
  };
}

/** As the interface wants it. */
export interface VariantSent {
  name?: string;
  version?: number;
  step?: string;
  model?: string;
  instructions?: string;
  prompt?: string;
  params: Record<string, unknown>;
}

/** Return what of the variant is sent: only what was written. `step`: which one is changed, where there are several. */
export function sentOf(draft: VariantDraft, place: number, step?: string): VariantSent {
  const params = paramsOf(draft.params).value ?? {};
  const change = {
    ...(draft.model?.trim() ? { model: draft.model.trim() } : {}),
    ...(draft.instructions === null ? {} : { instructions: draft.instructions }),
    ...(draft.prompt?.trim() ? { prompt: draft.prompt } : {}),
  };
  const isChange = Object.keys(change).length > 0 || Object.keys(params).length > 0;
  return {
    name: nameOf(draft, place),
    ...(draft.version === null ? {} : { version: draft.version }),
    ...(step !== undefined && isChange ? { step } : {}),
    ...change,
    params,
  };
}

export function nameOf(draft: Pick<VariantDraft, "name">, place: number): string {
  return draft.name.trim() || `Variant ${String.fromCharCode(65 + place)}`;
}

/** Return the parameters that are written, or what is wrong with them. */
export function paramsOf(text: string): { value?: Record<string, unknown>; fault: string | null } {
  if (text.trim() === "") return { value: {}, fault: null };
  try {
    const value = JSON.parse(text) as unknown;
    return isRecord(value) ? { value, fault: null } : { fault: 'An object is needed, as {"temperature": 0}' };
  } catch {
    return { fault: 'This is not JSON. It is written as {"temperature": 0}' };
  }
}

/** Return the parameters' text with one of them set; undefined takes it away. Text that is no JSON stays as it is. */
export function withParam(text: string, name: string, value: unknown): string {
  const { value: before } = paramsOf(text);
  if (!before) return text;
  const { [name]: _old, ...rest } = before;
  const after = value === undefined ? rest : { ...before, [name]: value };
  return Object.keys(after).length > 0 ? JSON.stringify(after) : "";
}

/** Whether the variant changes its version: then it can be kept as one. */
export function isChanged(draft: VariantDraft): boolean {
  return Boolean(draft.model?.trim() || draft.prompt?.trim() || draft.params.trim()) || draft.instructions !== null;
}

export function newVariant(drafts: readonly VariantDraft[], like?: Partial<VariantDraft>): VariantDraft {
  const key = Math.max(0, ...drafts.map((draft) => draft.key)) + 1;
  return { name: "", version: null, model: null, instructions: null, prompt: null, params: "", ...like, key };
}

/** Return the draft of a variant that the server suggests. */
export function draftOf(suggested: Record<string, unknown>, key: number): VariantDraft {
  const text = (name: string) => (typeof suggested[name] === "string" ? suggested[name] : null);
  const params = isRecord(suggested["params"]) && Object.keys(suggested["params"]).length > 0 ? JSON.stringify(suggested["params"]) : "";
  const version = typeof suggested["version"] === "number" ? suggested["version"] : null;
  const { model, instructions, prompt } = { model: text("model"), instructions: text("instructions"), prompt: text("prompt") };
  return { key, name: "", version, model, instructions, prompt, params };
}

export interface Ended {
  cost_usd: string;
  latency_ms: number;
  first_token_ms: number | null;
  input_tokens: number;
  output_tokens: number;
}

/** How a variant stands. */
export type Outcome =
  | { kind: "waiting"; text: "" }
  | { kind: "writing"; text: string }
  | ({ kind: "done"; text: string; output: unknown; toolCalls: unknown[]; model: string | null; finishReason: string | null } & Ended)
  | ({ kind: "failed"; text: string; code: string; message: string } & Ended)
  | { kind: "ended"; text: string };

export const WAITING: Outcome = { kind: "waiting", text: "" };

export interface PlaygroundMessage {
  type: string;
  variant?: number;
  [field: string]: unknown;
}

/** Return the outcomes after the messages. */
export function told(outcomes: readonly Outcome[], messages: readonly PlaygroundMessage[]): Outcome[] {
  const now = [...outcomes];
  for (const message of messages) {
    const at = message.variant;
    const before = at === undefined ? undefined : now[at];
    if (at === undefined || before === undefined) continue;
    if (message.type === "delta") now[at] = { kind: "writing", text: before.text + String(message["text"] ?? "") };
    else if (message.type === "done") now[at] = done(message);
    else if (message.type === "failed") now[at] = failed(message, before.text);
  }
  return now;
}

/** Return the outcomes when nothing more will come. */
export function cutOff(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.map((each) => (each.kind === "waiting" || each.kind === "writing" ? { kind: "ended", text: each.text } : each));
}

function ended(message: PlaygroundMessage): Ended {
  const usage = isRecord(message["usage"]) ? message["usage"] : {};
  return {
    cost_usd: String(message["cost_usd"] ?? "0"),
    latency_ms: Number(message["latency_ms"] ?? 0),
    first_token_ms: typeof message["first_token_ms"] === "number" ? message["first_token_ms"] : null,
    input_tokens: Number(usage["input_tokens"] ?? 0),
    output_tokens: Number(usage["output_tokens"] ?? 0),
  };
}

function done(message: PlaygroundMessage): Outcome {
  const output = message["output"];
  return {
    kind: "done",
    text: outputText(output),
    output,
    toolCalls: Array.isArray(message["tool_calls"]) ? message["tool_calls"] : [],
    model: typeof message["model"] === "string" ? message["model"] : null,
    finishReason: typeof message["finish_reason"] === "string" ? message["finish_reason"] : null,
    ...ended(message),
  };
}

function failed(message: PlaygroundMessage, text: string): Outcome {
  const error = isRecord(message["error"]) ? message["error"] : {};
  return { kind: "failed", text, code: String(error["code"] ?? "FAILED"), message: String(error["message"] ?? ""), ...ended(message) };
}

export function outputText(output: unknown): string {
  return typeof output === "string" ? output : (JSON.stringify(output, null, 2) ?? "");
}

/** Which of them is the quickest and the cheapest; null where it makes no difference. */
export function best(outcomes: readonly Outcome[]): { quickest: number | null; cheapest: number | null } {
  const ended = outcomes.flatMap((each, at) =>
    each.kind === "done" ? [{ at, ms: Math.round(each.latency_ms), usd: Number(each.cost_usd) }] : [],
  );
  const least = (of: (each: { ms: number; usd: number }) => number) => {
    if (ended.length < 2) return null;
    const low = Math.min(...ended.map(of));
    return Math.max(...ended.map(of)) === low ? null : (ended.find((each) => of(each) === low)?.at ?? null);
  };
  return { quickest: least((each) => each.ms), cheapest: least((each) => each.usd) };
}

export interface Message {
  role: string;
  content: unknown;
  [field: string]: unknown;
}

/** Return the text of the first system message, whose place a variant's instructions take. */
export function systemText(messages: readonly Message[]): string {
  const first = messages.find((message) => message.role === "system");
  return typeof first?.content === "string" ? first.content : "";
}
