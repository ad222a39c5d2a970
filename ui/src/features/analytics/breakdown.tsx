/** The figures of each workflow, version, model or trigger, side by side. Every bar opens its list of runs. */

import { SegmentedControl, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { costQuery, durationQuery, runsCountQuery, successRateQuery, tokensQuery, type Group } from "../../api/analytics";
import type { Address } from "../../app/addresses";
import { PageLink } from "../../components/page-link";
import { InlineTrouble } from "../../components/trouble";
import { GROUPS, shareOf, type FigureChoices } from "../../model/figures";
import { compact, count, money, percent } from "../../model/money";
import { duration } from "../../model/time";
import styles from "./page.module.css";
import type { PartProps } from "./shared";

const LABELS: Record<string, string> = { workflow: "Workflow", version: "Version", model: "Model", trigger: "Trigger" };

export function Breakdown({ choices, names, asked, onChange }: PartProps) {
  const wanted = { ...asked, group_by: choices.by };
  const runs = useQuery(runsCountQuery(wanted));
  const success = byGroup(useQuery(successRateQuery(wanted)).data?.groups);
  const took = byGroup(useQuery(durationQuery(wanted)).data?.groups);
  const tokens = byGroup(useQuery(tokensQuery(wanted)).data?.groups);
  const cost = byGroup(useQuery(costQuery(wanted)).data?.groups);
  const rows = runs.data?.groups ?? [];
  const mostRuns = Math.max(0, ...rows.map((row) => row.runs));
  const mostCost = Math.max(0, ...[...cost.values()].map((row) => Number(row.cost_usd)));
  const mostTime = Math.max(0, ...[...took.values()].map((row) => row.p95_ms ?? 0));
  return (
    <section className={styles.part} aria-labelledby="breakdown">
      <header className={styles.head}>
        <h2 id="breakdown">Side by side</h2>
        <SegmentedControl
          size="xs"
          aria-label="Group by"
          value={choices.by}
          onChange={(by) => onChange({ by: by as FigureChoices["by"] })}
          data={GROUPS.map((each) => ({ value: each, label: LABELS[each] ?? each }))}
        />
      </header>
      {runs.error ? (
        <InlineTrouble error={runs.error} onRetry={() => void runs.refetch()} />
      ) : runs.isPending ? (
        <Skeleton height={160} />
      ) : rows.length === 0 ? (
        <p className={styles.none}>No run began in this time.</p>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label="Side by side">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{LABELS[choices.by]}</th>
                <th scope="col">Runs</th>
                <th scope="col">Success rate</th>
                <th scope="col">Median</th>
                <th scope="col">p95</th>
                <th scope="col" data-right>
                  Tokens
                </th>
                <th scope="col">Cost</th>
                <th scope="col" data-right>
                  Saved
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const key = keyOf(row.group);
                const [rate, time, used, spent] = [success.get(key), took.get(key), tokens.get(key), cost.get(key)];
                return (
                  <tr key={key}>
                    <th scope="row">
                      <bdi>{names.ofGroup(row.group)}</bdi>
                    </th>
                    <Bar to={names.behind(row.search)} share={shareOf(row.runs, mostRuns)} tone="blue" text={count(row.runs)} />
                    <Bar
                      to={rate && names.behind(rate.search)}
                      share={rate?.success_rate ?? 0}
                      tone="green"
                      text={percent(rate?.success_rate)}
                    />
                    <td>{time?.p50_ms === null || !time ? "-" : duration(time.p50_ms ?? 0)}</td>
                    <Bar
                      to={time && names.behind(time.search)}
                      share={shareOf(time?.p95_ms ?? 0, mostTime)}
                      tone="violet"
                      text={time?.p95_ms === null || !time ? "-" : duration(time.p95_ms ?? 0)}
                    />
                    <td data-right>{used ? compact(used.tokens) : "-"}</td>
                    <Bar
                      to={spent && names.behind(spent.search)}
                      share={shareOf(Number(spent?.cost_usd ?? 0), mostCost)}
                      tone="amber"
                      text={money(spent?.cost_usd)}
                    />
                    <td data-right>{money(spent?.saved_cost_usd)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {(runs.data?.groups_left_out ?? 0) > 0 && (
        <p className={styles.none}>{count(runs.data?.groups_left_out ?? 0)} more have fewer runs.</p>
      )}
    </section>
  );
}

function byGroup<T extends { group?: Group | null }>(rows: readonly T[] | undefined): Map<string, T> {
  return new Map((rows ?? []).map((row) => [keyOf(row.group), row]));
}

const keyOf = (group: Group | null | undefined) => JSON.stringify([group?.workflow_id, group?.version, group?.model, group?.trigger]);

interface BarProps {
  to: Address | undefined;
  share: number;
  tone: string;
  text: ReactNode;
}

export function Bar({ to, share, tone, text }: BarProps) {
  const body = (
    <>
      <span className={styles.track} aria-hidden>
        <span style={{ width: `${Math.round(share * 100)}%`, background: `var(--tone-${tone})` }} />
      </span>
      <span className={styles.figure}>{text}</span>
    </>
  );
  return (
    <td>
      {to ? (
        <PageLink address={to} className={styles.bar}>
          {body}
        </PageLink>
      ) : (
        <span className={styles.bar}>{body}</span>
      )}
    </td>
  );
}
