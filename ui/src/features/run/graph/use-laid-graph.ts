/** The graph laid out, anew whenever something is folded or unfolded. */

import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { runGraphQuery } from "../../../api/run";
import { placeWithDagre } from "../../../model/run/dagre";
import { layOut, sizeOf, type LaidGraph, type Unfolding } from "../../../model/run/layout";
import { iterationOf, templateOf } from "../../../model/run/paths";
import type { DrawnGraph } from "../../../model/run/tree";
import { isLive } from "../../../model/status";
import { useRunPage } from "../run-page";

const LARGE = 200;

export function useLaidGraph(): LaidGraph | null {
  const { graph, tree, isOpen, record, chosen, values } = useRunPage();
  const open = useOpenTemplates(isOpen, [tree, chosen, values["open"]]);
  const children = useChildGraphs(open);
  const key = useMemo(() => [...open].sort().join("|") + [...children.keys()].join("|"), [open, children]);
  const [laid, setLaid] = useState<LaidGraph | null>(null);
  const whole = graph ?? (record.steps.size > 0 ? flat([...record.steps.keys()], record) : null);
  useEffect(() => {
    if (!whole) return;
    let wanted = true;
    const unfolding: Unfolding = { isOpen: (path) => open.has(path), inner: (path) => children.get(path) ?? null };
    const large = sizeOf(whole, unfolding) > LARGE;
    const place = large ? import("./elk").then((elk) => elk.placeWithElk) : Promise.resolve(placeWithDagre);
    void place
      .then((placer) => layOut(whole, placer, unfolding))
      .then((done) => {
        if (wanted) setLaid(done);
      });
    return () => {
      wanted = false;
    };
    // `key` stands for what is unfolded; the graph of a version never changes.
  }, [graph, key]);
  return laid;
}

/** A run without a document, as one of a trace: its outermost steps, unconnected. */
function flat(paths: string[], record: { steps: Map<string, { type: string }> }): DrawnGraph {
  const outer = paths.filter((path) => templateOf(path) === path && !path.includes("."));
  return { nodes: outer.map((id) => ({ id, type: record.steps.get(id)?.type ?? "", name: null })), edges: [] };
}

function useOpenTemplates(isOpen: (path: string) => boolean, changes: unknown[]): Set<string> {
  const { graph, record } = useRunPage();
  return useMemo(() => {
    const found = new Set<string>();
    const visit = (drawn: DrawnGraph | null | undefined, parent: string) => {
      for (const each of drawn?.nodes ?? []) {
        const path = parent + each.id;
        if (isOpen(path)) found.add(path);
        visit(each.steps, `${path}.`);
      }
    };
    visit(graph, "");
    for (const path of record.steps.keys()) if (iterationOf(path) === null && isOpen(path)) found.add(templateOf(path));
    return found;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isOpen, graph, ...changes]);
}

function useChildGraphs(open: ReadonlySet<string>): Map<string, DrawnGraph> {
  const { record } = useRunPage();
  const wanted = [...record.steps.values()].filter((step) => step.type === "workflow" && open.has(templateOf(step.path)));
  const ids = wanted.flatMap((step) =>
    step.children.slice(-1).map((id) => ({ path: templateOf(step.path), id, live: isLive(step.status) })),
  );
  const found = useQueries({
    queries: ids.map(({ id, live }) => ({
      ...runGraphQuery(id),
      staleTime: live ? 0 : 60_000,
      refetchInterval: live ? 3_000 : (false as const),
    })),
  });
  const stamp = found.map((each) => each.dataUpdatedAt).join();
  return useMemo(
    () => new Map(ids.flatMap(({ path }, index) => (found[index]?.data ? [[path, found[index].data as DrawnGraph] as const] : []))),
    [stamp, ids.length],
  );
}
