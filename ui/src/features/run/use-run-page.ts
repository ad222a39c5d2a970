/** Puts together what the page of a run shows: from its events, its graph, and the address. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { oneRunKeys, runGraphQuery, runQuery, type Run } from "../../api/run";
import { RunEvents, type Watched } from "../../api/run-events";
import { useNow } from "../../app/now";
import { useSearchValues } from "../../app/search";
import { culpritOf } from "../../model/run/culprit";
import { foldTo } from "../../model/run/fold";
import { iterationOf } from "../../model/run/paths";
import type { RunRecord } from "../../model/run/record";
import { outerPaths, treeOf, type DrawnGraph } from "../../model/run/tree";
import { firstOf, type SearchValues } from "../../model/search-values";
import { isLive } from "../../model/status";
import type { RunPage } from "./run-page";

/** Return the page, once the run itself is known. */
export function useRunPageOf(id: string, workflow: string | null): { page: RunPage | null; error: unknown; retry: () => void } {
  const source = useMemo(() => new RunEvents(id), [id]);
  useEffect(() => source.start(), [source]);
  const watched = useSyncExternalStore(source.subscribe, source.watched);
  const view = useQuery(runQuery(id, workflow));
  const graph = useQuery(runGraphQuery(id));
  useFreshView(id, watched.record, view.data);

  const [values, changeValues] = useSearchValues();
  const change = useCallback(
    (next: SearchValues, options?: { replace?: boolean }) => changeValues((before) => ({ ...before, ...next }), options),
    [changeValues],
  );
  const latest = useStanding(watched, view.data);
  const at = rewoundTo(values, watched.count);
  const wanted = useDeferredValue(at);
  const record = useMemo(() => (wanted === null ? latest : foldTo(watched.events, wanted)), [latest, watched.events, wanted]);
  const ticking = useNow(1_000);
  const now = wanted === null ? (latest.ended ?? Math.max(ticking, latest.ts)) : record.ts;

  const culprit = useMemo(() => culpritOf(latest)?.path ?? null, [latest]);
  const waits = latest.status === "waiting" ? ([...latest.tasks.values()].find((task) => !task.decided)?.step ?? null) : null;
  // What was offered stays when it is over: whoever approved a step goes on looking at it.
  const before = useRef<string | null>(null);
  const offered = culprit ?? waits ?? before.current ?? onlyStep(latest);
  before.current = offered;
  const chosen = firstOf(values["panel"]) === "run" ? null : (firstOf(values["step"]) ?? offered);
  const choose = useCallback(
    (path: string | null) =>
      change(path === null ? { step: undefined, panel: "run", call: undefined } : { step: path, panel: panelFor(values), call: undefined }),
    [change, values],
  );
  const open = useOpen(values, chosen, change);
  const drawn = (graph.data ?? null) as DrawnGraph | null;
  const tree = useMemo(() => treeOf(record, drawn), [record, drawn]);
  const error = view.error ?? (watched.count === 0 ? watched.error : null);
  const retry = () => {
    void view.refetch();
    source.again();
  };
  if (!view.data || watched.count === 0) return { page: null, error, retry };
  const page = {
    run: view.data,
    source,
    watched,
    latest,
    record,
    at,
    now,
    graph: drawn,
    graphIsKnown: !graph.isPending,
    tree,
    chosen,
    choose,
    ...open,
    values,
    change,
  };
  return { page, error: null, retry };
}

/** While a long past is still read, how the run stands is what the server says, not how far the reading has come. */
function useStanding({ record, whole }: Watched, run: Run | undefined): RunRecord {
  return useMemo(() => {
    if (whole || !run) return record;
    return {
      ...record,
      status: run.status,
      waitingFor: run.waiting_for,
      started: run.started_at ? Date.parse(run.started_at) : record.started,
      ended: run.ended_at ? Date.parse(run.ended_at) : null,
      error: run.error,
      failedStep: run.failed_step,
    };
  }, [record, whole, run]);
}

/** What the panel shows stays when another step is chosen, if it is not the run itself. */
function panelFor(values: SearchValues): string | undefined {
  const panel = firstOf(values["panel"]);
  return panel === "run" || panel === undefined ? undefined : panel;
}

function rewoundTo(values: SearchValues, count: number): number | null {
  const at = Number(firstOf(values["at"]) ?? NaN);
  return Number.isInteger(at) && at >= 1 && at < count ? at : null;
}

/** An agent's run is one step: it opens there. */
function onlyStep(record: RunRecord): string | null {
  const [first, second] = [...record.steps.values()].filter((step) => iterationOf(step.path) === null);
  return first && !second && first.type === "agent" ? first.path : null;
}

function useOpen(values: SearchValues, chosen: string | null, change: (values: SearchValues) => void) {
  const said = firstOf(values["open"]);
  const open = useMemo(() => {
    const paths = said === undefined ? [] : said.split(",").filter(Boolean);
    return new Set(said === undefined && chosen ? [...outerPaths(chosen), chosen] : paths);
  }, [said, chosen]);
  const toggle = useCallback(
    (path: string) => {
      const next = open.has(path) ? [...open].filter((each) => each !== path) : [...open, path];
      change({ open: next.join(",") || "-" }); // an address has no empty values
    },
    [open, change],
  );
  const isOpen = useCallback((path: string) => open.has(path), [open]);
  return { isOpen, toggle };
}

/** What only the server knows of the run is asked for again whenever its status changes. */
function useFreshView(id: string, record: RunRecord, run: Run | undefined): void {
  const client = useQueryClient();
  const [told, setTold] = useState<string | null>(null);
  const { status } = record;
  useEffect(() => {
    if (!run || record.seq === 0) return;
    if (told !== null && told !== status) void client.invalidateQueries({ queryKey: oneRunKeys.view(id) });
    else if (told === null && run.status !== status && !isLive(status)) void client.invalidateQueries({ queryKey: oneRunKeys.view(id) });
    if (told !== status) setTold(status);
  }, [client, id, status, told, run, record.seq]);
}
