/** Workflows and agents: lists, and one of them. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type WorkflowSummary = Schemas["WorkflowSummary"];
export type Workflow = Schemas["WorkflowView"];

export interface WorkflowsAsked {
  kind?: "workflow" | "agent" | "trace";
  q?: string;
  archived?: boolean;
  limit?: number;
  cursor?: string;
}

export const workflowKeys = {
  all: ["workflows"] as const,
  list: (asked: WorkflowsAsked) => ["workflows", "list", asked] as const,
  one: (key: string) => ["workflows", "one", key] as const,
};

export function workflowsQuery(asked: WorkflowsAsked) {
  return queryOptions({
    queryKey: workflowKeys.list(asked),
    queryFn: ({ signal }) => answer(api.GET("/v1/workflows", { params: { query: asked }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function workflowQuery(key: string) {
  return queryOptions({
    queryKey: workflowKeys.one(key),
    queryFn: ({ signal }) => answer(api.GET("/v1/workflows/{key}", { params: { path: { key } }, signal })),
  });
}
