/**
 * Live events: one stream that goes on by itself after an interruption, without a hole, and says how it stands.
 *
 * It reads server-sent events with fetch rather than EventSource, which tells neither why it was refused nor that it is
 * silent. After an interruption it asks for what comes after the last cursor.
 */

import { SseReader } from "../model/sse";
import { apiAddress } from "./client";
import { Problem } from "./problem";

/** `live`: connected. `reconnecting`: lost, `attempt` counts from 1. `ended`: nothing more will come, with the server's reason. */
export type LiveState =
  | { kind: "connecting" }
  | { kind: "live"; again: boolean }
  | { kind: "reconnecting"; attempt: number; since: number }
  | { kind: "ended"; reason: string }
  | { kind: "refused"; problem: Problem };

export interface LiveMessage {
  type: string;
  cursor?: string;
  [field: string]: unknown;
}

export interface LiveOptions {
  /** A path of the API, as `/v1/runs/{id}/stream`. */
  path: string;
  /** Go on after this cursor; left out: from where the stream begins. */
  after?: string;
  onMessage: (message: LiveMessage) => void;
  onState?: (state: LiveState) => void;
}

const SILENCE_MS = 40_000; // a heartbeat comes after 15 s
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;
const FINAL = new Set(["run_ended", "forbidden", "gone", "bad_message"]);

/** Follow a stream until it ends or the returned function is called. */
export function follow(options: LiveOptions): () => void {
  const stopped = new AbortController();
  void keepFollowing(options, stopped.signal);
  return () => stopped.abort();
}

async function keepFollowing(options: LiveOptions, stopped: AbortSignal): Promise<void> {
  const { onState = () => {} } = options;
  let after = options.after;
  let attempt = 0;
  let since = 0;
  onState({ kind: "connecting" });
  while (!stopped.aborted) {
    try {
      const reason = await readOnce(
        options,
        after,
        stopped,
        (cursor) => (after = cursor),
        () => {
          onState({ kind: "live", again: attempt > 0 });
          attempt = 0;
        },
      );
      if (stopped.aborted) return;
      if (reason !== null && FINAL.has(reason)) return onState({ kind: "ended", reason });
    } catch (error) {
      if (stopped.aborted) return;
      if (error instanceof Problem && error.status < 500 && error.status !== 429) return onState({ kind: "refused", problem: error });
    }
    attempt += 1;
    if (attempt === 1) since = Date.now();
    onState({ kind: "reconnecting", attempt, since });
    await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2), stopped);
  }
}

/** Read one connection to its end; return the server's reason, null when it broke off. */
async function readOnce(
  options: LiveOptions,
  after: string | undefined,
  stopped: AbortSignal,
  onCursor: (cursor: string) => void,
  onOpen: () => void,
): Promise<string | null> {
  const connection = new AbortController();
  const stop = () => connection.abort();
  stopped.addEventListener("abort", stop, { once: true });
  let watch = setTimeout(stop, SILENCE_MS);
  try {
    const headers = { Accept: "text/event-stream" };
    const response = await fetch(apiAddress(options.path, { after }), { headers, signal: connection.signal, cache: "no-store" });
    if (response.status === 204) return "run_ended";
    if (!response.ok || !response.body) throw Problem.of(response, await response.json().catch(() => null));
    onOpen();
    const reader = new SseReader();
    const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await text.read();
      if (done) return null;
      clearTimeout(watch);
      watch = setTimeout(stop, SILENCE_MS);
      for (const sent of reader.read(value)) {
        const message = JSON.parse(sent.data) as LiveMessage;
        if (sent.id !== null) onCursor(sent.id);
        else if (message.cursor) onCursor(message.cursor);
        if (message.type === "end") return String(message["reason"]);
        if (message.type !== "heartbeat") options.onMessage(message);
      }
    }
  } finally {
    clearTimeout(watch);
    stopped.removeEventListener("abort", stop);
    connection.abort();
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      stopped.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done);
    stopped.addEventListener("abort", done);
  });
}
