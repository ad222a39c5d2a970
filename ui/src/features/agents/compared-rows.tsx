/** An experiment row by row: what was given, what was expected, and each variant's run. */

import type { ComparedRow } from "../../api/evaluations";
import type { Workflow } from "../../api/workflows";
import { agentRunAddress } from "../../app/addresses";
import { PageLink } from "../../components/page-link";
import { StatusBadge } from "../../components/status-badge";
import table from "../../components/table.module.css";
import { outputText } from "../../model/playground";
import { oneLine } from "../../model/safe-text";
import styles from "./agents.module.css";
import { score } from "./comparison-table";

interface Props {
  agent: Workflow;
  variants: string[];
  rows: ComparedRow[];
}

type Cell = ComparedRow["cells"][number];

export function ComparedRows({ agent, variants, rows }: Props) {
  return (
    <section aria-label="Row by row">
      <h2 className={styles.heading} style={{ marginBottom: 8 }}>
        Row by row
      </h2>
      <div className={styles.wide} tabIndex={0} role="region" aria-label="Rows">
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col" data-right>
                Row
              </th>
              <th scope="col">Input</th>
              <th scope="col">Expected</th>
              {variants.map((name) => (
                <th key={name} scope="col">
                  {oneLine(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.row}>
                <td data-right>{row.row}</td>
                <td style={{ maxWidth: 280 }}>{brief(row.input)}</td>
                <td style={{ maxWidth: 200 }}>{row.expected === null || row.expected === undefined ? "-" : brief(row.expected)}</td>
                {variants.map((name) => {
                  const cell = row.cells.find((each) => each.variant === name);
                  return <td key={name}>{cell ? <Outcome agent={agent} cell={cell} row={row.row} /> : "-"}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function brief(value: unknown): string {
  return oneLine(outputText(value).slice(0, 200));
}

const AS_RUN = { pending: "queued", succeeded: "succeeded", failed: "failed", stopped: "stopped" };
const OUTCOMES = { win: "won", loss: "lost", tie: "tied" };

function Outcome({ agent, cell, row }: { agent: Workflow; cell: Cell; row: number }) {
  const badge = (
    <>
      <StatusBadge status={AS_RUN[cell.status]} size="sm" />
      {cell.score !== null && <span className="numbers">{score(cell.score)}</span>}
      {cell.outcome && (
        <span className={cell.outcome === "win" ? styles.wins : cell.outcome === "loss" ? styles.losses : styles.mark}>
          {OUTCOMES[cell.outcome]}
        </span>
      )}
    </>
  );
  if (!cell.run_id || cell.status === "pending") return <span className={styles.cell}>{badge}</span>;
  const comments = cell.scores.map((each) => each.comment ?? each.error).filter(Boolean);
  return (
    <PageLink
      address={agentRunAddress(agent.slug, cell.run_id)}
      className={styles.cell}
      title={comments.length > 0 ? oneLine(comments.join("; ")) : undefined}
    >
      <span className="visually-hidden">
        Run of {oneLine(cell.variant)} on row {row}
      </span>
      {badge}
    </PageLink>
  );
}
