/** One run: what is on record of it, and what is done to it. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import type { RunEvent } from "../model/run/record";
import { answer, api, type Schemas } from "./client";
import { runKeys } from "./runs";

/** How a run stands, without inputs and results: those are in its events. */
export type Run = Schemas["RunOverview"];
export type WholeGeneration = Schemas["WholeGeneration"];
export type RunGraph = Schemas["RunGraph"];

export const oneRunKeys = {
  view: (id: string) => [...runKeys.one(id), "view"] as const,
  graph: (id: string) => [...runKeys.one(id), "graph"] as const,
  generation: (id: string, seq: number) => [...runKeys.one(id), "generation", seq] as const,
  tries: (id: string) => [...runKeys.one(id), "tries"] as const,
};

/** `workflow`: its slug, when the address names it; a run of another one is then not found. */
export function runQuery(id: string, workflow: string | null) {
  return queryOptions({
    queryKey: oneRunKeys.view(id),
    queryFn: ({ signal }) => {
      if (workflow === null) return answer(api.GET("/v1/runs/{run_id}/summary", { params: { path: { run_id: id } }, signal }));
      const path = { workflow_id: workflow, run_id: id };
      return answer(api.GET("/v1/workflows/{workflow_id}/runs/{run_id}/summary", { params: { path }, signal }));
    },
    staleTime: 60_000,
  });
}

export function runGraphQuery(id: string) {
  return queryOptions({
    queryKey: oneRunKeys.graph(id),
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}/graph", { params: { path: { run_id: id } }, signal })),
    staleTime: Infinity, // a run's version never changes
  });
}

export function generationQuery(id: string, seq: number) {
  return queryOptions({
    queryKey: oneRunKeys.generation(id, seq),
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}/generations/{seq}", { params: { path: { run_id: id, seq } }, signal })),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
}

const EVERYTHING = { from: "1970-01-01", archived: "true" } as const;

/** The runs that were made of this one: retries, replies. */
export function triesQuery(id: string) {
  return queryOptions({
    queryKey: oneRunKeys.tries(id),
    queryFn: async ({ signal }) => {
      const body = { ...EVERYTHING, query: `source:${id.replace(/^run_/, "")}`, limit: 20 };
      return (await answer(api.POST("/v1/runs/search", { body: body as never, signal }))).data;
    },
    staleTime: 30_000,
  });
}

export async function readEvents(
  id: string,
  query: { after?: number; before?: number; limit: number },
  signal: AbortSignal,
): Promise<RunEvent[]> {
  const page = await answer(api.GET("/v1/runs/{run_id}/events", { params: { path: { run_id: id }, query }, signal }));
  return page.data as RunEvent[];
}

type Command = Schemas["StartCommand"] | Schemas["PauseCommand"] | Schemas["ResumeCommand"] | Schemas["StopCommand"];

export function command(workflow: string, body: Command): Promise<Schemas["Accepted"]> {
  return answer(api.POST("/v1/workflows/{key}/command", { params: { path: { key: workflow } }, body }));
}

export function completeTask(run: string, task: string, body: Schemas["Completion"]): Promise<Schemas["TaskDecision"]> {
  const path = { run_id: run, task_id: task };
  return answer(api.POST("/v1/runs/{run_id}/tasks/{task_id}/complete", { params: { path }, body }));
}

export function addComment(run: string, content: string): Promise<Schemas["Comment"]> {
  return answer(api.POST("/v1/runs/{run_id}/comments", { params: { path: { run_id: run } }, body: { content } }));
}
