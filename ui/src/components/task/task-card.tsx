/** One decision: what is asked, of which run, what it is about, until when; and deciding it. */

import { Button } from "@mantine/core";
import { IconCheck, IconClockExclamation, IconPencil, IconX } from "@tabler/icons-react";

import type { RunSummary } from "../../api/runs";
import type { Task } from "../../api/tasks";
import { runAddress, workflowRunsAddress } from "../../app/addresses";
import { useNow } from "../../app/now";
import { JsonView } from "../json-view";
import { Moment } from "../moment";
import { Money } from "../money";
import { PageLink } from "../page-link";
import { PlainText, TextBlock } from "../plain-text";
import { oneLine } from "../../model/safe-text";
import { editableOf, leavesOf } from "../../model/task-form";
import { Decide } from "./decide";
import styles from "./task-card.module.css";

export type Doing = "approve" | "reject" | "edit";

interface Props {
  task: Task;
  run: RunSummary | undefined;
  /** Whether whoever is there may decide. */
  may: boolean;
  doing: Doing | null;
  onDo: (doing: Doing | null) => void;
  onDone: () => void;
}

export function TaskCard({ task, run, may, doing, onDo, onDone }: Props) {
  const canEdit = Object.keys(editableOf(task.payload, task.result_schema)).length > 0;
  return (
    <article className={styles.card} data-task={task.id} data-doing={doing ?? undefined} aria-labelledby={`title-${task.id}`}>
      <header>
        <h3 id={`title-${task.id}`}>
          <PageLink address={runAddress(task.run_id)}>
            <PlainText text={oneLine(task.title)} />
          </PageLink>
        </h3>
        <p className={styles.facts}>
          <PageLink address={workflowRunsAddress(task.workflow)}>{oneLine(run?.workflow.name ?? task.workflow)}</PageLink>
          <span>
            step <code>{oneLine(task.step_id)}</code>
          </span>
          <span>
            asked <Moment at={task.created_at} as="ago" />
          </span>
          {run && (
            <span>
              <Money usd={run.cost_usd} /> so far
            </span>
          )}
          <Expiry at={task.expires_at} />
        </p>
      </header>
      {task.description && (
        <div className={styles.prose}>
          <TextBlock text={task.description} limit={1_000} />
        </div>
      )}
      {doing !== "edit" && task.payload !== null && task.payload !== undefined && <Payload value={task.payload} />}
      {doing ? (
        <Decide key={doing} task={task} doing={doing} onCancel={() => onDo(null)} onDone={onDone} />
      ) : may ? (
        <div className={styles.actions}>
          <Button variant="filled" leftSection={<IconCheck size={14} />} onClick={() => onDo("approve")}>
            Approve
          </Button>
          <Button leftSection={<IconX size={14} />} onClick={() => onDo("reject")}>
            Reject
          </Button>
          {canEdit && (
            <Button variant="subtle" color="gray" leftSection={<IconPencil size={14} />} onClick={() => onDo("edit")}>
              Edit
            </Button>
          )}
        </div>
      ) : (
        <p className={styles.quiet}>Your role lets you see this, not decide it.</p>
      )}
    </article>
  );
}

const SOON_MS = 3_600_000;

function Expiry({ at }: { at: string | null | undefined }) {
  const now = useNow(10_000);
  if (!at) return <span>no expiry</span>;
  const left = new Date(at).getTime() - now;
  return (
    <span className={left < SOON_MS ? styles.soon : undefined}>
      {left < SOON_MS && <IconClockExclamation size={13} aria-hidden />}
      {left < 0 ? "expired" : "expires"} <Moment at={at} as="ago" />
    </span>
  );
}

const MOST_FIELDS = 8;

/** A small object as its fields, anything else as JSON. */
function Payload({ value }: { value: unknown }) {
  const fields = leavesOf(value, MOST_FIELDS);
  if (!fields) return <JsonView value={value} label="Payload" />;
  return (
    <dl className={styles.fields}>
      {fields.map(([name, each]) => (
        <div key={name}>
          <dt>{oneLine(name)}</dt>
          <dd>{typeof each === "string" ? <PlainText text={each.slice(0, 400)} /> : String(each)}</dd>
        </div>
      ))}
    </dl>
  );
}
