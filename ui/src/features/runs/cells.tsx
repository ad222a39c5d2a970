/** What stands in each column of a list of runs. */

import type { ReactNode } from "react";

import type { RunSummary } from "../../api/runs";
import { Duration } from "../../components/duration";
import { Moment } from "../../components/moment";
import { Money } from "../../components/money";
import { StatusBadge } from "../../components/status-badge";
import { compact, count, money } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { isLive } from "../../model/status";
import styles from "./runs-table.module.css";

type Cell = (run: RunSummary) => ReactNode;

const CELLS: Record<string, Cell> = {
  status: (run) => <StatusBadge status={run.status} waiting={run.waiting_for} />,
  started: (run) => <Moment at={run.started_at ?? run.created_at} />,
  duration: (run) => <Duration ms={run.duration_ms} since={isLive(run.status) ? run.started_at : null} />,
  failed_step: (run) => <Words text={run.failed_step} code title={run.error_message} />,
  trigger: (run) => run.trigger,
  cost: (run) => <Money usd={run.cost_usd} />,
  tokens: (run) => (run.tokens ? <span title={count(run.tokens)}>{compact(run.tokens)}</span> : <None />),
  input: (run) => <Words text={run.input_preview} code />,
  output: (run) => <Words text={run.output_preview} code />,
  error: (run) => <Words text={run.error_message} />,
  version: (run) => run.workflow.version,
  models: (run) => <Words text={run.models?.join(", ")} />,
  tags: (run) => <Words text={run.tags?.join(", ")} />,
  environment: (run) => run.environment,
  created: (run) => <Moment at={run.created_at} />,
  ended: (run) => <Moment at={run.ended_at} />,
  cache: (run) => (run.cache ? money(run.cache.saved_cost_usd) : <None />),
  review: (run) => run.review || <None />,
  score: (run) => run.score ?? <None />,
  id: (run) => <code>{run.id}</code>,
};

export function cellOf(id: string, run: RunSummary): ReactNode {
  const cell = CELLS[id];
  return cell ? cell(run) : <Words text={(run as { values?: Record<string, string> }).values?.[id]} code />;
}

function None() {
  return (
    <span className={styles.none} aria-label="none">
      -
    </span>
  );
}

function Words({ text, code, title }: { text: string | null | undefined; code?: boolean; title?: string | null }) {
  if (!text) return <None />;
  const line = oneLine(text);
  return (
    <span className={code ? styles.code : undefined} title={oneLine(title ?? text)}>
      <bdi>{line}</bdi>
    </span>
  );
}
