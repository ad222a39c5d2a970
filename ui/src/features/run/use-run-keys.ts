/** The single keys of a run's page. */

import { useKeys } from "../../app/keys";
import { rowsOf } from "../../model/run/tree";
import { goToDecision } from "./reveal";
import type { RunPage } from "./run-page";
import { TABS } from "./tabs/tab-names";

export function useRunKeys(page: RunPage): void {
  const { tree, isOpen, chosen, choose, change, at, watched } = page;
  const step = (by: 1 | -1) => {
    const paths = rowsOf(tree, isOpen).map((row) => row.node.path);
    const now = chosen === null ? -1 : paths.indexOf(chosen);
    const next = paths[Math.min(Math.max(now + by, 0), paths.length - 1)];
    if (next !== undefined) choose(next);
  };
  const rewind = (by: 1 | -1) => {
    const next = (at ?? watched.count) + by;
    change({ at: next >= watched.count ? undefined : String(Math.max(1, next)) }, { replace: true });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ",": () => rewind(-1),
    ".": () => rewind(1),
    a: goToDecision,
    ...Object.fromEntries(TABS.map(({ id }, index) => [String(index + 1), () => change({ tab: index === 0 ? undefined : id })])),
  });
}
