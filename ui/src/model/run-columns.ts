/** The columns that a list of runs can have. Fields of inputs, outputs and metadata are columns, too: their name is their id. */

export interface ColumnInfo {
  id: string;
  label: string;
  /** Numbers stand at the right. */
  right?: boolean;
  /** px. */
  width: number;
}

export const COLUMNS: ColumnInfo[] = [
  { id: "flow", label: "Flow", width: 220 },
  { id: "status", label: "Status", width: 140 },
  { id: "started", label: "Started", width: 120 },
  { id: "duration", label: "Duration", width: 100, right: true },
  { id: "failed_step", label: "Failed step", width: 150 },
  { id: "trigger", label: "Trigger", width: 90 },
  { id: "cost", label: "Cost", width: 90, right: true },
  { id: "tokens", label: "Tokens", width: 80, right: true },
  { id: "input", label: "Input", width: 260 },
  { id: "output", label: "Output", width: 260 },
  { id: "error", label: "Error", width: 260 },
  { id: "version", label: "Version", width: 80, right: true },
  { id: "models", label: "Models", width: 160 },
  { id: "tags", label: "Tags", width: 140 },
  { id: "environment", label: "Environment", width: 110 },
  { id: "created", label: "Created", width: 120 },
  { id: "ended", label: "Ended", width: 120 },
  { id: "cache", label: "Saved by cache", width: 120, right: true },
  { id: "review", label: "Review", width: 90 },
  { id: "score", label: "Score", width: 70, right: true },
  { id: "id", label: "Run", width: 300 },
];

export const USUAL_COLUMNS = ["flow", "status", "started", "duration", "failed_step", "trigger", "cost", "tokens"];

const FIELD = /^(input|output|metadata)(\[\])?(\.|\[\]$)/;

/** Whether the id names a field of what a run was given or gave. */
export function isField(id: string): boolean {
  return FIELD.test(id);
}

/** Return the columns with these ids, in this order; the usual ones for none. What is unknown is left out. */
export function columnsOf(ids: readonly string[]): ColumnInfo[] {
  const wanted = ids.length > 0 ? ids : USUAL_COLUMNS;
  return [...new Set(wanted)].flatMap(
    (id) => COLUMNS.find((column) => column.id === id) ?? (isField(id) ? [{ id, label: id, width: 160 }] : []),
  );
}

/** Return the ids with this column in or out; new ones come last. Of the usual ones nothing is written down. */
export function withColumn(ids: readonly string[], id: string, wanted: boolean): string[] {
  const now = columnsOf(ids).map((column) => column.id);
  const next = wanted ? [...now.filter((each) => each !== id), id] : now.filter((each) => each !== id);
  return next.join() === USUAL_COLUMNS.join() ? [] : next;
}

/** Return the ids with a column moved by one place. */
export function moved(ids: readonly string[], id: string, by: 1 | -1): string[] {
  const next = columnsOf(ids).map((column) => column.id);
  const at = next.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= next.length) return [...ids];
  next.splice(at, 1);
  next.splice(to, 0, id);
  return next.join() === USUAL_COLUMNS.join() ? [] : next;
}
