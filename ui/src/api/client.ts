/**
 * The one way to the server. Calls are typed by the OpenAPI document; what goes wrong is a `Problem`.
 *
 *     const page = await answer(api.GET("/v1/runs", { params: { query: { limit: 50 } }, signal }));
 */

import createClient, { type Middleware } from "openapi-fetch";

import { basePath } from "../app/page-place";
import { Problem, Unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let csrfToken: string | null = null;

/** Keep the session's token, which every change needs; null without a session. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Return the headers that a change needs, for calls that do not go through `api`. */
export function changeHeaders(): Record<string, string> {
  return csrfToken === null ? {} : { "X-CSRF-Token": csrfToken };
}

const withCsrf: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== null && !["GET", "HEAD"].includes(request.method)) request.headers.set("X-CSRF-Token", csrfToken);
  },
};

export const api = createClient<paths>({
  baseUrl: basePath.replace(/\/$/, ""),
  credentials: "same-origin",
  querySerializer: { array: { style: "form", explode: true } },
});
api.use(withCsrf);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Return the answer's data. Throws `Problem` for what the server refuses, `Unreachable` when there is no answer. */
export async function answer<T>(call: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await reached(call);
  if (error !== undefined || !response.ok) throw Problem.of(response, error);
  return data as T;
}

/** As `answer`, with the answer's headers: for an `ETag`. */
export async function answerWithHeaders<T>(call: Promise<Answered<T>>): Promise<{ data: T; headers: Headers }> {
  const { data, error, response } = await reached(call);
  if (error !== undefined || !response.ok) throw Problem.of(response, error);
  return { data: data as T, headers: response.headers };
}

async function reached<T>(call: Promise<Answered<T>>): Promise<Answered<T>> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(error);
  }
}

/** Return the whole address of a path of the API, for links to files and for streams. */
export function apiAddress(path: string, query: Record<string, string | string[] | number | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  }
  const text = search.toString();
  return `${basePath.replace(/\/$/, "")}${path}${text ? `?${text}` : ""}`;
}
