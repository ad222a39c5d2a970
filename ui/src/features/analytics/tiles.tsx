/** The figures one looks at first. Each is a link to its runs. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { liveCountsQuery } from "../../api/attention";
import { costQuery, durationQuery, runsCountQuery, stepsExecutedQuery, successRateQuery, tokensQuery } from "../../api/analytics";
import { runsAddress, type Address } from "../../app/addresses";
import { PageLink } from "../../components/page-link";
import { compact, count, money, percent, plural } from "../../model/money";
import { EVER } from "../../model/run-choices";
import { sum } from "../../model/figures";
import { LIVE_STATUSES } from "../../model/status";
import { duration } from "../../model/time";
import styles from "./page.module.css";
import type { PartProps } from "./shared";

export function Tiles({ asked, names }: PartProps) {
  const live = useQuery(liveCountsQuery);
  const runs = useQuery(runsCountQuery(asked));
  const success = useQuery(successRateQuery(asked));
  const took = useQuery(durationQuery(asked));
  const steps = useQuery(stepsExecutedQuery(asked));
  const tokens = useQuery(tokensQuery(asked));
  const cost = useQuery(costQuery(asked));
  const to = (row: { search: string } | undefined) => row && names.behind(row.search);
  const time = (ms: number | null | undefined) => (ms === null || ms === undefined ? "-" : duration(ms));
  const { total: ended } = success.data ?? {};
  const { total: times } = took.data ?? {};
  const { total: spent } = cost.data ?? {};
  const failed = steps.data && sum(steps.data.total.types.map((type) => type.statuses["failed"] ?? 0));
  return (
    <div className={styles.tiles}>
      <Tile
        label="Live now"
        to={runsAddress({ status: LIVE_STATUSES, from: EVER })}
        value={live.data && count(live.data.count)}
        note="in all workflows"
      />
      <Tile label="Runs" to={to(runs.data?.total)} value={runs.data && count(runs.data.total.runs)} />
      <Tile
        label="Success rate"
        to={to(ended)}
        value={ended && percent(ended.success_rate)}
        note={ended && (ended.success_rate === null ? "too few have ended" : `of ${plural(ended.ended, "ended run")}`)}
      />
      <Tile
        label="Duration, median"
        to={to(times)}
        value={times && time(times.p50_ms)}
        note={times && `p90 ${time(times.p90_ms)} · p95 ${time(times.p95_ms)} · p99 ${time(times.p99_ms)}`}
      />
      <Tile
        label="Steps executed"
        to={to(steps.data?.total)}
        value={steps.data && compact(steps.data.total.executed)}
        note={failed === undefined ? undefined : `${count(failed)} failed`}
      />
      <Tile
        label="Tokens"
        to={to(tokens.data?.total)}
        value={tokens.data && compact(tokens.data.total.tokens)}
        note={tokens.data && `${plural(tokens.data.total.generations, "model call")}`}
      />
      <Tile label="Cost" to={to(spent)} value={spent && money(spent.cost_usd)} note={spent && perRun(spent)} />
      <Tile
        label="Saved by cache"
        to={to(spent)}
        value={spent && money(spent.saved_cost_usd)}
        note={spent && `${plural(spent.cache_hits ?? 0, "hit")}, ${duration(spent.saved_ms ?? 0)}`}
      />
    </div>
  );
}

function perRun({ cost_usd, runs }: { cost_usd: string; runs: number }): string {
  return runs === 0 ? "no runs" : `${money(Number(cost_usd) / runs)} a run`;
}

function Tile({ label, value, note, to }: { label: string; value: string | undefined; note?: ReactNode; to: Address | undefined }) {
  const body = (
    <>
      <span className={styles.name}>{label}</span>
      <span className={styles.value}>{value ?? <Skeleton height={20} width={64} my={4} />}</span>
      <span className={styles.note}>{note ?? "\u00a0"}</span>
    </>
  );
  return to ? (
    <PageLink address={to} className={styles.tile}>
      {body}
    </PageLink>
  ) : (
    <div className={styles.tile} aria-busy="true">
      {body}
    </div>
  );
}
