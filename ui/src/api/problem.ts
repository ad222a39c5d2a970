/** What can go wrong with a call: the server refuses it, or cannot be reached. */

import type { components } from "./schema";

type Details = components["schemas"]["ProblemDetails"];
export type Fault = components["schemas"]["Problem"];

/** A refusal, as the server worded it (RFC 9457). `message` is for people; `hint` says what to do. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly requestId: string | null;
  readonly faults: Fault[];
  /** After how many seconds it may be tried again. */
  readonly retryAfter: number | null;

  constructor(details: Partial<Details> & { status: number }, retryAfter: number | null = null) {
    super(details.detail ?? details.title ?? `the server answered ${details.status}`);
    this.status = details.status;
    this.code = details.code ?? "UNKNOWN";
    this.hint = details.hint ?? null;
    this.requestId = details.request_id ?? null;
    this.faults = details.errors ?? [];
    this.retryAfter = retryAfter;
  }

  static of(response: Response, body: unknown): Problem {
    const details = typeof body === "object" && body !== null ? (body as Partial<Details>) : {};
    const retryAfter = Number(response.headers.get("Retry-After") ?? NaN);
    const requestId = details.request_id ?? response.headers.get("X-Request-Id") ?? undefined;
    return new Problem({ ...details, request_id: requestId, status: response.status }, Number.isFinite(retryAfter) ? retryAfter : null);
  }
}

/** There was no answer: the server is away, or the network is. */
export class Unreachable extends Error {
  override name = "Unreachable";

  constructor(cause: unknown) {
    super("the server cannot be reached", { cause });
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}
