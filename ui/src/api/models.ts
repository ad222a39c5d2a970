/** Which models can be named here. The list has agents as well, for clients that take them for models. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api } from "./client";

export const modelsQuery = queryOptions({
  queryKey: ["models"] as const,
  queryFn: ({ signal }) => answer(api.GET("/v1/models", { signal })),
  staleTime: 60_000,
  select: (page) => page.data.map((model) => model.id).filter((id) => !id.startsWith("agent:")),
});
