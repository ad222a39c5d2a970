/** What people must decide, and deciding it. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type Task = Schemas["TaskView"];
export type TaskPage = Schemas["TaskPage"];

export interface Decision {
  task: string;
  approved: boolean;
  /** What was edited; left out: nothing. */
  result?: Record<string, unknown>;
  comment?: string;
}

export const MOST_TASKS = 100;

export const taskKeys = { all: ["tasks"] as const, pending: ["tasks", "pending"] as const };

/** All that is waited for in this project, the oldest first. It is asked for behind other tabs, too: its number is in the title. */
export const pendingTasksQuery = queryOptions({
  queryKey: taskKeys.pending,
  queryFn: ({ signal }) => answer(api.GET("/v1/tasks/pending", { params: { query: { limit: MOST_TASKS } }, signal })),
  refetchInterval: 3_000,
  refetchIntervalInBackground: true,
  retry: false,
});

export function decide({ task, approved, result, comment }: Decision): Promise<Schemas["TaskDecision"]> {
  const body = { approved, ...(result ? { result } : {}), ...(comment ? { comment } : {}) };
  return answer(api.POST("/v1/tasks/{task_id}/complete", { params: { path: { task_id: task } }, body: body as never }));
}
