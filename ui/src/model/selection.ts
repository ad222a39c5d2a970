/** Which runs of a list are selected: some of them, or all that match but some. */

export type Selection = { kind: "some"; ids: ReadonlySet<string> } | { kind: "all"; except: ReadonlySet<string> };

export const NONE: Selection = { kind: "some", ids: new Set() };

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === "some" ? selection.ids.has(id) : !selection.except.has(id);
}

/** Return the selection with these rows in or out. */
export function select(selection: Selection, ids: Iterable<string>, wanted: boolean): Selection {
  const listed = new Set(selection.kind === "some" ? selection.ids : selection.except);
  for (const id of ids) {
    if (wanted === (selection.kind === "some")) listed.add(id);
    else listed.delete(id);
  }
  return selection.kind === "some" ? { kind: "some", ids: listed } : { kind: "all", except: listed };
}

/** Return how many runs are selected of so many; null when that is not known. */
export function sizeOf(selection: Selection, total: number | undefined): number | null {
  if (selection.kind === "some") return selection.ids.size;
  return total === undefined ? null : Math.max(0, total - selection.except.size);
}

export function isEmpty(selection: Selection): boolean {
  return selection.kind === "some" && selection.ids.size === 0;
}

/** Whether all, some or none of the rows are selected: what the box in the head of the table shows. */
export function shareOf(selection: Selection, ids: readonly string[]): "all" | "some" | "none" {
  const selected = ids.filter((id) => isSelected(selection, id)).length;
  return selected === 0 ? "none" : selected === ids.length ? "all" : "some";
}
