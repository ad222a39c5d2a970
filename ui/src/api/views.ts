/** Saved views: searches that are kept. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type SavedView = Schemas["SavedView"];
export type ViewBody = Schemas["ViewBody"];

export const viewKeys = { all: ["views"] as const };

export const viewsQuery = queryOptions({
  queryKey: viewKeys.all,
  queryFn: async ({ signal }) => (await answer(api.GET("/v1/views", { params: { query: { limit: 200 } }, signal }))).data,
  staleTime: 60_000,
});

export function createView(body: ViewBody): Promise<SavedView> {
  return answer(api.POST("/v1/views", { body }));
}

export function replaceView(view: SavedView, body: ViewBody): Promise<SavedView> {
  const params = { path: { view_id: view.id }, header: { "If-Match": `"${view.revision}"` } };
  return answer(api.PUT("/v1/views/{view_id}", { params, body }));
}

export async function deleteView(id: string): Promise<void> {
  await answer(api.DELETE("/v1/views/{view_id}", { params: { path: { view_id: id } } }));
}
