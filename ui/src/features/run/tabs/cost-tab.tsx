/** What the run cost up to the moment that is shown: by model, by step, and what the cache saved. */

import { IconCoin } from "@tabler/icons-react";
import { useMemo } from "react";

import { EmptyState } from "../../../components/empty-state";
import { Money } from "../../../components/money";
import { oneLine } from "../../../model/safe-text";
import { count } from "../../../model/money";
import { costsOf, type CostRow } from "../../../model/run/cost";
import { usd } from "../../../model/run/record";
import { duration } from "../../../model/time";
import { useRunPage } from "../run-page";
import styles from "./cost-tab.module.css";
import tabs from "./tabs.module.css";

export function CostTab() {
  const { record, run, at, choose } = useRunPage();
  const costs = useMemo(() => costsOf(record), [record]);
  const { total } = costs;
  return (
    <div className={tabs.scroll} tabIndex={0} role="region" aria-label="Cost">
      <dl className={styles.figures}>
        <Figure label="Cost">
          <Money usd={usd(total.nanos)} />
        </Figure>
        <Figure label="Credits">{at === null && run.credits ? run.credits : "-"}</Figure>
        <Figure label="Model calls">{count(total.calls)}</Figure>
        <Figure label="Input tokens" under={total.cached > 0 ? `${count(total.cached)} cached` : undefined}>
          {count(total.input)}
        </Figure>
        <Figure label="Output tokens" under={total.reasoning > 0 ? `${count(total.reasoning)} of reasoning` : undefined}>
          {count(total.output)}
        </Figure>
        <Figure label="Saved by cache" under={costs.hits > 0 ? `${costs.hits} hits, ${duration(costs.savedMs)}` : undefined}>
          <Money usd={usd(costs.savedNanos)} />
        </Figure>
      </dl>
      {costs.byModel.length === 0 ? (
        <EmptyState
          icon={<IconCoin />}
          title="No model was called"
          text="Only model calls cost something. When one is made, it is told here."
        />
      ) : (
        <>
          <CostTable title="By model" head="Model" rows={costs.byModel} />
          <CostTable title="By step" head="Step" rows={costs.byStep} onChoose={choose} />
        </>
      )}
    </div>
  );
}

function Figure({ label, under, children }: { label: string; under?: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
      {under && <dd className={styles.under}>{under}</dd>}
    </div>
  );
}

function CostTable({ title, head, rows, onChoose }: { title: string; head: string; rows: CostRow[]; onChoose?: (path: string) => void }) {
  return (
    <section className={styles.part}>
      <h2>{title}</h2>
      <div className={styles.wide} tabIndex={0} role="group" aria-label={title}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{head}</th>
              <th scope="col">Calls</th>
              <th scope="col">Failed</th>
              <th scope="col">Input</th>
              <th scope="col">Output</th>
              <th scope="col">Mean time</th>
              <th scope="col">Cost</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, used, failed, latencyMs }) => (
              <tr key={key}>
                <th scope="row">
                  {onChoose ? (
                    <button type="button" className={styles.link} onClick={() => onChoose(key)}>
                      {oneLine(key)}
                    </button>
                  ) : (
                    oneLine(key)
                  )}
                </th>
                <td>{count(used.calls)}</td>
                <td>{failed > 0 ? count(failed) : "-"}</td>
                <td>{count(used.input)}</td>
                <td>{count(used.output)}</td>
                <td>{duration(latencyMs / Math.max(1, used.calls))}</td>
                <td>
                  <Money usd={usd(used.nanos)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
