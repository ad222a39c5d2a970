/** The graph laid out, anew whenever something is folded or unfolded. */

import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { runGraphQuery } from "../../../api/run";
import { placeWithDagre } from "../../../model/run/dagre";
import { layOut, sizeOf, type LaidGraph, type Unfolding } from "../../../model/run/layout";
import { iterationOf, templateOf } from "../../../model/run/paths";
import { placeRoughly } from "../../../model/run/rough";
import type { DrawnGraph } from "../../../model/run/tree";
import { isLive } from "../../../model/status";
import { useRunPage } from "../run-page";

const LARGE = 200;

export function useLaidGraph(): LaidGraph | null {
  const { graph, graphIsKnown, tree, isOpen, record, chosen, values } = useRunPage();
  const open = useOpenTemplates(isOpen, [tree, chosen, values["open"]]);
  const children = useChildGraphs(open);
  const key = useMemo(() => [...open].sort().join("|") + [...children.keys()].join("|"), [open, children]);
  const [laid, setLaid] = useState<LaidGraph | null>(null);
  const whole = graph ?? (graphIsKnown && record.steps.size > 0 ? flat([...record.steps.keys()], record) : null);
  const flatSize = graph ? 0 : (whole?.nodes.length ?? 0);
  const shown = useRef(false);
  useEffect(() => {
    if (!whole) return;
    let wanted = true;
    const unfolding: Unfolding = { isOpen: (path) => open.has(path), inner: (path) => children.get(path) ?? null };
    const large = sizeOf(whole, unfolding) > LARGE;
    const show = (done: LaidGraph) => {
      if (!wanted) return;
      shown.current = true;
      setLaid(done);
    };
    if (!large) void layOut(whole, placeWithDagre, unfolding).then(show);
    else void placeLarge(whole, unfolding, show, shown.current);
    return () => {
      wanted = false;
    };
    // `key` stands for what is unfolded; the graph of a version never changes.
  }, [graph, key, flatSize]);
  return laid;
}

/** At once roughly, where nothing is drawn yet, then well. Where the worker cannot be had, it stays as it is. */
async function placeLarge(graph: DrawnGraph, unfolding: Unfolding, show: (laid: LaidGraph) => void, isDrawn: boolean): Promise<void> {
  const well = import("./elk").then((elk) => layOut(graph, elk.placeWithElk, unfolding)).catch(() => null);
  if (!isDrawn) show(await layOut(graph, placeRoughly, unfolding));
  const laid = (await well) ?? (isDrawn ? await layOut(graph, placeRoughly, unfolding) : null);
  if (laid) show(laid);
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
