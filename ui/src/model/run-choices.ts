/** What somebody chose to see in a list of runs, and how it stands in the address. The address is the only place where it is kept. */

import { firstOf, listOf, type SearchValues } from "./search-values";
import { dayMoment, dayOf, startOfDay, type TimeZone } from "./time";

export type Archived = "false" | "true" | "only";

export interface RunChoices {
  q: string;
  status: string[];
  workflow: string[];
  trigger: string[];
  tag: string[];
  environment: string[];
  /** As the API takes them: relative (`-30d`), a day or a moment. Without either: the last 7 days. */
  from?: string;
  to?: string;
  archived: Archived;
  /** Ids of columns, in order; empty: the usual ones. */
  columns: string[];
  rows: number;
  cursor?: string;
}

export const ROWS = [25, 50, 100, 200];
export const USUAL_ROWS = 50;
/** Before any run there is. */
export const EVER = "1970-01-01";
const LISTS = ["status", "workflow", "trigger", "tag", "environment"] as const;

export function readChoices(values: SearchValues): RunChoices {
  const rows = Number(firstOf(values["rows"]));
  const archived = firstOf(values["archived"]);
  return {
    q: firstOf(values["q"]) ?? "",
    status: listOf(values["status"]),
    workflow: listOf(values["workflow"]),
    trigger: listOf(values["trigger"]),
    tag: listOf(values["tag"]),
    environment: listOf(values["environment"]),
    from: firstOf(values["from"]) || undefined,
    to: firstOf(values["to"]) || undefined,
    archived: archived === "true" || archived === "only" ? archived : "false",
    columns: (firstOf(values["columns"]) ?? "").split(",").filter(Boolean),
    rows: ROWS.includes(rows) ? rows : USUAL_ROWS,
    cursor: firstOf(values["cursor"]) || undefined,
  };
}

/** Return the address's values; what is as usual is left out. */
export function writeChoices(choices: RunChoices): SearchValues {
  const { q, from, to, archived, columns, rows, cursor } = choices;
  return {
    q: q || undefined,
    ...Object.fromEntries(LISTS.map((name) => [name, choices[name].length > 0 ? choices[name] : undefined])),
    from,
    to,
    archived: archived === "false" ? undefined : archived,
    columns: columns.length > 0 ? columns.join(",") : undefined,
    rows: rows === USUAL_ROWS ? undefined : String(rows),
    cursor,
  };
}

/** Return the choices with these changed; another list begins at its first page. */
export function choose(choices: RunChoices, change: Partial<RunChoices>): RunChoices {
  const stays = Object.keys(change).every((name) => name === "columns");
  return { ...choices, cursor: stays ? choices.cursor : undefined, ...change };
}

/** Return the filters as the API takes them, without page and columns. */
export function filtersOf(choices: RunChoices) {
  const { q, from, to, archived } = choices;
  return {
    ...(q ? { q } : {}),
    ...Object.fromEntries(LISTS.filter((name) => choices[name].length > 0).map((name) => [name, choices[name]])),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(archived === "false" ? {} : { archived }),
  } as {
    q?: string;
    status?: string[];
    workflow?: string[];
    trigger?: string[];
    tag?: string[];
    environment?: string[];
    from?: string;
    to?: string;
    archived?: Archived;
  };
}

export function hasFilters(choices: RunChoices): boolean {
  return Object.keys(filtersOf(choices)).length > 0;
}

export function withoutFilters(choices: RunChoices): RunChoices {
  return { ...readChoices({}), columns: choices.columns, rows: choices.rows };
}

/** Return all filters as one text of the search language: what a saved view keeps. */
export function asQuery(choices: RunChoices): string {
  const terms = [
    choices.q.trim() && (/\bOR\b/.test(choices.q) ? `(${choices.q.trim()})` : choices.q.trim()),
    ...LISTS.map((name) => choices[name].length > 0 && `${name}:${choices[name].map(quoted).join(",")}`),
    choices.from && `begun:>=${quoted(choices.from)}`,
    choices.to && `begun:<${quoted(choices.to)}`,
    choices.archived === "only" && "archived:true",
    choices.archived === "true" && "archived:true,false",
  ];
  return terms.filter(Boolean).join(" ");
}

/** Return a value as the search language takes it: in quotes where it must. */
export function quoted(value: string): string {
  return value !== "" && /^[^\s,()"*:~<>=!][^\s,()"*]*$/.test(value) && !/^(empty|notempty)$/.test(value) ? value : JSON.stringify(value);
}

export interface Period {
  from: string | undefined;
  label: string;
}

export const PERIODS: Period[] = [
  { from: "-1h", label: "Last hour" },
  { from: "-24h", label: "Last 24 hours" },
  { from: undefined, label: "Last 7 days" },
  { from: "-30d", label: "Last 30 days" },
  { from: "-90d", label: "Last 90 days" },
  { from: EVER, label: "All time" },
];

/** Return the period in words. A `to` is the beginning of the first day that is left out. */
export function periodLabel({ from, to }: Pick<RunChoices, "from" | "to">, zone: TimeZone): string {
  if (!to) return PERIODS.find((period) => period.from === from)?.label ?? `Since ${dayMoment(from ?? "", zone)}`;
  const last = dayOf(new Date(to).getTime() - 1, zone);
  const until = startOfDay(last, zone, 1) === new Date(to).toISOString().replace(".000Z", "Z") ? startOfDay(last, zone) : to;
  return from && from !== EVER ? `${dayMoment(from, zone)} to ${dayMoment(until, zone)}` : `Until ${dayMoment(until, zone)}`;
}
