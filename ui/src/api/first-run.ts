/** The demo of the first-run page: a workflow of its own, published and started like any other. */

import { queryOptions } from "@tanstack/react-query";

import { DEMO_DOCUMENT, DEMO_INPUT, DEMO_SLUG } from "../model/demo-document";
import { answer, api } from "./client";
import { isNotFound } from "./problem";
import { taskKeys } from "./tasks";

/** Start the demo, which is made first where it is not there yet; return the run's id. */
export async function startDemo(): Promise<string> {
  const path = { key: DEMO_SLUG };
  try {
    await answer(api.GET("/v1/workflows/{key}", { params: { path } }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await answer(api.POST("/v1/workflows", { body: { document: DEMO_DOCUMENT, slug: DEMO_SLUG } as never }));
  }
  await answer(api.POST("/v1/workflows/{key}/versions", { params: { path }, body: { activate: true } as never }));
  const body = { command: "start", params: { input: DEMO_INPUT } } as never;
  return (await answer(api.POST("/v1/workflows/{key}/command", { params: { path }, body }))).run_id;
}

/** What the run asks for right now. */
export function tasksOfRunQuery(id: string) {
  return queryOptions({
    queryKey: [...taskKeys.all, "of", id],
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}/tasks/pending", { params: { path: { run_id: id } }, signal })),
  });
}

/** How the run stands, with its steps. */
export function demoRunQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "demo", id],
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}", { params: { path: { run_id: id } }, signal })),
  });
}
