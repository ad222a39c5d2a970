/** Versions of a workflow or agent. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type Version = Schemas["VersionSummary"];

export const versionKeys = {
  list: (key: string) => ["workflows", "versions", key] as const,
  one: (key: string, number: number) => ["workflows", "version", key, number] as const,
  diff: (key: string, number: number, other: string) => ["workflows", "diff", key, number, other] as const,
};

export function versionsQuery(key: string) {
  return queryOptions({
    queryKey: versionKeys.list(key),
    queryFn: ({ signal }) => answer(api.GET("/v1/workflows/{key}/versions", { params: { path: { key }, query: { limit: 200 } }, signal })),
  });
}

export function versionQuery(key: string, number: number) {
  return queryOptions({
    queryKey: versionKeys.one(key, number),
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/workflows/{key}/versions/{number}", { params: { path: { key, number: String(number) } }, signal })),
    staleTime: Infinity,
  });
}

/** From `number` to `other`, which is a number or `draft`. */
export function diffQuery(key: string, number: number, other: string) {
  const params = { path: { key, number: String(number) }, query: { with: other } };
  return queryOptions({
    queryKey: versionKeys.diff(key, number, other),
    queryFn: ({ signal }) => answer(api.GET("/v1/workflows/{key}/versions/{number}/diff", { params, signal })),
  });
}

export function activateVersion(key: string, number: number): Promise<Schemas["WorkflowSummary"]> {
  return answer(api.POST("/v1/workflows/{key}/versions/{number}/activate", { params: { path: { key, number } } }));
}
