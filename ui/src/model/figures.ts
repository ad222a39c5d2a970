/** Figures about many runs: what was chosen, series as they are drawn, and the list of runs that stands behind each number. */

import { EVER } from "./run-choices";
import { firstOf, type SearchValues } from "./search-values";
import { isBroken, isLive, type Tone } from "./status";

export const WINDOWS = ["1h", "24h", "7d", "30d", "90d"] as const;
export const WINDOW_LABELS: Record<string, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 days", "30d": "30 days", "90d": "90 days" };
export const USUAL_WINDOW = "7d";

export const METRICS = ["runs", "cost", "tokens", "steps", "saved"] as const;
export type Metric = (typeof METRICS)[number];
export const METRIC_LABELS: Record<Metric, string> = {
  runs: "Runs",
  cost: "Cost",
  tokens: "Tokens",
  steps: "Steps",
  saved: "Saved by cache",
};

export const GROUPS = ["workflow", "version", "model", "trigger"] as const;
export const GRANULARITIES = ["minute", "hour", "day", "week", "month"] as const;

export interface FigureChoices {
  window: string;
  /** A span of its own, as moments; it goes before the window. */
  from?: string;
  to?: string;
  workflow?: string;
  by: (typeof GROUPS)[number];
  /** Whether the series is parted, too. */
  parted: boolean;
  metric: Metric;
  granularity?: (typeof GRANULARITIES)[number];
  asTable: boolean;
}

export function readFigureChoices(values: SearchValues): FigureChoices {
  const one = (name: string) => firstOf(values[name]) || undefined;
  const among = <T extends string>(all: readonly T[], name: string) => all.find((each) => each === one(name));
  return {
    window: among(WINDOWS, "window") ?? USUAL_WINDOW,
    from: one("from"),
    to: one("to"),
    workflow: one("workflow"),
    by: among(GROUPS, "by") ?? "workflow",
    parted: one("parted") === "yes",
    metric: among(METRICS, "metric") ?? "runs",
    granularity: among(GRANULARITIES, "per"),
    asTable: one("as") === "table",
  };
}

export function writeFigureChoices(choices: FigureChoices): SearchValues {
  const { window, from, to, workflow, by, parted, metric, granularity, asTable } = choices;
  return {
    window: from || window === USUAL_WINDOW ? undefined : window,
    from,
    to,
    workflow,
    metric: metric === "runs" ? undefined : metric,
    per: granularity,
    by: by === "workflow" ? undefined : by,
    parted: parted ? "yes" : undefined,
    as: asTable ? "table" : undefined,
  };
}

/** Return the span as the API takes it. */
export function spanOf({ window, from, to, workflow }: FigureChoices) {
  return { ...(from ? { from, ...(to ? { to } : {}) } : { window }), ...(workflow ? { workflow } : {}) };
}

/** Return the address values of the list in Runs that a number's `search` yields: its times as times, its workflow as one. */
export function listBehind(search: string, slugOf: (id: string) => string | undefined = () => undefined): SearchValues {
  let from: string | undefined;
  let to: string | undefined;
  let workflow: string | undefined;
  const rest = search
    .replace(/(^| )begun:>=(\S+)/, (_, space: string, at: string) => ((from = at), space))
    .replace(/(^| )begun:<(\S+)/, (_, space: string, at: string) => ((to = at), space))
    .replace(/(^| )workflow:(wf_\w+)(?= |$)/, (whole: string, space: string, id: string) => {
      workflow = slugOf(id);
      return workflow ? space : whole;
    });
  return { q: rest.trim().replace(/ {2,}/g, " ") || undefined, workflow, from: from ?? EVER, to };
}

export interface Series {
  label: string;
  tone: Tone;
  values: number[];
}

interface Bucket {
  statuses: Record<string, number>;
}

/** Return how runs ended, as four series: too many statuses in one bar cannot be told apart. */
export function outcomes(buckets: readonly Bucket[]): Series[] {
  const kinds: [string, Tone, (status: string) => boolean][] = [
    ["Succeeded", "green", (status) => status === "succeeded"],
    ["Failed", "red", isBroken],
    ["Canceled", "stone", (status) => status === "stopped"],
    ["Under way", "blue", isLive],
  ];
  const series = kinds.map(([label, tone, fits]) => ({
    label,
    tone,
    values: buckets.map(({ statuses }) => sum(Object.entries(statuses).filter(([status]) => fits(status)).map(([, n]) => n))), // prettier-ignore
  }));
  return series.filter((each, index) => index === 0 || each.values.some((n) => n > 0));
}

export const GROUP_TONES: Tone[] = ["blue", "green", "amber", "violet", "pink", "cyan", "orange", "olive"];
const REST = "Others";

/** Return the groups as series, those with most first; beyond eight they are one. */
export function groupSeries(groups: readonly { label: string; values: number[] }[]): Series[] {
  const sorted = [...groups].sort((a, b) => sum(b.values) - sum(a.values));
  const own = sorted.length > GROUP_TONES.length ? sorted.slice(0, GROUP_TONES.length - 1) : sorted;
  const rest = sorted.slice(own.length);
  const series = own.map((group, index) => ({ ...group, tone: GROUP_TONES[index] ?? "slate" }));
  if (rest.length === 0) return series;
  const values = rest[0]!.values.map((_, index) => sum(rest.map((group) => group.values[index] ?? 0)));
  return [...series, { label: REST, tone: "slate", values }];
}

/** Return each series on top of those before it: what is drawn from the last to the first. */
export function stacked(series: readonly Series[]): number[][] {
  const tops: number[][] = [];
  for (const { values } of series) {
    const below = tops.at(-1);
    tops.push(values.map((value, index) => value + (below?.[index] ?? 0)));
  }
  return tops;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** Return a share of the largest for a bar, 0 to 1. */
export function shareOf(value: number, largest: number): number {
  return largest > 0 ? Math.max(0, value / largest) : 0;
}
