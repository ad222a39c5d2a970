/** Which models can be named here. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api } from "./client";

export const modelsQuery = queryOptions({
  queryKey: ["models"] as const,
  queryFn: ({ signal }) => answer(api.GET("/v1/models", { signal })),
  staleTime: 60_000,
  select: (page) => page.data.map((model) => model.id),
});
