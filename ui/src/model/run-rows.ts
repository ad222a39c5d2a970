/** A list of runs that is looked at while runs go on: rows change in place, none moves, and what is new is only counted. */

export interface ListedRow {
  id: string;
  created_at: string;
  status: string;
}

/** Return the shown rows with what is known of them now; the rows themselves where nothing changed. */
export function updated<Row extends ListedRow>(shown: readonly Row[], known: readonly Row[]): readonly Row[] {
  if (known.length === 0) return shown;
  const byId = new Map(known.map((row) => [row.id, row]));
  let changed = false;
  const rows = shown.map((row) => {
    const now = byId.get(row.id);
    if (!now || JSON.stringify(now) === JSON.stringify(row)) return row;
    changed = true;
    return { ...row, ...now };
  });
  return changed ? rows : shown;
}

/** Return how many of the newest runs are newer than all that is shown. */
export function newerThan(shown: readonly ListedRow[], newest: readonly ListedRow[]): number {
  const ids = new Set(shown.map((row) => row.id));
  const first = shown[0];
  return newest.filter((row) => !ids.has(row.id) && (!first || row.created_at >= first.created_at)).length;
}
