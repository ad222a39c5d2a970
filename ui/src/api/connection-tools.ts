/** What a connected server offers. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api } from "./client";

export function connectionToolsQuery(connection: string) {
  return queryOptions({
    queryKey: ["connections", "tools", connection] as const,
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/connections/{connection_id}/tools", { params: { path: { connection_id: connection } }, signal })),
    retry: false,
  });
}
