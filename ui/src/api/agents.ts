/** Agents: making, changing, publishing and running one. They are read as workflows are. */

import { answer, api, type Schemas } from "./client";
import type { Workflow } from "./workflows";

type Document = Record<string, unknown>;

export function createAgent(document: Document): Promise<Workflow> {
  return answer(api.POST("/v1/agents", { body: { document: document as never } }));
}

/** Save the draft, unless somebody else did since it was read. */
export function saveAgent(agent: Workflow, document: Document): Promise<Workflow> {
  const params = { path: { agent_id: agent.id }, header: { "If-Match": agent.draft_etag } };
  return answer(api.PUT("/v1/agents/{agent_id}", { params: params as never, body: { document: document as never } }));
}

export function publishAgent(id: string, note: string | null, activate: boolean): Promise<Schemas["VersionSummary"]> {
  return answer(api.POST("/v1/agents/{agent_id}/versions", { params: { path: { agent_id: id } }, body: { note, activate } }));
}

export function startAgent(id: string, input: unknown): Promise<Schemas["Accepted"]> {
  const body = { command: "start" as const, params: { input } } as never;
  return answer(api.POST("/v1/workflows/{key}/command", { params: { path: { key: id } }, body }));
}
