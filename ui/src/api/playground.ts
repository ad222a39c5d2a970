/** Trying variants: what a run can be tried again with, the stream of what comes of it, and what is kept of it. */

import { queryOptions } from "@tanstack/react-query";

import type { PlaygroundMessage } from "../model/playground";
import { SseReader } from "../model/sse";
import { answer, api, apiAddress, changeHeaders, type Schemas } from "./client";
import { Problem, Unreachable } from "./problem";

export type TriedAgain = Schemas["TryAgain"];
export type TriedCall = Schemas["TriedCall"];
export type Asked = Partial<Schemas["TryVariants"]> & Pick<Schemas["TryVariants"], "variants">;

export const playgroundKeys = { run: (id: string) => ["playground", "run", id] as const };

export function runPlaygroundQuery(id: string) {
  return queryOptions({
    queryKey: playgroundKeys.run(id),
    queryFn: ({ signal }) => answer(api.GET("/v1/runs/{run_id}/playground", { params: { path: { run_id: id } }, signal })),
    staleTime: Infinity,
  });
}

/** Ask, and hand on what comes as it comes. Whoever aborts ends all variants. */
export async function tryVariants(asked: Asked, signal: AbortSignal, onMessage: (message: PlaygroundMessage) => void): Promise<void> {
  const response = await post(asked, signal);
  if (!response.ok || !response.body) throw Problem.of(response, await response.json().catch(() => null));
  const reader = new SseReader();
  const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await text.read();
    if (done) return;
    for (const sent of reader.read(value)) onMessage(JSON.parse(sent.data) as PlaygroundMessage);
  }
}

async function post(asked: Asked, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream", ...changeHeaders() };
    return await fetch(apiAddress("/v1/playground"), { method: "POST", headers, body: JSON.stringify(asked), signal, cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(error);
  }
}

export function keepVariant(key: string, body: Schemas["VariantToKeep"]): Promise<Schemas["VersionSummary"]> {
  return answer(api.POST("/v1/workflows/{key}/playground/versions", { params: { path: { key } }, body }));
}
