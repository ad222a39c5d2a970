/** What every part of a run's page knows: the run, its record as it is looked at, and what is chosen. */

import { createContext, use } from "react";

import type { Run } from "../../api/run";
import type { RunEvents, Watched } from "../../api/run-events";
import type { RunRecord } from "../../model/run/record";
import type { DrawnGraph, TreeNode } from "../../model/run/tree";
import type { SearchValues } from "../../model/search-values";

export interface RunPage {
  run: Run;
  source: RunEvents;
  watched: Watched;
  /** As it stands now. */
  latest: RunRecord;
  /** As it is looked at: at the moment that the slider shows. */
  record: RunRecord;
  /** The `seq` that it is rewound to; null: as it is now. */
  at: number | null;
  /** The moment at which `record` holds, for what has not ended by then. */
  now: number;
  graph: DrawnGraph | null;
  /** Whether `graph` is all there is: a run without a document has none. */
  graphIsKnown: boolean;
  tree: TreeNode[];
  /** The step that is looked at; null: the run itself. */
  chosen: string | null;
  choose: (path: string | null) => void;
  isOpen: (path: string) => boolean;
  toggle: (path: string) => void;
  values: SearchValues;
  change: (change: SearchValues, options?: { replace?: boolean }) => void;
}

export const RunPageContext = createContext<RunPage | null>(null);

export function useRunPage(): RunPage {
  const page = use(RunPageContext);
  if (!page) throw new Error("there is no run outside its page");
  return page;
}
