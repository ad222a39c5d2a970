/** Members, keys, limits, retention, and what the server runs with. What can be changed comes with the ETag that a change asks for. */

import { queryOptions } from "@tanstack/react-query";

import { answer, answerWithHeaders, api, type Schemas } from "./client";

export type User = Schemas["User"];
export type ApiKey = Schemas["ApiKey"];
export type Limits = Schemas["Limits"];
export type Retention = Schemas["Retention"];
export type RetentionRule = Schemas["RetentionRule"];
export type ServerSetting = Schemas["ServerSetting"];
export type Role = "viewer" | "contributor" | "admin";

const MOST = 200;

export const settingKeys = {
  users: ["settings", "users"] as const,
  keys: ["settings", "keys"] as const,
  limits: ["settings", "limits"] as const,
  retention: ["settings", "retention"] as const,
  holds: ["settings", "holds"] as const,
  server: ["settings", "server"] as const,
};

interface WithTag<T> {
  value: T;
  tag: string;
}

async function tagged<T>(call: Promise<{ data: T; headers: Headers }>): Promise<WithTag<T>> {
  const { data, headers } = await call;
  return { value: data, tag: headers.get("ETag") ?? "*" };
}

export const usersQuery = queryOptions({
  queryKey: settingKeys.users,
  queryFn: ({ signal }) => answer(api.GET("/v1/users", { params: { query: { limit: MOST } }, signal })),
});

export const apiKeysQuery = queryOptions({
  queryKey: settingKeys.keys,
  queryFn: ({ signal }) => answer(api.GET("/v1/api-keys", { params: { query: { limit: MOST } }, signal })),
});

export const limitsQuery = queryOptions({
  queryKey: settingKeys.limits,
  queryFn: ({ signal }) => tagged<Limits>(answerWithHeaders(api.GET("/v1/settings/limits", { signal }))),
});

export const retentionQuery = queryOptions({
  queryKey: settingKeys.retention,
  queryFn: ({ signal }) => tagged<Retention>(answerWithHeaders(api.GET("/v1/settings/retention", { signal }))),
});

export const holdsQuery = queryOptions({
  queryKey: settingKeys.holds,
  queryFn: ({ signal }) => answer(api.GET("/v1/holds", { params: { query: { limit: MOST } }, signal })),
});

export const serverSettingsQuery = queryOptions({
  queryKey: settingKeys.server,
  queryFn: ({ signal }) => answer(api.GET("/v1/settings/server", { signal })),
  staleTime: Infinity,
});

const based = (tag: string) => ({ header: { "If-Match": tag } });

export const putLimits = ({ value, tag }: WithTag<Limits>) => answer(api.PUT("/v1/settings/limits", { params: based(tag), body: value }));

export const putRetention = ({ value, tag }: WithTag<Retention>) =>
  answer(api.PUT("/v1/settings/retention", { params: based(tag), body: value as never }));

export const inviteUser = (body: Schemas["Invitation"]) => answer(api.POST("/v1/users", { body }));

export const updateUser = ({ id, ...body }: { id: string } & Partial<Schemas["UserUpdate"]>) =>
  answer(api.PATCH("/v1/users/{user_id}", { params: { path: { user_id: id } }, body }));

export const makePasswordLink = (id: string) =>
  answer(api.POST("/v1/users/{user_id}/password-link", { params: { path: { user_id: id } } }));

export const createApiKey = (body: Schemas["KeyRequest"]) => answer(api.POST("/v1/api-keys", { body }));

export const revokeApiKey = (id: string) => answer(api.DELETE("/v1/api-keys/{key_id}", { params: { path: { key_id: id } } }));
