/** One experiment: the variants compared, then row by row with the runs. */

import { Button, Progress, Skeleton } from "@mantine/core";
import { IconPlayerStopFilled } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { evaluationKeys, experimentQuery, experimentRowsQuery, stopExperiment, type Comparison } from "../../api/evaluations";
import type { Workflow } from "../../api/workflows";
import { agentTabAddress } from "../../app/addresses";
import { useSearchValues } from "../../app/search";
import { useMay } from "../../app/session";
import { Moment } from "../../components/moment";
import { PageLink } from "../../components/page-link";
import { InlineTrouble, Trouble } from "../../components/trouble";
import { count, plural } from "../../model/money";
import { oneLine } from "../../model/safe-text";
import { firstOf } from "../../model/search-values";
import { AgentFrame } from "./agent-frame";
import styles from "./agents.module.css";
import { ComparisonTable } from "./comparison-table";
import { ComparedRows } from "./compared-rows";
import { ExperimentBadge } from "./experiment-badge";

export function ExperimentPage() {
  return <AgentFrame tab="experiments">{(agent) => <One agent={agent} />}</AgentFrame>;
}

function One({ agent }: { agent: Workflow }) {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data, error, refetch } = useQuery(experimentQuery(id));
  if (error && !data) return <Trouble error={error} what="experiment" onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div className={styles.body} aria-busy="true">
        <Skeleton height={24} width={280} />
        <Skeleton height={140} />
      </div>
    );
  }
  return <Shown agent={agent} comparison={data} />;
}

function Shown({ agent, comparison }: { agent: Workflow; comparison: Comparison }) {
  const { experiment } = comparison;
  const [values, change] = useSearchValues();
  const cursor = firstOf(values["cursor"]);
  const isRunning = experiment.status === "running" || experiment.status === "stopping";
  const rows = useQuery(experimentRowsQuery(experiment, cursor));
  const may = useMay("workflow:run");
  const known = useQueryClient();
  const stopping = useMutation({
    mutationFn: () => stopExperiment(experiment.id),
    onSuccess: () => known.invalidateQueries({ queryKey: evaluationKeys.experiment(experiment.id) }),
  });
  const done = experiment.cells - experiment.open_cells;
  return (
    <div className={styles.body}>
      <div className={styles.bar}>
        <div>
          <div className={styles.quiet}>
            <PageLink address={agentTabAddress(agent.slug, "experiments")}>Experiments</PageLink>
          </div>
          <div className={styles.bar} style={{ justifyContent: "flex-start" }}>
            <h2 className={styles.heading}>{oneLine(experiment.name)}</h2>
            <ExperimentBadge experiment={experiment} />
          </div>
          <p className={styles.quiet}>
            {plural(experiment.cells, "run")}, started <Moment at={experiment.created_at} />
            {experiment.evaluators?.length
              ? `, judged by ${experiment.evaluators.map((each) => oneLine(each.name)).join(", ")}`
              : ", judged by nobody"}
          </p>
        </div>
        {isRunning && may && (
          <Button
            leftSection={<IconPlayerStopFilled size={14} />}
            disabled={experiment.status === "stopping"}
            loading={stopping.isPending}
            onClick={() => stopping.mutate()}
          >
            Stop
          </Button>
        )}
      </div>
      {isRunning && (
        <div>
          <Progress value={(100 * done) / Math.max(1, experiment.cells)} size="sm" aria-label="Runs that have ended" />
          <p className={styles.quiet}>
            {count(done)} of {count(experiment.cells)} have ended
          </p>
        </div>
      )}
      <InlineTrouble error={stopping.error} />
      <ComparisonTable comparison={comparison} />
      {rows.error ? (
        <InlineTrouble error={rows.error} onRetry={() => void rows.refetch()} />
      ) : (
        <ComparedRows agent={agent} variants={comparison.variants.map((each) => each.name)} rows={rows.data?.data ?? []} />
      )}
      {(rows.data?.prev_cursor || rows.data?.next_cursor) && (
        <div className={styles.actions}>
          <Button
            disabled={!rows.data.prev_cursor}
            onClick={() => change((now) => ({ ...now, cursor: rows.data.prev_cursor ?? undefined }))}
          >
            Previous
          </Button>
          <Button
            disabled={!rows.data.next_cursor}
            onClick={() => change((now) => ({ ...now, cursor: rows.data.next_cursor ?? undefined }))}
          >
            Next
          </Button>
        </div>
      )}
    </div>
  );
}
