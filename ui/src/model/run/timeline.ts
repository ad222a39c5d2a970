/** The rows of the timeline: what each step did when, an agent's rounds and tool calls within it. */

import { axisOf, type Axis } from "./axis";
import type { Round, RunRecord, Span, Step } from "./record";
import type { TreeRow } from "./tree";

export interface Bar extends Span {
  kind: "work" | "wait" | "retry" | "model" | "tool";
  /** What it is, in words, for who points at it. */
  title: string;
  /** Set where it went wrong. */
  failed: boolean;
}

export interface TimelineRow {
  key: string;
  path: string;
  label: string;
  level: number;
  open: boolean | null;
  status: string | null;
  reason: string | null;
  kind: "step" | "round" | "tool";
  from: number | null;
  to: number | null;
  bars: Bar[];
  /** The round's event, for its prompt. */
  call: number | null;
}

export interface Timeline {
  axis: Axis;
  rows: TimelineRow[];
  pauses: Span[];
}

/** Return the timeline of the rows that show. `now` ends what has not ended. `isOpen` unfolds rounds as it does loops. */
export function timelineOf(
  record: RunRecord,
  rows: readonly TreeRow[],
  isOpen: (path: string) => boolean,
  now: number,
  compressed = true,
): Timeline {
  const from = record.created ?? now;
  const busy = [...record.steps.values()].filter((step) => !hasInner(step)).flatMap(workOf);
  const axis = axisOf(from, record.ended ?? Math.max(now, record.ts), busy, compressed);
  return { axis, rows: rows.flatMap((row) => rowsOfStep(row, isOpen)), pauses: record.pauses };
}

function hasInner(step: Step): boolean {
  return step.type === "for_each" || step.type === "while" || step.type === "iteration" || step.type === "workflow";
}

/** Return when the step worked: its attempts but what they waited. */
export function workOf(step: Step): Span[] {
  const found: Span[] = [];
  for (const attempt of step.attempts) {
    let cursor: number = attempt.from;
    for (const wait of step.waits) {
      if (wait.from < cursor || (attempt.to !== null && wait.from > attempt.to)) continue;
      if (wait.from > cursor) found.push({ from: cursor, to: wait.from });
      cursor = wait.to ?? Infinity;
    }
    if (cursor !== Infinity && (attempt.to === null || attempt.to >= cursor)) found.push({ from: cursor, to: attempt.to });
  }
  return found;
}

function rowsOfStep({ node, level, open }: TreeRow, isOpen: (path: string) => boolean): TimelineRow[] {
  const { step, path } = node;
  const rounds = step?.rounds ?? [];
  const foldsRounds = rounds.length > 1 || rounds.some((round) => round.calls.length > 0);
  const shown = foldsRounds && open === null ? isOpen(path) : open;
  const row: TimelineRow = {
    key: path,
    path,
    label: node.label,
    level,
    open: shown,
    status: node.status,
    reason: node.reason,
    kind: "step",
    from: step?.from ?? null,
    to: step?.to ?? null,
    bars: step ? barsOf(step) : [],
    call: null,
  };
  return foldsRounds && shown ? [row, ...rounds.flatMap((round) => rowsOfRound(round, level + 1))] : [row];
}

function barsOf(step: Step): Bar[] {
  if (step.attempts.length === 0) {
    return step.from === null ? [] : [{ kind: "work", from: step.from, to: step.to, title: "Iteration", failed: step.status === "failed" }];
  }
  const failedAt = new Set(step.attempts.filter((attempt) => attempt.status === "failed").map((attempt) => attempt.to));
  const work: Bar[] = workOf(step).map((span) => ({
    ...span,
    kind: "work",
    title: "Working",
    failed: span.to !== null && failedAt.has(span.to),
  }));
  const waits: Bar[] = step.waits.map((wait) => ({
    from: wait.from,
    to: wait.to,
    kind: wait.why === "retry" ? "retry" : "wait",
    title: wait.why === "retry" ? "Waits before it is tried again" : `Waits for ${WAITS[wait.why] ?? wait.why}`,
    failed: false,
  }));
  return [...work, ...waits].sort((a, b) => a.from - b.from);
}

const WAITS: Record<string, string> = { approval: "an approval", message: "a message", delay: "a delay", child_run: "a child run" };

function rowsOfRound(round: Round, level: number): TimelineRow[] {
  const common = { path: round.step, open: null, reason: null, call: round.seq };
  const model: TimelineRow = {
    ...common,
    key: `${round.step}#${round.seq}`,
    label: `Round ${round.number}: ${round.model}`,
    level,
    kind: "round",
    status: round.ok ? null : "failed",
    from: round.from,
    to: round.to,
    bars: [{ kind: "model", from: round.from, to: round.to, title: `${round.provider}:${round.model}`, failed: !round.ok }],
  };
  const tools = round.calls.map((call, index): TimelineRow => ({
    ...common,
    key: `${round.step}#${round.seq}.${index}`,
    label: call.tool,
    level: level + 1,
    kind: "tool",
    status: call.error ? "failed" : null,
    from: call.from,
    to: call.to,
    bars: call.from === null ? [] : [{ kind: "tool", from: call.from, to: call.to, title: call.tool, failed: call.error !== null }],
  }));
  return [model, ...tools];
}
