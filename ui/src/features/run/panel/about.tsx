/** About the run itself: input and output, where it came from, what came of it, and what people wrote. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { triesQuery } from "../../../api/run";
import { runAddress } from "../../../app/addresses";
import { CopyButton } from "../../../components/copy-button";
import { JsonView } from "../../../components/json-view";
import { Moment } from "../../../components/moment";
import { PageLink } from "../../../components/page-link";
import { PlainText } from "../../../components/plain-text";
import { StatusBadge } from "../../../components/status-badge";
import { useRunPage } from "../run-page";
import styles from "./about.module.css";
import { Comments } from "./comments";
import { ErrorBox } from "./input-output";
import panel from "./panel.module.css";

export function About() {
  const { run, record, latest } = useRunPage();
  const { origin, review } = latest;
  return (
    <div className={styles.about} tabIndex={0} role="region" aria-label="About the run: all of it">
      <h2 className={styles.title}>About the run</h2>
      {record.error && <ErrorBox error={record.error} next={false} />}
      <dl className={styles.facts}>
        <Fact label="Id">
          <code>{run.id}</code> <CopyButton value={run.id} label="Copy the id" size={12} />
        </Fact>
        <Fact label="Trigger">{origin?.trigger ?? "-"}</Fact>
        <Fact label="Created">
          <Moment at={run.created_at} as="full" />
        </Fact>
        <Fact label="Started">
          <Moment at={run.started_at} as="full" />
        </Fact>
        <Fact label="Ended">
          <Moment at={run.ended_at} as="full" />
        </Fact>
        <Fact label="Environment">{origin?.environment ?? "-"}</Fact>
        {origin && origin.tags.length > 0 && (
          <Fact label="Tags">
            {origin.tags.map((tag) => (
              <span key={tag} className={styles.tag}>
                <PlainText text={tag} />
              </span>
            ))}
          </Fact>
        )}
        {Object.entries(origin?.metadata ?? {}).map(([name, value]) => (
          <Fact key={name} label={name}>
            <PlainText text={value} />
          </Fact>
        ))}
        {review && (
          <Fact label="Review">
            {review.review || "none"}
            {review.score !== null && `, ${review.score}`}
          </Fact>
        )}
      </dl>
      <Lineage />
      <section className={panel.part}>
        <h3>Input</h3>
        <JsonView value={record.input ?? null} label="Input" />
      </section>
      {record.output !== undefined && (
        <section className={panel.part}>
          <h3>Output</h3>
          <JsonView value={record.output} label="Output" />
        </section>
      )}
      <Comments />
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>
        <PlainText text={label} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** From where the run came, and which runs came of it. */
function Lineage() {
  const { run, latest } = useRunPage();
  const tries = useQuery(triesQuery(run.id));
  const children = [...latest.steps.values()].flatMap((step) => step.children.map((id) => ({ id, step: step.path })));
  const made = tries.data ?? [];
  const { origin, judges } = latest;
  const rows: { key: string; words: string; id: string; status?: string }[] = [
    ...(origin?.parentRunId ? [{ key: "parent", words: "Parent run", id: origin.parentRunId }] : []),
    ...(origin?.sourceRunId ? [{ key: "source", words: "Made of", id: origin.sourceRunId }] : []),
    ...(latest.servedFrom ? [{ key: "cache", words: "Output of", id: latest.servedFrom }] : []),
    ...judges.slice(0, 20).map(({ runId, evaluator }) => ({ key: `judge ${runId}`, words: `Evaluated by ${evaluator}`, id: runId })),
    ...children.slice(0, 50).map(({ id, step }) => ({ key: `${step} ${id}`, words: `Child, by ${step}`, id })),
    ...made.map((each) => ({ key: each.id, words: "Made of this one", id: each.id, status: each.status })),
  ];
  if (rows.length === 0) return null;
  return (
    <section className={panel.part}>
      <h3>Lineage</h3>
      <ul className={styles.lineage}>
        {rows.map(({ key, words, id, status }) => (
          <li key={key}>
            <span>
              <PlainText text={words} />
            </span>
            <PageLink address={runAddress(id)} className={panel.link}>
              <code>
                {id.slice(0, 8)}…{id.slice(-6)}
              </code>
            </PageLink>
            {status && <StatusBadge status={status} size="sm" />}
          </li>
        ))}
      </ul>
    </section>
  );
}
