/** The selected runs, page after page, as they are now. */

import { MOST_AT_ONCE, readRuns, readThese, type RunScope, type RunSummary } from "../../api/runs";
import { filtersOf, type RunChoices } from "../../model/run-choices";
import { isSelected, type Selection } from "../../model/selection";

const PAGE = 200;

/**
 * All that match are read from the list as it is when this begins: what is made meanwhile is not among them, and a run that leaves the
 * list because of what is done to it shifts no page, for pages are found by cursors.
 */
export async function* selectedRuns(
  scope: RunScope,
  choices: RunChoices,
  rows: readonly RunSummary[],
  selection: Selection,
): AsyncGenerator<RunSummary[]> {
  if (selection.kind === "some") {
    yield rows.filter((run) => selection.ids.has(run.id));
    const others = [...selection.ids].filter((id) => !rows.some((run) => run.id === id));
    for (let at = 0; at < others.length; at += MOST_AT_ONCE) yield (await readThese(others.slice(at, at + MOST_AT_ONCE))).data;
    return;
  }
  let cursor: string | undefined;
  do {
    const page = await readRuns({ scope, filters: filtersOf(choices), limit: PAGE, cursor });
    yield page.data.filter((run) => isSelected(selection, run.id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
}
