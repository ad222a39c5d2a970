/** What the Command Center shows, kept up to date. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { failedRunsQuery, liveCountsQuery, liveRunsQuery, overviewQuery } from "../../api/attention";
import { theseRunsQuery, type RunSummary } from "../../api/runs";
import { pendingTasksQuery } from "../../api/tasks";
import { useNow } from "../../app/now";
import { groupFailures, mayBeStuck, stuckWhy, type Wait } from "../../model/attention";

const MOST_LOOKED_AT = 12;
const LOOK_MS = 15_000;

export interface StuckRun {
  run: RunSummary;
  why: string;
  help: string;
}

export function useTasks() {
  const tasks = useQuery(pendingTasksQuery);
  const ids = useMemo(() => [...new Set((tasks.data?.data ?? []).map((task) => task.run_id))].sort(), [tasks.data]);
  const runs = useQuery({ ...theseRunsQuery(ids), enabled: ids.length > 0, refetchInterval: 10_000, placeholderData: (before) => before });
  const runOf = useMemo(() => new Map((runs.data?.data ?? []).map((run) => [run.id, run])), [runs.data]);
  return { tasks, runOf };
}

export function useRunsOfInterest() {
  const now = useNow(LOOK_MS);
  const live = useQuery(liveRunsQuery);
  const failed = useQuery(failedRunsQuery);
  const counts = useQuery(liveCountsQuery);
  const under = useMemo(() => live.data?.data ?? [], [live.data]);
  const looked = useMemo(() => under.filter((run) => mayBeStuck(run, now)).slice(0, MOST_LOOKED_AT), [under, now]);
  const overviews = useQueries({ queries: looked.map((run) => overviewQuery(run.id)) });
  const waits = new Map(overviews.flatMap(({ data }) => (data ? [[data.id, data.waits as Wait[]] as const] : [])));
  const stuck = under.flatMap<StuckRun>((run) => {
    const found = stuckWhy(run, waits.get(run.id), now);
    return found ? [{ run, ...found }] : [];
  });
  const of = (...statuses: string[]) => under.filter((run) => statuses.includes(run.status));
  const failures = useMemo(() => groupFailures<RunSummary>(failed.data?.data ?? []), [failed.data]);
  const counted = Object.fromEntries((counts.data?.statuses ?? []).map(({ status, count }) => [status, count])) as Record<string, number>;
  return { live, failed, counted, running: of("running", "queued"), stopping: of("draining"), stuck, failures };
}
