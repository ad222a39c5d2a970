/** What a run's events fold into: how the run and each of its steps stood after the last of them. */

import type { RunStatus, StepStatus } from "../status";

/** One event, as the API and the live stream tell it. `ts` is ms since 1970. */
export interface RunEvent {
  seq: number;
  type: string;
  ts: number;
  step_id: string | null;
  attempt: number | null;
  actor: string | null;
  data: Record<string, unknown>;
}

export interface RunError {
  code: string;
  message: string;
  step_id?: string | null;
  details?: Record<string, unknown> | null;
}

/** Tokens, calls, and cost in billionths of a US dollar: whole numbers, so that sums are exact. */
export interface Used {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
  calls: number;
  nanos: number;
}

/** From when to when; an open end is null. */
export interface Span {
  from: number;
  to: number | null;
}

export interface Attempt extends Span {
  number: number;
  status: StepStatus;
  error: RunError | null;
  retryAt: number | null;
  used: Used;
}

export interface Wait extends Span {
  why: string;
  until: number | null;
  taskId: string | null;
  childRunId: string | null;
  message: string | null;
}

export interface ToolCall {
  id: string;
  tool: string;
  args: unknown;
  /** When it was called; null: it was only wanted so far. */
  from: number | null;
  to: number | null;
  result: unknown;
  error: RunError | null;
}

/** One answer of a model, and the tool calls that it wanted. `seq` is that of its event, `to` when it ended. */
export interface Round extends Span {
  number: number;
  seq: number;
  attempt: number;
  step: string;
  provider: string;
  model: string;
  ok: boolean;
  text: unknown;
  thought: string | null;
  error: RunError | null;
  finish: string | null;
  latencyMs: number;
  firstTokenMs: number | null;
  used: Used;
  calls: ToolCall[];
}

export interface Task {
  id: string;
  step: string;
  type: string;
  title: string;
  description: string | null;
  payload: unknown;
  expiresAt: number | null;
  decided: { approved: boolean; by: string | null; comment: string | null; result: unknown; at: number; expired: boolean } | null;
}

export interface Step {
  path: string;
  /** The step's id in the document. */
  id: string;
  type: string;
  status: StepStatus;
  reason: string | null;
  causedBy: string | null;
  from: number | null;
  to: number | null;
  input: unknown;
  result: unknown;
  error: RunError | null;
  /** It failed, and the run goes on with its fallback. */
  handled: boolean;
  reusedFrom: string | null;
  cache: { runId: string; savedNanos: number; savedMs: number } | null;
  attempts: Attempt[];
  waits: Wait[];
  rounds: Round[];
  tasks: string[];
  children: string[];
  logs: number;
  used: Used;
}

export interface Comment {
  id: string;
  by: string | null;
  at: number;
  content: string;
}

/** What was said of the run when it was created. */
export interface Origin {
  trigger: string;
  tags: string[];
  metadata: Record<string, string>;
  environment: string;
  sourceRunId: string | null;
  parentRunId: string | null;
}

export interface RunRecord {
  status: RunStatus;
  waitingFor: string | null;
  /** The last event that is counted in; 0: none yet. */
  seq: number;
  ts: number;
  created: number | null;
  started: number | null;
  ended: number | null;
  pauses: Span[];
  origin: Origin | null;
  archived: boolean;
  review: { review: string; score: number | null; comment: string | null } | null;
  /** The runs that judged this one. */
  judges: { runId: string; evaluator: string }[];
  input: unknown;
  output: unknown;
  error: RunError | null;
  failedStep: string | null;
  servedFrom: string | null;
  savedNanos: number;
  stopMode: string | null;
  /** By path, in the order in which the run came to know them. */
  steps: Map<string, Step>;
  tasks: Map<string, Task>;
  variables: Record<string, unknown>;
  comments: Comment[];
  used: Used;
}

export const NOTHING_USED: Used = { input: 0, cached: 0, output: 0, reasoning: 0, calls: 0, nanos: 0 };

export function plus(a: Used, b: Used): Used {
  return {
    input: a.input + b.input,
    cached: a.cached + b.cached,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    calls: a.calls + b.calls,
    nanos: a.nanos + b.nanos,
  };
}

/** Return an amount of billionths as the decimal string that `money` takes. */
export function usd(nanos: number): string {
  return (nanos / 1e9).toFixed(9);
}
