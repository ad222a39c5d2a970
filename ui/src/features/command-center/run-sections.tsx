/** Runs under way, those that stop, those that are stuck, and those that failed of late. */

import type { ReactNode } from "react";

import { RECENTLY } from "../../api/attention";
import type { RunSummary } from "../../api/runs";
import { runAddress, runsAddress, workflowRunsAddress } from "../../app/addresses";
import { Duration } from "../../components/duration";
import { Moment } from "../../components/moment";
import { Money } from "../../components/money";
import { PageLink } from "../../components/page-link";
import { StatusBadge } from "../../components/status-badge";
import { InlineTrouble } from "../../components/trouble";
import { plural } from "../../model/money";
import { EVER } from "../../model/run-choices";
import { oneLine } from "../../model/safe-text";
import { BROKEN_STATUSES } from "../../model/status";
import { Quiet, Section, WaitingLines } from "./section";
import styles from "./section.module.css";
import type { useRunsOfInterest } from "./use-attention";

type Interest = ReturnType<typeof useRunsOfInterest>;
interface Props {
  interest: Interest;
}

const MOST_LINES = 8;

export function Running({ interest }: Props) {
  const { live, running, counted } = interest;
  const n = (counted["running"] ?? 0) + (counted["queued"] ?? 0);
  const others = [
    counted["waiting"] ? `${plural(counted["waiting"], "run")} waiting` : "",
    counted["paused"] ? `${counted["paused"]} paused` : "",
  ].filter(Boolean);
  return (
    <Section id="running" title="Running" n={n} all={runsAddress({ status: ["running", "queued"], from: EVER })}>
      {live.error && !live.data ? (
        <InlineTrouble error={live.error} onRetry={() => void live.refetch()} />
      ) : live.isPending ? (
        <WaitingLines n={3} />
      ) : running.length === 0 ? (
        <Quiet>Nothing runs right now.{others.length > 0 && ` ${others.join(", ")}.`}</Quiet>
      ) : (
        <Lines runs={running} render={(run) => <Line key={run.id} run={run} right={<SoFar run={run} />} />} />
      )}
      {running.length > 0 && others.length > 0 && (
        <p className={styles.why}>
          Beside them <PageLink address={runsAddress({ status: ["waiting", "paused"], from: EVER })}>{others.join(", ")}</PageLink>.
        </p>
      )}
    </Section>
  );
}

export function Stopping({ interest }: Props) {
  const { stopping, counted } = interest;
  if (stopping.length === 0) return <Hidden id="stopping" title="Stopping" text="No run is stopping." />;
  return (
    <Section
      id="stopping"
      title="Stopping"
      n={counted["draining"] ?? stopping.length}
      all={runsAddress({ status: "draining", from: EVER })}
    >
      <Lines
        runs={stopping}
        render={(run) => <Line key={run.id} run={run} right={<SoFar run={run} />} why="What is in flight may end first." />}
      />
    </Section>
  );
}

export function Stuck({ interest }: Props) {
  const { stuck } = interest;
  if (stuck.length === 0) return <Hidden id="stuck" title="Stuck" text="No run is stuck." />;
  return (
    <Section id="stuck" title="Stuck" n={stuck.length}>
      <ul className={styles.lines}>
        {stuck.slice(0, MOST_LINES).map(({ run, why, help }) => (
          <Line key={run.id} run={run} why={`${oneLine(why)} ${help}`} />
        ))}
      </ul>
    </Section>
  );
}

export function FailedRuns({ interest }: Props) {
  const { failed, failures } = interest;
  const n = failed.data?.data.length ?? 0;
  return (
    <Section id="failed" title="Failed in the last 24 hours" n={n} all={runsAddress({ status: BROKEN_STATUSES, from: RECENTLY })}>
      {failed.error && !failed.data ? (
        <InlineTrouble error={failed.error} onRetry={() => void failed.refetch()} />
      ) : failed.isPending ? (
        <WaitingLines n={3} />
      ) : failures.length === 0 ? (
        <Quiet>No run failed.</Quiet>
      ) : (
        <ul className={styles.lines}>
          {failures.slice(0, MOST_LINES).map(({ run, runs }) => (
            <Line
              key={run.id}
              run={run}
              right={
                <>
                  {runs > 1 && (
                    <PageLink
                      className={styles.times}
                      address={workflowRunsAddress(run.workflow.slug, { status: run.status, from: RECENTLY })}
                    >
                      {runs} times<span className="visually-hidden">: runs of {oneLine(run.workflow.name)} that failed like this</span>
                    </PageLink>
                  )}
                  <span className={styles.when}>
                    <Moment at={run.ended_at ?? run.created_at} as="ago" />
                  </span>
                </>
              }
              why={
                <>
                  {run.failed_step && (
                    <>
                      <code>{oneLine(run.failed_step)}</code>{" "}
                    </>
                  )}
                  <bdi>{oneLine(run.error_message ?? run.failure_code ?? "")}</bdi>
                </>
              }
            />
          ))}
        </ul>
      )}
    </Section>
  );
}

/** What is empty as a rule is only told, not shown. */
function Hidden({ id, title, text }: { id: string; title: string; text: string }) {
  return (
    <section aria-labelledby={id} className="visually-hidden">
      <h2 id={id} tabIndex={-1}>
        {title}
      </h2>
      <p>{text}</p>
    </section>
  );
}

function Lines({ runs, render }: { runs: RunSummary[]; render: (run: RunSummary) => ReactNode }) {
  return <ul className={styles.lines}>{runs.slice(0, MOST_LINES).map(render)}</ul>;
}

function SoFar({ run }: { run: RunSummary }) {
  return (
    <span className={styles.when}>
      {Number(run.cost_usd ?? 0) > 0 && (
        <>
          <Money usd={run.cost_usd} /> ·{" "}
        </>
      )}
      {run.started_at ? <Duration since={run.started_at} /> : <Moment at={run.created_at} as="ago" />}
    </span>
  );
}

function Line({ run, right, why }: { run: RunSummary; right?: ReactNode; why?: ReactNode }) {
  return (
    <li className={styles.line} data-run={run.id}>
      <div className={styles.top}>
        <PageLink address={runAddress(run.id)} className={styles.name}>
          <bdi>{oneLine(run.workflow.name || run.workflow.slug)}</bdi>
          <span className="visually-hidden">, run {run.id}</span>
        </PageLink>
        {right}
        <StatusBadge status={run.status} waiting={run.waiting_for} size="sm" />
      </div>
      {why && <p className={styles.why}>{why}</p>}
    </li>
  );
}
