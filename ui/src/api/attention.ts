/** Runs that somebody may have to look at: those under way, and those that failed of late. */

import { queryOptions } from "@tanstack/react-query";

import { BROKEN_STATUSES, LIVE_STATUSES } from "../model/status";
import { EVER } from "../model/run-choices";
import { answer, api, type Schemas } from "./client";
import { readRuns, runKeys } from "./runs";

export type RunOverview = Schemas["RunOverview"];

const EVERY_MS = 3_000;
export const MOST_LIVE = 200;
export const MOST_FAILED = 100;
export const RECENTLY = "-24h";

export const attentionKeys = {
  live: ["runs", "attention", "live"],
  failed: ["runs", "attention", "failed"],
  counts: ["runs", "live"],
} as const;

export const liveRunsQuery = queryOptions({
  queryKey: attentionKeys.live,
  queryFn: ({ signal }) => readRuns({ scope: null, filters: { status: LIVE_STATUSES, from: EVER }, limit: MOST_LIVE }, signal),
  refetchInterval: EVERY_MS,
});

export const failedRunsQuery = queryOptions({
  queryKey: attentionKeys.failed,
  queryFn: ({ signal }) => readRuns({ scope: null, filters: { status: BROKEN_STATUSES, from: RECENTLY }, limit: MOST_FAILED }, signal),
  refetchInterval: EVERY_MS,
});

/** How many runs are under way, exactly: it is counted where runs are kept first. */
export const liveCountsQuery = queryOptions({
  queryKey: attentionKeys.counts,
  queryFn: ({ signal }) => answer(api.GET("/v1/analytics/live-runs", { signal })),
  refetchInterval: EVERY_MS,
});

/** How a run stands: what it waits for, and since when. */
export function overviewQuery(id: string) {
  return queryOptions({
    queryKey: [...runKeys.one(id), "overview"],
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}/summary", { params: { path: { run_id: id } }, signal })),
    refetchInterval: 15_000,
  });
}
