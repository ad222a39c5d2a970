/** The steps by type: how many, how many failed, how long they took. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { stepsSummaryQuery } from "../../api/analytics";
import { shareOf } from "../../model/figures";
import { count } from "../../model/money";
import { duration } from "../../model/time";
import { Bar } from "./breakdown";
import styles from "./page.module.css";
import type { PartProps } from "./shared";

export function StepTypes({ names, asked }: PartProps) {
  const { data } = useQuery(stepsSummaryQuery(asked));
  const types = [...(data?.total.types ?? [])].sort((a, b) => b.executed - a.executed);
  const most = types[0]?.executed ?? 0;
  const time = (ms: number | null) => (ms === null ? "-" : duration(ms));
  return (
    <section className={styles.part} aria-labelledby="step-types">
      <header className={styles.head}>
        <h2 id="step-types">Steps by type</h2>
      </header>
      {!data ? (
        <Skeleton height={120} />
      ) : types.length === 0 ? (
        <p className={styles.none}>No step was executed in this time.</p>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label="Steps by type">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col">Executed</th>
                <th scope="col" data-right>
                  Failed
                </th>
                <th scope="col" data-right>
                  Median
                </th>
                <th scope="col" data-right>
                  p95
                </th>
                <th scope="col" data-right>
                  p99
                </th>
              </tr>
            </thead>
            <tbody>
              {types.map((row) => (
                <tr key={row.type}>
                  <th scope="row">
                    <code>{row.type}</code>
                  </th>
                  <Bar to={names.behind(row.search)} share={shareOf(row.executed, most)} tone="cyan" text={count(row.executed)} />
                  <td data-right>{count(row.failed)}</td>
                  <td data-right>{time(row.p50_ms)}</td>
                  <td data-right>{time(row.p95_ms)}</td>
                  <td data-right>{time(row.p99_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
