/** Connections and secrets: where something is reached, and with which credentials, which are never told again. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "./client";

export type Connection = Schemas["StoredConnection"];
export type ConnectionType = Schemas["NewConnectionBody"]["type"];
export type Secret = Schemas["StoredSecret"];

const MOST = 200;

export const connectionKeys = {
  list: ["connections", "list"] as const,
  tools: (id: string) => ["connections", "tools", id] as const,
  secrets: ["secrets"] as const,
};

export const connectionsQuery = queryOptions({
  queryKey: connectionKeys.list,
  queryFn: ({ signal }) => answer(api.GET("/v1/connections", { params: { query: { limit: MOST } }, signal })),
});

export const secretsQuery = queryOptions({
  queryKey: connectionKeys.secrets,
  queryFn: ({ signal }) => answer(api.GET("/v1/secrets", { params: { query: { limit: MOST } }, signal })),
});

export function toolsQuery(id: string) {
  return queryOptions({
    queryKey: connectionKeys.tools(id),
    queryFn: ({ signal }) => answer(api.GET("/v1/connections/{connection_id}/tools", { params: { path: { connection_id: id } }, signal })),
    retry: false,
    staleTime: 60_000,
  });
}

const at = (id: string) => ({ path: { connection_id: id } });

export const createConnection = (body: Schemas["NewConnectionBody"]) => answer(api.POST("/v1/connections", { body }));

export const changeConnection = ({ id, revision, body }: { id: string; revision: number; body: Partial<Schemas["ConnectionBody"]> }) =>
  answer(api.PUT("/v1/connections/{connection_id}", { params: { ...at(id), header: { "If-Match": `"${revision}"` } }, body }));

export const deleteConnection = (id: string) => answer(api.DELETE("/v1/connections/{connection_id}", { params: at(id) }));

export const testConnection = (id: string) => answer(api.POST("/v1/connections/{connection_id}/test", { params: at(id) }));

export const createSecret = (body: Schemas["NewSecretBody"]) => answer(api.POST("/v1/secrets", { body }));

export const deleteSecret = (id: string) => answer(api.DELETE("/v1/secrets/{secret_id}", { params: { path: { secret_id: id } } }));
