/** How runs ended, and how many have not: a bar for each status. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { runsCountQuery } from "../../api/analytics";
import { StatusBadge } from "../../components/status-badge";
import { shareOf } from "../../model/figures";
import { count } from "../../model/money";
import { runLook } from "../../model/status";
import { Bar } from "./breakdown";
import styles from "./page.module.css";
import type { PartProps } from "./shared";

export function Statuses({ names, asked }: PartProps) {
  const { data } = useQuery(runsCountQuery(asked));
  const statuses = [...(data?.total.statuses ?? [])].filter((row) => row.count > 0).sort((a, b) => b.count - a.count);
  const most = statuses[0]?.count ?? 0;
  return (
    <section className={styles.part} aria-labelledby="statuses">
      <header className={styles.head}>
        <h2 id="statuses">Statuses</h2>
      </header>
      {!data ? (
        <Skeleton height={120} />
      ) : statuses.length === 0 ? (
        <p className={styles.none}>No run began in this time.</p>
      ) : (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Runs</th>
            </tr>
          </thead>
          <tbody>
            {statuses.map((row) => (
              <tr key={row.status}>
                <th scope="row">
                  <StatusBadge status={row.status} size="sm" />
                </th>
                <Bar
                  to={names.behind(row.search)}
                  share={shareOf(row.count, most)}
                  tone={runLook(row.status).tone}
                  text={count(row.count)}
                />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
