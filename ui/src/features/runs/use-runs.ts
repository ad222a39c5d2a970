/** A list of runs that stays as it is while runs go on: rows change in place, and what is new is counted. */

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { MOST_AT_ONCE, readRuns, runKeys, runsQuery, theseRunsQuery, type RunScope, type RunSummary } from "../../api/runs";
import { filtersOf, type RunChoices } from "../../model/run-choices";
import { columnsOf, isField } from "../../model/run-columns";
import { newerThan, updated } from "../../model/run-rows";
import { isLive } from "../../model/status";

const LIVE_MS = 2_000;
const NEWS_MS = 3_000;
const NEWS_MOST = 50;

export function useRuns(scope: RunScope, choices: RunChoices) {
  const client = useQueryClient();
  const filters = filtersOf(choices);
  const values = columnsOf(choices.columns).map((column) => column.id).filter(isField); // prettier-ignore
  const asked = { scope, filters, limit: choices.rows, cursor: choices.cursor, values };
  const page = useQuery({ ...runsQuery(asked), placeholderData: keepPreviousData });
  const [last, setLast] = useState(page.data);
  if (page.data && page.data !== last) setLast(page.data);
  const kept = page.data ?? (page.error ? last : undefined); // a search that cannot be read leaves the list before it
  const shown = useMemo(() => kept?.data ?? [], [kept]);

  const running = useMemo(
    () =>
      shown
        .filter((run) => isLive(run.status))
        .map((run) => run.id)
        .slice(0, MOST_AT_ONCE),
    [shown],
  );
  const now = useQuery({ ...theseRunsQuery(running), enabled: running.length > 0, refetchInterval: LIVE_MS });
  const rows = useMemo(() => updated<RunSummary>(shown, now.data?.data ?? []), [shown, now.data]);

  const newestAsked = { scope, filters, limit: Math.min(NEWS_MOST, choices.rows) };
  const newest = useQuery({
    queryKey: runKeys.newest(newestAsked),
    queryFn: ({ signal }) => readRuns(newestAsked, signal),
    enabled: !choices.cursor && page.isSuccess && !page.isPlaceholderData,
    refetchInterval: NEWS_MS,
  });
  const news = choices.cursor || !newest.data || page.isPlaceholderData ? 0 : newerThan(shown, newest.data.data);

  const showNews = async () => {
    await client.refetchQueries({ queryKey: runKeys.list(asked), exact: true });
    void client.invalidateQueries({ queryKey: ["runs", "counts"] });
  };
  return { page, rows, news, newsMost: newestAsked.limit, showNews, behind: newest.data?.behind_ms ?? page.data?.behind_ms };
}

/** How many runs there are, and how they divide. Each facet is counted without its own filter, so that it shows what else there is. */
export function useCounts(scope: RunScope, choices: RunChoices) {
  const filters = filtersOf(choices);
  const { status, workflow, ...others } = filters;
  const byStatus = useCount(scope, { ...others, ...(workflow ? { workflow } : {}) });
  const byWorkflow = useCount(scope, { ...others, ...(status ? { status } : {}) });
  const both = useCount(scope, filters);
  return {
    total: both.data?.count,
    allStatuses: byStatus.data?.count,
    statuses: byStatus.data?.facets?.statuses ?? {},
    workflows: byWorkflow.data?.facets,
  };
}

function useCount(scope: RunScope, filters: ReturnType<typeof filtersOf>) {
  const asked = { scope, filters, limit: 1, count: true };
  return useQuery({
    queryKey: runKeys.counts(asked),
    queryFn: ({ signal }) => readRuns(asked, signal),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    refetchInterval: 15_000,
    retry: false,
  });
}
