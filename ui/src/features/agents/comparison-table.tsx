/** The variants of an experiment beside the baseline: scores, wins, times, cost. */

import type { Comparison, VariantFigures } from "../../api/evaluations";
import { Money } from "../../components/money";
import table from "../../components/table.module.css";
import { count } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { duration } from "../../model/time";
import styles from "./agents.module.css";

export function ComparisonTable({ comparison }: { comparison: Comparison }) {
  const judges = comparison.experiment.evaluators ?? [];
  return (
    <div className={styles.wide} tabIndex={0} role="region" aria-label="Comparison">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col" data-right>
              Version
            </th>
            <th scope="col" data-right>
              Score
            </th>
            {judges.length > 1 &&
              judges.map((each) => (
                <th key={each.id} scope="col" data-right>
                  {oneLine(each.name)}
                </th>
              ))}
            <th scope="col">Won, tied, lost</th>
            <th scope="col" data-right>
              Succeeded
            </th>
            <th scope="col" data-right>
              Failed
            </th>
            <th scope="col" data-right>
              Median time
            </th>
            <th scope="col" data-right>
              95 % within
            </th>
            <th scope="col" data-right>
              Cost a run
            </th>
            <th scope="col" data-right>
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {comparison.variants.map((each) => (
            <tr key={each.name}>
              <th scope="row" style={{ color: "var(--ink)", fontSize: 13, fontWeight: 550 }}>
                {oneLine(each.name)}
              </th>
              <td data-right>{each.version}</td>
              <td data-right title={spread(each)}>
                {score(each.score?.mean)}
              </td>
              {judges.length > 1 &&
                judges.map((judge) => (
                  <td key={judge.id} data-right>
                    {score(each.evaluators[judge.name]?.mean)}
                  </td>
                ))}
              <td>{each.is_baseline ? <span className={styles.mark}>Baseline</span> : <Balance figures={each} />}</td>
              <td data-right>{count(each.succeeded)}</td>
              <td data-right className={each.failed > 0 ? styles.losses : undefined}>
                {count(each.failed)}
              </td>
              <td data-right>{each.duration_ms ? duration(each.duration_ms.p50) : "-"}</td>
              <td data-right>{each.duration_ms ? duration(each.duration_ms.p95) : "-"}</td>
              <td data-right>
                <Money usd={each.mean_cost_usd} />
              </td>
              <td data-right title={`Its evaluations: $${each.evaluation_cost_usd}`}>
                <Money usd={each.cost_usd} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Balance({ figures }: { figures: VariantFigures }) {
  return (
    <span className="numbers">
      <span className={figures.wins > 0 ? styles.wins : undefined}>{figures.wins} won</span>, {figures.ties} tied,{" "}
      <span className={figures.losses > 0 ? styles.losses : undefined}>{figures.losses} lost</span>
    </span>
  );
}

export function score(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

function spread(figures: VariantFigures): string | undefined {
  return figures.score
    ? `Of ${figures.score.count}: half within ${score(figures.score.p50)}, 95 % within ${score(figures.score.p95)}`
    : undefined;
}
