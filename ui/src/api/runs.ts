/** Lists of runs, what can be asked about them, and what is done to them. */

import { queryOptions } from "@tanstack/react-query";

import type { filtersOf } from "../model/run-choices";
import { answer, api, type Schemas } from "./client";

export type RunSummary = Schemas["RunSummary"];
export type RunPage = Schemas["RunPage"];
export type RunFilters = ReturnType<typeof filtersOf>;

/** Of which workflow; null: of all. */
export type RunScope = string | null;

export interface RunsAsked {
  scope: RunScope;
  filters: RunFilters;
  limit?: number;
  cursor?: string;
  count?: boolean;
  /** Fields of inputs, outputs and metadata that each row has with it. */
  values?: string[];
}

export const runKeys = {
  all: ["runs"] as const,
  lists: ["runs", "list"] as const,
  list: (asked: RunsAsked) => ["runs", "list", asked] as const,
  newest: (asked: RunsAsked) => ["runs", "newest", asked] as const,
  these: (ids: string[]) => ["runs", "these", ids] as const,
  counts: (asked: RunsAsked) => ["runs", "counts", asked] as const,
  fields: ["runs", "fields"] as const,
  one: (id: string) => ["runs", "one", id] as const,
};

export function readRuns({ scope, filters, values, ...rest }: RunsAsked, signal?: AbortSignal): Promise<RunPage> {
  const { workflow, ...others } = filters;
  const column = values && values.length > 0 ? { column: values } : {};
  if (scope === null) return answer(api.GET("/v1/runs", { params: { query: { ...filters, ...rest, ...column } }, signal }));
  const path = { workflow_id: scope };
  return answer(api.GET("/v1/workflows/{workflow_id}/runs", { params: { path, query: { ...others, ...rest, ...column } }, signal }));
}

/** A page of the list as it was when it was asked for: it changes only when somebody asks for a newer one. */
export function runsQuery(asked: RunsAsked) {
  return queryOptions({
    queryKey: runKeys.list(asked),
    queryFn: ({ signal }) => readRuns(asked, signal),
    staleTime: Infinity,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

const EVERYTHING = { from: "1970-01-01", archived: "true" } as const;

/** Return the terms that find these very runs, whatever lists leave out. */
export function theseRuns(ids: readonly string[]): string {
  return `run:${ids.map((id) => id.replace(/^run_/, "")).join(",")} (environment:production OR -environment:production)`;
}

/** Return these very runs, in the list's order. At most `MOST_AT_ONCE`. */
export function readThese(ids: readonly string[], signal?: AbortSignal): Promise<RunPage> {
  const body = { ...EVERYTHING, query: theseRuns(ids), limit: Math.max(1, ids.length) };
  return answer(api.POST("/v1/runs/search", { body: body as never, signal }));
}

/** A search has at most 4096 characters. */
export const MOST_AT_ONCE = 100;

export function theseRunsQuery(ids: string[]) {
  return queryOptions({
    queryKey: runKeys.these(ids),
    queryFn: ({ signal }) => readThese(ids, signal),
  });
}

export const runFieldsQuery = queryOptions({
  queryKey: runKeys.fields,
  queryFn: ({ signal }) => answer(api.GET("/v1/runs/fields", { signal })),
  staleTime: 60_000,
});

export function stopRun(run: RunSummary, mode: "immediate" | "graceful"): Promise<Schemas["Accepted"]> {
  const body = { command: "stop" as const, run_id: run.id, params: { mode } };
  return answer(api.POST("/v1/workflows/{key}/command", { params: { path: { key: run.workflow.id } }, body }));
}

export function archiveRun(id: string): Promise<Schemas["RunMarks"]> {
  return answer(api.POST("/v1/runs/{run_id}/archive", { params: { path: { run_id: id } } }));
}

export function unarchiveRun(id: string): Promise<Schemas["RunMarks"]> {
  return answer(api.POST("/v1/runs/{run_id}/unarchive", { params: { path: { run_id: id } } }));
}
