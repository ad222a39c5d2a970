/**
 * The time axis of a run: work is drawn to scale, long stretches in which nothing worked (a person was asked, the run was
 * paused) are compressed to a narrow band, so that three seconds of work around a night's wait can still be read.
 */

import type { Span } from "./record";

export interface Gap {
  from: number;
  to: number;
  /** Where the band lies, from 0 to 1. */
  left: number;
  width: number;
}

export interface Axis {
  from: number;
  to: number;
  gaps: Gap[];
  /** Return where a moment lies, from 0 to 1. */
  at: (ts: number) => number;
  /** Return which moment lies there. */
  back: (place: number) => number;
}

const BAND = 0.04;
/** A gap is compressed when it would take more than so much of the whole. */
const WORTH = 0.12;

/** Return the axis from `from` to `to`. `busy`: when something worked. */
export function axisOf(from: number, to: number, busy: readonly Span[], compressed = true): Axis {
  const end = Math.max(to, from + 1);
  const all = compressed ? idle(from, end, busy) : [];
  const found = all.filter((gap) => gap.to - gap.from > WORTH * (end - from) && gap.to - gap.from > 200);
  const worked = end - from - found.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const band = found.length === 0 ? 0 : Math.min(BAND, 0.5 / found.length);
  const scale = (1 - band * found.length) / Math.max(1, worked);
  const gaps: Gap[] = [];
  let cursor = from;
  let left = 0;
  for (const gap of found) {
    left += (gap.from - cursor) * scale;
    gaps.push({ ...gap, left, width: band });
    left += band;
    cursor = gap.to;
  }
  return { from, to: end, gaps, at: (ts) => place(ts, from, end, gaps, scale), back: (x) => moment(x, from, end, gaps, scale) };
}

function place(ts: number, from: number, to: number, gaps: readonly Gap[], scale: number): number {
  const wanted = Math.min(Math.max(ts, from), to);
  let cursor = from;
  let left = 0;
  for (const gap of gaps) {
    if (wanted < gap.from) break;
    if (wanted < gap.to) return gap.left + (gap.width * (wanted - gap.from)) / (gap.to - gap.from);
    cursor = gap.to;
    left = gap.left + gap.width;
  }
  return Math.min(1, left + (wanted - cursor) * scale);
}

function moment(x: number, from: number, to: number, gaps: readonly Gap[], scale: number): number {
  let cursor = from;
  let left = 0;
  for (const gap of gaps) {
    if (x < gap.left) break;
    if (x < gap.left + gap.width) return gap.from + ((x - gap.left) / gap.width) * (gap.to - gap.from);
    cursor = gap.to;
    left = gap.left + gap.width;
  }
  return Math.min(to, cursor + (x - left) / scale);
}

/** Return the stretches in which nothing worked, in order. */
export function idle(from: number, to: number, busy: readonly Span[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let cursor = from;
  for (const span of [...busy].sort((a, b) => a.from - b.from)) {
    if (span.from > cursor) found.push({ from: cursor, to: Math.min(span.from, to) });
    cursor = Math.max(cursor, span.to ?? to);
    if (cursor >= to) break;
  }
  if (cursor < to) found.push({ from: cursor, to });
  return found.filter((gap) => gap.to > gap.from);
}

const NICE = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5,
];

/** Return ms since the beginning at which to draw a tick: round figures, about `most`, none within a gap. */
export function ticksOf(axis: Axis, most: number): number[] {
  const gone = axis.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const step = NICE.find((each) => (axis.to - axis.from - gone) / each <= most) ?? 864e5;
  const found: number[] = [];
  let last = -1;
  for (let at = 0; at <= axis.to - axis.from && found.length < 4 * most; at += step) {
    const ts = axis.from + at;
    const gap = axis.gaps.find((each) => ts > each.from && ts < each.to);
    if (gap) {
      at = Math.floor((gap.to - axis.from) / step) * step;
      continue;
    }
    const x = axis.at(ts);
    if (x - last >= 0.6 / most) {
      found.push(at);
      last = x;
    }
  }
  return found;
}
